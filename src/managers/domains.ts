import type { Clock } from '../clock.js';
import type { Mongo, Reach, Tx } from '../connectors/mongo.js';
import { IdentityError, authenticateFailure, notFound } from '../errors.js';
import type { Query, StatisticsQuery } from '../gen/spaceone/api/core/v2/query.js';
import { ROOT_DOMAIN_ID, newId } from '../ids.js';
import type {
  Domain,
  DomainChange,
  DomainKeys as StoredKeys,
  Domains as DomainModel,
} from '../models/domain.js';
import { compileKeyword } from '../models/query/conditions.js';
import { domainResource } from '../models/query/domain-resource.js';
import { allOf } from '../models/query/filter.js';
import { compileList } from '../models/query/list.js';
import { compileStatistics } from '../models/query/statistics.js';
import type { RoleBindings } from '../models/role-binding.js';
import type { Roles } from '../models/role.js';
import type { AuditAction } from '../audit-actions.js';
import type { Accounts, NewAccount, PreparedAccount } from './accounts.js';
import { roleGranted, userCreated } from './audit.js';
import type { Audit, AuditEntry } from './audit.js';
import type { DomainKeys } from './domain-keys.js';
import type { DomainStates } from './domain-states.js';
import type { Tokens } from './tokens.js';

/** The first administrator of a domain. */
export type NewAdmin = Omit<NewAccount, 'auth_type'>;

/** A domain with all that it starts with, ready to be written. */
export interface PreparedDomain {
  domain: Domain;
  keys: StoredKeys;
  admin: PreparedAccount;
}

const ADMIN_ROLE = 'managed-domain-admin';

/** Domains: the tenants of the service (contract/behaviour.md 4.8). */
export class Domains {
  constructor(
    private readonly mongo: Mongo,
    private readonly domains: DomainModel,
    private readonly roles: Roles,
    private readonly bindings: RoleBindings,
    private readonly accounts: Accounts,
    private readonly keys: DomainKeys,
    private readonly tokens: Tokens,
    private readonly states: DomainStates,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly settings: { maxRows: number },
  ) {}

  /**
   * Makes a domain with its keys, managed roles and first administrator, whole or not at all.
   * @throws IdentityError ERROR_NOT_UNIQUE(name), or what is wrong with the administrator.
   */
  async create(
    reach: Reach,
    name: string,
    tags: Record<string, unknown> | undefined,
    admin: NewAdmin,
  ): Promise<Domain> {
    const prepared = await this.prepare(reach, newId('domain'), name, tags, admin);
    await this.mongo.transaction(reach, (tx) => this.insert(tx, prepared));
    return prepared.domain;
  }

  /**
   * Checks and makes everything that a new domain needs, before the first write.
   * @param anew the users of the domain will be gone, so that their ids are free.
   */
  async prepare(
    reach: Reach,
    domain_id: string,
    name: string,
    tags: Record<string, unknown> | undefined,
    admin: NewAdmin,
    anew = false,
  ): Promise<PreparedDomain> {
    const now = this.clock.now();
    const account: NewAccount = {
      ...admin,
      auth_type: 'LOCAL',
      email: admin.email ?? emailFrom(admin.user_id),
    };
    await this.accounts.check(reach, domain_id, account, anew);
    const role = { role_type: 'DOMAIN_ADMIN' as const, role_id: ADMIN_ROLE, memberships: [] };
    const [keys, user] = await Promise.all([
      this.keys.generate(domain_id, now),
      this.accounts.prepare(reach, domain_id, account, role),
    ]);
    const domain: Domain = {
      domain_id,
      name,
      state: 'ENABLED',
      ...(tags ? { tags } : {}),
      wildcard_members: 0,
      created_at: now,
    };
    return { domain, keys, admin: user };
  }

  /** Writes a prepared domain. */
  async insert(tx: Tx, { domain, keys, admin }: PreparedDomain): Promise<void> {
    const { domain_id } = domain;
    await this.domains.insert(tx, domain);
    await this.audit.record(tx, changeOf('domain.create', domain_id));
    await this.insertAdmin(tx, domain, keys, admin);
    await this.roles.ensureManaged(tx, domain_id, this.clock.now());
  }

  /** Writes keys, administrator and the administrator's binding of a domain (D-33). */
  async insertAdmin(tx: Tx, domain: Domain, keys: StoredKeys, admin: PreparedAccount): Promise<void> {
    await this.keys.store(tx, keys);
    await this.accounts.insert(tx, domain, admin);
    const { domain_id } = domain;
    const { user } = admin;
    const role = {
      role_binding_id: newId('rb'),
      role_type: 'DOMAIN_ADMIN' as const,
      role_id: ADMIN_ROLE,
      workspace_id: '*',
    };
    await this.bindings.insert(tx, {
      ...role,
      user_id: user.user_id,
      resource_group: 'DOMAIN',
      domain_id,
      created_at: this.clock.now(),
    });
    await this.audit.record(tx, userCreated(user), roleGranted(user, role));
  }

