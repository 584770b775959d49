import { LRUCache } from 'lru-cache';
import { secondsAfter } from '../clock.js';
import type { Reach } from '../connectors/mongo.js';
import type { RevokedTokens } from '../models/revoked-token.js';
import { LEEWAY_SECONDS } from './tokens.js';
import type { Claims } from './tokens.js';

const MAX_TOKENS = 20_000;

/** Which tokens were ended before their time; remembered, so that a token in use costs no reading at every call. */
export class Revocations {
  /** True for ever once it is; false for a short while only, because another instance may end the token. */
  readonly #known: LRUCache<string, boolean>;

  constructor(
    private readonly tokens: RevokedTokens,
    private readonly settings: { cacheMs: number },
  ) {
    this.#known = new LRUCache({ max: MAX_TOKENS });
  }

  /** Ends a token: here at once, on other instances as soon as they look again. */
  async revoke(reach: Reach, { jti, exp = 0 }: Claims): Promise<void> {
    // As long as `Tokens.verify` takes it.
    await this.tokens.put(reach, jti, secondsAfter(new Date(exp * 1000), 2 * LEEWAY_SECONDS));
    this.#known.set(jti, true);
  }

  /** True when the token was ended. */
  async isRevoked(reach: Reach, { jti }: Claims): Promise<boolean> {
    const known = this.#known.get(jti);
    if (known !== undefined) return known;
    const revoked = await this.tokens.has(reach, jti);
    // It may have been ended here while the database was asked.
    if (this.#known.get(jti) !== true)
      this.#known.set(jti, revoked, revoked ? {} : { ttl: Math.max(1, this.settings.cacheMs) });
    return revoked || this.#known.get(jti) === true;
  }
}
