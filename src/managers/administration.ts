import type { Reach } from '../connectors/mongo.js';
import { IdentityError, notFound } from '../errors.js';
import { ROOT_DOMAIN_ID } from '../ids.js';
import { common, includesAll, permits } from '../permissions.js';
import type { Role } from '../models/role.js';
import type { User, Users } from '../models/user.js';
import type { RoleStates } from './role-states.js';
import type { Caller } from './sessions.js';

/** What an administrator wants to do with users. */
export type UserPermission = 'identity:User.read' | 'identity:User.write';

/** What an administrator wants to do in a domain. */
export type AdministratorPermission = UserPermission | 'identity:Domain.read' | 'identity:Workspace.read';

const OPAQUE_ID = /^[0-9a-f]{32}$/;

/** Whom somebody may look at and change through the IAM systems, and how people are called there. */
export class Administration {
  constructor(
    private readonly users: Users,
    private readonly roles: RoleStates,
  ) {}

  /**
   * The domain that the caller administers: an id, `'*'` for all, or undefined. The permissions of a token bound
   * it, whoever holds it. A token for a domain or the system says itself that it administers; for the token of a
   * sign-in the role of the account counts.
   */
  async domainOf(
    reach: Reach,
    caller: Caller,
    permission: AdministratorPermission,
  ): Promise<string | undefined> {
    if (caller.kind === 'SYSTEM') return '*';
    if (!permits(caller.permissions, [permission])) return undefined;
    const administers = isForAdministration(caller) || (await this.#signedIn(reach, caller, permission));
    if (!administers) return undefined;
    return caller.domain_id === ROOT_DOMAIN_ID ? '*' : caller.domain_id;
  }

  async #signedIn(reach: Reach, caller: Caller, permission: AdministratorPermission): Promise<boolean> {
    const { domain_id, user_id, signed_in } = caller;
    if (!signed_in) return false;
    if (await this.#administers(reach, domain_id, signed_in, permission)) return true;
    // What is remembered of an account refuses nothing (sessions.ts).
    const account = await this.users.find(reach, { domain_id, user_id });
    return account !== undefined && this.#administers(reach, domain_id, account, permission);
  }

  async #administers(
    reach: Reach,
    domain_id: string,
    account: Pick<User, 'role_type' | 'role_id'>,
    permission: AdministratorPermission,
  ): Promise<boolean> {
    if (account.role_type !== 'DOMAIN_ADMIN') return false;
    const role = await this.#roleOf(reach, domain_id, account);
    return role?.state === 'ENABLED' && permits(role.permissions, [permission]);
  }

  /**
   * The domain that the caller names, else the one that they mean, if they administer it; undefined when they
   * administer all and mean none.
   * @throws IdentityError ERROR_PERMISSION_DENIED.
   */
  async namedDomain(
    reach: Reach,
    caller: Caller,
    named: string | undefined,
    permission: AdministratorPermission,
  ): Promise<string | undefined> {
    const domain_id = await this.domainOf(reach, caller, permission);
    const others = named !== undefined && domain_id !== '*' && named !== domain_id;
    if (!domain_id || others) throw new IdentityError('ERROR_PERMISSION_DENIED');
    if (named !== undefined) return named;
    if (domain_id !== '*') return domain_id;
    return caller.kind === 'SYSTEM' ? caller.domain_id || undefined : undefined;
  }

  /**
   * The user whom the caller means and may do this with as an administrator.
   * @param ref opaque id, or user_id of a user of the caller's domain.
   * @throws IdentityError ERROR_PERMISSION_DENIED for no administrator, ERROR_NOT_FOUND for nobody in reach.
   */
  async administered(reach: Reach, caller: Caller, ref: string, permission: UserPermission): Promise<User> {
    const domain_id = await this.domainOf(reach, caller, permission);
    if (!domain_id) throw new IdentityError('ERROR_PERMISSION_DENIED');
    const user = await this.#find(reach, ref, caller.domain_id);
    if (!user || (domain_id !== '*' && user.domain_id !== domain_id)) throw notFound({ user_id: ref });
    if (permission === 'identity:User.write') await this.#assertNoLess(reach, caller, user);
    return user;
  }

  /**
   * Whoever changes an account, its password above all, may become its owner: so nobody changes one who may do more,
   * in the domain or in any workspace.
   * @throws IdentityError ERROR_PERMISSION_DENIED.
   */
  async #assertNoLess(reach: Reach, caller: Caller, user: User): Promise<void> {
    if (caller.kind === 'SYSTEM' || isOwn(caller, user)) return;
    const own = isForAdministration(caller)
      ? undefined
      : await this.#roleOf(reach, caller.domain_id, caller.signed_in);
    const held = common(caller.permissions, own?.permissions ?? []);
    if (held.length === 0) return;
    for (const role_id of rolesOf(user)) {
      // A role that is disabled may be enabled again; one that is not there may be anything.
      const role = role_id ? await this.roles.find(reach, user.domain_id, role_id) : undefined;
      if (!role || !includesAll(held, role.permissions)) throw new IdentityError('ERROR_PERMISSION_DENIED');
    }
  }

  async #roleOf(
    reach: Reach,
    domain_id: string,
    of: Pick<User, 'role_id'> | undefined,
  ): Promise<Role | undefined> {
    return of?.role_id ? this.roles.find(reach, domain_id, of.role_id) : undefined;
  }

  /**
   * The user whom the caller means and may see: themself, or whom they administer.
   * @throws IdentityError as `administered` does; whoever is no administrator learns nothing of others.
   */
  async visible(reach: Reach, caller: Caller, ref: string): Promise<User> {
    const self = await this.#self(reach, caller, ref);
    return self ?? this.administered(reach, caller, ref, 'identity:User.read');
  }

  /**
   * The caller's own account, which `ref` has to mean.
   * @throws IdentityError ERROR_PERMISSION_DENIED for any other.
   */
  async own(reach: Reach, caller: Caller, ref: string): Promise<User> {
    const user = await this.#self(reach, caller, ref);
    if (!user) throw new IdentityError('ERROR_PERMISSION_DENIED');
    return user;
  }

  async #self(reach: Reach, caller: Caller, ref: string): Promise<User | undefined> {
    if (caller.kind !== 'USER' || (ref !== caller.user_id && !OPAQUE_ID.test(ref))) return undefined;
    const user = await this.#find(reach, ref, caller.domain_id);
    return user && isOwn(caller, user) ? user : undefined;
  }

  /** The user with that opaque id, else the one with that user_id in the domain. */
  async #find(reach: Reach, ref: string, domain_id: string): Promise<User | undefined> {
    const known = OPAQUE_ID.test(ref) ? await this.users.findById(reach, ref) : undefined;
    return known ?? (domain_id ? this.users.find(reach, { domain_id, user_id: ref }) : undefined);
  }
}

/** All roles that somebody has, each once; an administrator without one has one that is unknown. */
function rolesOf({ role_type, role_id, memberships }: User): Set<string | undefined> {
  const inWorkspaces = memberships.map((one) => one.role_id);
  return new Set(role_type === 'DOMAIN_ADMIN' ? [role_id, ...inWorkspaces] : inWorkspaces);
}

function isForAdministration({ role_type }: Caller): boolean {
  return role_type === 'SYSTEM_ADMIN' || role_type === 'DOMAIN_ADMIN';
}

/** Whether that is the caller's own account. */
export function isOwn(caller: Caller, user: User): boolean {
  const { kind, domain_id, user_id } = caller;
  return kind === 'USER' && user.domain_id === domain_id && user.user_id === user_id;
}