  /**
   * A domain by id or name.
   * @throws IdentityError ERROR_NOT_FOUND.
   */
  async get(reach: Reach, key: { domain_id: string } | { name: string }): Promise<Domain> {
    const domain = await this.domains.find(reach, key);
    if (!domain) throw notFound(key);
    return domain;
  }

  /**
   * Changes name or tags of a domain; without either it stays as it is.
   * @throws IdentityError ERROR_NOT_FOUND, ERROR_NOT_UNIQUE(name).
   */
  async update(
    reach: Reach,
    domain_id: string,
    change: Pick<DomainChange, 'name' | 'tags'>,
  ): Promise<Domain> {
    const fields = Object.keys(change);
    return fields.length > 0
      ? this.#change(reach, domain_id, change, 'domain.update', { fields })
      : this.get(reach, { domain_id });
  }

  /**
   * Lets the users of a domain in, or keeps them out.
   * @throws IdentityError ERROR_PERMISSION_DENIED for the root domain, ERROR_NOT_FOUND.
   */
  async setState(reach: Reach, domain_id: string, state: 'ENABLED' | 'DISABLED'): Promise<Domain> {
    assertNotRoot(domain_id);
    return this.#change(
      reach,
      domain_id,
      { state },
      state === 'ENABLED' ? 'domain.enable' : 'domain.disable',
    );
  }

  /**
   * Marks a domain as deleted; its name is free again.
   * @throws IdentityError ERROR_PERMISSION_DENIED for the root domain, ERROR_NOT_FOUND.
   */
  async delete(reach: Reach, domain_id: string): Promise<void> {
    assertNotRoot(domain_id);
    await this.#change(reach, domain_id, { state: 'DELETED', deleted_at: this.clock.now() }, 'domain.delete');
  }

  /**
   * A page of the domains.
   * @throws IdentityError for a query that cannot be carried out (contract/query.md).
   */
  async list(
    reach: Reach,
    query: Query | undefined,
    equal: Partial<Pick<Domain, 'domain_id' | 'name' | 'state'>>,
  ): Promise<{ rows: Partial<Domain>[]; total: number }> {
    return this.domains.list(reach, equal, compileList(query, domainResource, this.#context()));
  }

  /**
   * Statistics over the domains, narrowed by a keyword if there is one.
   * @throws IdentityError for a query that cannot be carried out (contract/query.md 3).
   */
  async stat(
    reach: Reach,
    query: StatisticsQuery | undefined,
  ): Promise<{ results: unknown[]; total_count?: number }> {
    const plan = compileStatistics(query, domainResource, this.#context());
    const keyword = compileKeyword(query?.keyword ?? '', domainResource.keyword);
    return this.domains.stat(reach, { ...plan, filter: allOf([plan.filter, keyword]) });
  }

  /**
   * The public key of a domain as JSON, for services that check tokens themselves; asked for with a system token of
   * the root domain alone (D-19).
   * @throws IdentityError ERROR_AUTHENTICATE_FAILURE, ERROR_NOT_FOUND.
   */
  async publicKey(reach: Reach, domain_id: string, systemToken: string | undefined): Promise<string> {
    if (!systemToken) throw authenticateFailure('empty token provided.');
    const claims = await this.tokens.verify(reach, systemToken, 'access');
    if (claims.typ !== 'SYSTEM_TOKEN' || claims.did !== ROOT_DOMAIN_ID) {
      throw authenticateFailure('A system token is needed.');
    }
    if (!(await this.states.domain(reach, domain_id))) throw notFound({ domain_id });
    return JSON.stringify((await this.keys.signing(reach, domain_id, 'access')).public_jwk);
  }

  async #change(
    reach: Reach,
    domain_id: string,
    change: DomainChange,
    action: AuditAction,
    detail?: Record<string, unknown>,
  ): Promise<Domain> {
    const changed = await this.mongo.transaction(reach, async (tx) => {
      const domain = await this.domains.update(tx, domain_id, change);
      if (!domain) throw notFound({ domain_id });
      await this.audit.record(tx, { ...changeOf(action, domain_id), detail });
      return domain;
    });
    this.states.forget(domain_id);
    return changed;
  }

  #context(): { now: Date; maxRows: number } {
    return { now: this.clock.now(), maxRows: this.settings.maxRows };
  }
}

function changeOf(action: AuditAction, domain_id: string): AuditEntry {
  return { action, domain_id, target: { type: 'DOMAIN', id: domain_id } };
}

/** A user id that is an address is also the administrator's address (contract/behaviour.md 4.8). */
function emailFrom(user_id: string): string | undefined {
  return user_id.includes('@') ? user_id : undefined;
}

/** Without the root domain nobody could manage the others. */
function assertNotRoot(domain_id: string): void {
  if (domain_id === ROOT_DOMAIN_ID) throw new IdentityError('ERROR_PERMISSION_DENIED');
}
