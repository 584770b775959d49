import { LRUCache } from 'lru-cache';
import { secondsAfter } from '../clock.js';
import type { Mongo, Reach } from '../connectors/mongo.js';
import { auditId } from '../ids.js';
import type { RevokedTokens } from '../models/revoked-token.js';
import { ofUser } from './audit.js';
import type { Audit } from './audit.js';
import { LEEWAY_SECONDS } from './tokens.js';
import type { Claims } from './tokens.js';

const MAX_TOKENS = 20_000;

/** Which tokens were ended before their time; remembered, so that a token in use costs no reading at every call. */
export class Revocations {
  /** True for ever once it is; false for a short while only, because another instance may end the token. */
  readonly #known: LRUCache<string, boolean>;

  constructor(
    private readonly mongo: Mongo,
    private readonly tokens: RevokedTokens,
    private readonly audit: Audit,
    private readonly settings: { cacheMs: number },
  ) {
    this.#known = new LRUCache({ max: MAX_TOKENS });
  }

  /** Ends a user's token: here at once, on other instances as soon as they look again. */
  async revoke(reach: Reach, { jti, exp = 0, did: domain_id, aud: user_id, wid }: Claims): Promise<void> {
    // As long as `Tokens.verify` takes it.
    const until = secondsAfter(new Date(exp * 1000), 2 * LEEWAY_SECONDS);
    await this.mongo.transaction(reach, async (tx) => {
      if (!(await this.tokens.put(tx, jti, until))) return;
      const detail = { audit_id: auditId(jti) };
      await this.audit.record(
        tx,
        ofUser('token.revoke', { domain_id, user_id }, { workspace_id: wid, detail }),
      );
    });
    this.#known.set(jti, true);
  }

  /** True when the token was ended; elsewhere it may have been a short while ago without being known here. */
  async isRevoked(reach: Reach, claims: Claims): Promise<boolean> {
    return this.#known.get(claims.jti) ?? this.isRevokedNow(reach, claims);
  }

  /** True when the token was ended, wherever: the database is asked. */
  async isRevokedNow(reach: Reach, { jti }: Claims): Promise<boolean> {
    if (this.#known.get(jti)) return true;
    const revoked = await this.tokens.has(reach, jti);
    // It may have been ended here while the database was asked.
    if (this.#known.get(jti)) return true;
    this.#known.set(jti, revoked, revoked ? {} : { ttl: Math.max(1, this.settings.cacheMs) });
    return revoked;
  }
}
