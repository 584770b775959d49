import type { Actor, Mongo, Reach, Tx } from '../connectors/mongo.js';
import { IdentityError, authenticateFailure } from '../errors.js';
import { ROOT_DOMAIN_ID } from '../ids.js';
import type { Domain, Domains as DomainModel } from '../models/domain.js';
import type { RoleBindings } from '../models/role-binding.js';
import type { Users } from '../models/user.js';
import { actsAs } from './audit.js';
import type { Audit } from './audit.js';
import type { DomainKeys } from './domain-keys.js';
import type { Domains, NewAdmin, PreparedDomain } from './domains.js';
import type { Tokens } from './tokens.js';

const ROOT_DOMAIN_NAME = 'root';

/** Who asks for System.init, as far as it matters. */
export interface Initialiser {
  /** The call comes from this machine. */
  local: boolean;
  bootstrapSecret?: string;
  token?: string;
}

/** Setting up the whole system (contract/behaviour.md 4.2). */
export class System {
  constructor(
    private readonly mongo: Mongo,
    private readonly model: DomainModel,
    private readonly users: Users,
    private readonly bindings: RoleBindings,
    private readonly domains: Domains,
    private readonly keys: DomainKeys,
    private readonly tokens: Tokens,
    private readonly audit: Audit,
    private readonly settings: { bootstrapSecret: string },
    private readonly equal: (left: string, right: string) => boolean,
  ) {}

  /**
   * Makes the root domain and its administrator; with `force` makes them anew, which ends every root token.
   * @throws IdentityError ERROR_AUTHENTICATE_FAILURE for a stranger (D-19), ERROR_SYSTEM_ALREADY_INITIALIZED.
   */
  async init(
    reach: Reach,
    from: Initialiser,
    admin: NewAdmin,
    force: boolean,
  ): Promise<{ domain: Domain; system_token: string }> {
    this.#assertKnown(from);
    const root = await this.model.find(reach, { domain_id: ROOT_DOMAIN_ID });
    if (root && !force) throw new IdentityError('ERROR_SYSTEM_ALREADY_INITIALIZED');
    if (root) actsAs(reach, await this.#systemToken(reach, from.token));
    // The users of the old root domain go, so the new administrator may have the id of an old one.
    const prepared = await this.domains.prepare(
      reach,
      ROOT_DOMAIN_ID,
      ROOT_DOMAIN_NAME,
      {},
      admin,
      root !== undefined,
    );
    await this.mongo
      .transaction(reach, async (tx) => {
        await this.audit.record(tx, {
          action: 'system.init',
          domain_id: ROOT_DOMAIN_ID,
          target: { type: 'DOMAIN', id: ROOT_DOMAIN_ID },
          detail: { anew: root !== undefined },
        });
        await (root ? this.#replace(tx, root, prepared) : this.domains.insert(tx, prepared));
      })
      .catch(asInitialized);
    this.keys.forget(ROOT_DOMAIN_ID);
    const system_token = await this.tokens.sign(reach, {
      typ: 'SYSTEM_TOKEN',
      own: 'SYSTEM',
      did: ROOT_DOMAIN_ID,
      aud: admin.user_id,
    });
    return { domain: root ?? prepared.domain, system_token };
  }

  async #replace(tx: Tx, root: Domain, { keys, admin }: PreparedDomain): Promise<void> {
    await this.users.deleteAllOf(tx, ROOT_DOMAIN_ID);
    await this.bindings.deleteAllOf(tx, ROOT_DOMAIN_ID);
    await this.domains.insertAdmin(tx, root, keys, admin);
  }

  #assertKnown({ local, bootstrapSecret }: Initialiser): void {
    const { bootstrapSecret: expected } = this.settings;
    if (local) return;
    if (expected !== '-' && bootstrapSecret && this.equal(bootstrapSecret, expected)) return;
    throw authenticateFailure('System.init is open to this machine, or with the bootstrap secret.');
  }

  async #systemToken(reach: Reach, token: string | undefined): Promise<Actor> {
    if (!token) throw authenticateFailure('empty token provided.');
    const claims = await this.tokens.verify(reach, token, 'access');
    if (claims.typ !== 'SYSTEM_TOKEN' || claims.did !== ROOT_DOMAIN_ID) {
      throw authenticateFailure('A system token is needed.');
    }
    return { type: 'SYSTEM', id: claims.aud, domain_id: ROOT_DOMAIN_ID };
  }
}

/** Of two first calls at once, one makes the root domain, and the other finds it there. */
function asInitialized(error: unknown): never {
  if (error instanceof IdentityError && error.reason === 'ERROR_NOT_UNIQUE') {
    throw new IdentityError('ERROR_SYSTEM_ALREADY_INITIALIZED');
  }
  throw error;
}
