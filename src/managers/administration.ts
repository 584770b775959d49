import type { Reach } from '../connectors/mongo.js';
import { IdentityError, notFound } from '../errors.js';
import { ROOT_DOMAIN_ID } from '../ids.js';
import { common, includesAll, permits } from '../permissions.js';
import type { Role } from '../models/role.js';
import type { User, Users } from '../models/user.js';
import type { DomainStates } from './domain-states.js';
import type { RoleStates } from './role-states.js';
import type { Caller } from './sessions.js';

/** What an administrator wants to do with users. */
export type UserPermission = 'identity:User.read' | 'identity:User.write';

/** What an administrator wants to do in a domain. */
export type AdministratorPermission = UserPermission | 'identity:Domain.read' | 'identity:Workspace.read';

const OPAQUE_ID = /^[0-9a-f]{32}$/;

/** What somebody administers, and what they may do there. */
interface Reign {
  /** An id, or `'*'` for all. */
  domain_id: string;
  /** Without any, everything. */
  permissions: readonly string[];
}

/** Whom somebody may look at and change through the IAM systems, and how people are called there. */
export class Administration {
  constructor(
    private readonly users: Users,
    private readonly roles: RoleStates,
    private readonly states: DomainStates,
  ) {}

  /** The domain that the caller administers: an id, `'*'` for all, or undefined. */
  async domainOf(
    reach: Reach,
    caller: Caller,
    permission: AdministratorPermission,
  ): Promise<string | undefined> {
    return (await this.#reign(reach, caller, permission))?.domain_id;
  }

  /**
   * The permissions of a token bound what its holder administers, whoever that is. A token for a domain or the system says
   * itself that it administers; for the token of a sign-in the role of the account counts.
   */
  async #reign(
    reach: Reach,
    caller: Caller,
    permission: AdministratorPermission,
  ): Promise<Reign | undefined> {
    if (caller.kind === 'SYSTEM') return { domain_id: '*', permissions: [] };
    if (!permits(caller.permissions, [permission])) return undefined;
    const domain_id = caller.domain_id === ROOT_DOMAIN_ID ? '*' : caller.domain_id;
    if (isForAdministration(caller)) return { domain_id, permissions: caller.permissions };
    const role = await this.#ownRole(reach, caller, permission);
    return role && { domain_id, permissions: common(caller.permissions, role.permissions) };
  }

  /** The role by which the caller's account administers. */
  async #ownRole(
    reach: Reach,
    { domain_id, user_id, signed_in, account }: Caller,
    permission: AdministratorPermission,
  ): Promise<Role | undefined> {
    if (!signed_in) return undefined;
    const known = await this.#administering(reach, domain_id, signed_in, permission);
    if (known || account) return known;
    // What is remembered of an account refuses nothing (sessions.ts).
    const user = await this.users.find(reach, { domain_id, user_id });
    return user && this.#administering(reach, domain_id, user, permission);
  }

  async #administering(
    reach: Reach,
    domain_id: string,
    { role_type, role_id }: Pick<User, 'role_type' | 'role_id'>,
    permission: AdministratorPermission,
  ): Promise<Role | undefined> {
    if (role_type !== 'DOMAIN_ADMIN' || !role_id) return undefined;
    const role = await this.roles.find(reach, domain_id, role_id);
    return role?.state === 'ENABLED' && permits(role.permissions, [permission]) ? role : undefined;
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
   * The user whom the caller means and may change as an administrator.
   * @param ref opaque id, or user_id of a user of the caller's domain.
   * @throws IdentityError ERROR_PERMISSION_DENIED for no administrator, and about a user who may do more; ERROR_NOT_FOUND for
   * nobody in reach.
   */
  async changeable(reach: Reach, caller: Caller, ref: string): Promise<User> {
    const reign = await this.#reign(reach, caller, 'identity:User.write');
    const user = await this.#subject(reach, reign, ref, await this.#find(reach, caller, ref), true);
    if (!isOwn(caller, user)) await this.#assertNoMore(reach, reign, user);
    return user;
  }

  /**
   * The user whom the caller means and may see: themself, or whom they administer.
   * @param permission what an administrator needs for it.
   * @throws IdentityError as `changeable` does; whoever is no administrator learns nothing of others.
   */
  async visible(
    reach: Reach,
    caller: Caller,
    ref: string,
    permission: AdministratorPermission = 'identity:User.read',
  ): Promise<User> {
    const user = await this.#find(reach, caller, ref);
    if (user && isOwn(caller, user)) return user;
    const reign = await this.#reign(reach, caller, permission);
    return this.#subject(reach, reign, ref, user, false);
  }

  /**
   * The caller's own account, which `ref` has to mean.
   * @throws IdentityError ERROR_PERMISSION_DENIED for any other.
   */
  async own(reach: Reach, caller: Caller, ref: string): Promise<User> {
    const user = await this.#find(reach, caller, ref);
    if (!user || !isOwn(caller, user)) throw new IdentityError('ERROR_PERMISSION_DENIED');
    return user;
  }

  /**
   * The user, if they are in what is administered. Nobody is in a domain that is deleted.
   * @param now by the database alone, and not by what is remembered.
   */
  async #subject(
    reach: Reach,
    reign: Reign | undefined,
    ref: string,
    user: User | undefined,
    now: boolean,
  ): Promise<User> {
    if (!reign) throw new IdentityError('ERROR_PERMISSION_DENIED');
    const isThere =
      user &&
      (reign.domain_id === '*'
        ? await this.states[now ? 'domainNow' : 'domain'](reach, user.domain_id)
        : user.domain_id === reign.domain_id);
    if (!isThere) throw notFound({ user_id: ref });
    return user;
  }

  /**
   * Whoever changes an account, its password above all, may become its owner: so nobody changes one who may do more,
   * in the domain or in any workspace.
   * @throws IdentityError ERROR_PERMISSION_DENIED.
   */
  async #assertNoMore(reach: Reach, reign: Reign | undefined, user: User): Promise<void> {
    const { permissions = [] } = reign ?? {};
    if (permissions.length === 0) return;
    for (const role_id of rolesOf(user)) {
      // A role that is disabled may be enabled again; one that is not there may be anything.
      const role = role_id ? await this.roles.find(reach, user.domain_id, role_id) : undefined;
      if (!role || !includesAll(permissions, role.permissions))
        throw new IdentityError('ERROR_PERMISSION_DENIED');
    }
  }

  /** The user with that opaque id, else the one with that user_id in the caller's domain. */
  async #find(reach: Reach, { account, domain_id }: Caller, ref: string): Promise<User | undefined> {
    const isOpaque = OPAQUE_ID.test(ref);
    // As it was when the session was looked at: what has changed meanwhile has to be noticed.
    if (account && ref === (isOpaque ? account.id : account.user_id)) return account;
    const known = isOpaque ? await this.users.findById(reach, ref) : undefined;
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

/** Whether that is the caller's own account, and not that of somebody who has the user_id by now. */
export function isOwn({ account_id }: Caller, user: User): boolean {
  return user.id === account_id;
}
