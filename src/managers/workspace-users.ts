import type { Clock } from '../clock.js';
import type { Mongo, Reach, Tx } from '../connectors/mongo.js';
import { isEmailAddress } from '../email-address.js';
import { IdentityError, invalidParameter, notFound, requiredParameter } from '../errors.js';
import type { Page, Query, StatisticsQuery } from '../gen/spaceone/api/core/v2/query.js';
import { newId } from '../ids.js';
import { compileList, compilePage } from '../models/query/list.js';
import { compileStatistics } from '../models/query/statistics.js';
import { workspaceUserResource } from '../models/query/workspace-user-resource.js';
import type { Role, Roles } from '../models/role.js';
import type { Membership, User, Users, WorkspaceRoleType } from '../models/user.js';
import { heldIn } from '../models/members.js';
import type { MemberScope, Members, UserSummary } from '../models/members.js';
import type { Workspaces } from '../models/workspace.js';
import { includesAll } from '../permissions.js';
import type { Accounts, NewAccount } from './accounts.js';
import { roleGranted, userCreated } from './audit.js';
import type { Audit } from './audit.js';
import type { DomainStates } from './domain-states.js';
import { membershipIn } from './memberships.js';
import type { Caller } from './sessions.js';
import type { UserRoles } from './user-roles.js';

/** A user and the role that counts in the workspace that was asked for. */
export interface WorkspaceUser {
  domain_id: string;
  user: Partial<User> & Pick<User, 'user_id'>;
  membership: Membership;
}

/** The workspace that a call is about. */
export interface WorkspaceScope {
  domain_id: string;
  workspace_id: string;
}

/** Parameters of WorkspaceUser.list beside the query: each narrows by equality. */
export interface MemberParameters {
  user_id?: string;
  name?: string;
  state?: string;
  email?: string;
  auth_type?: string;
  role_type?: WorkspaceRoleType;
}

/** Parameters of WorkspaceUser.find. */
export interface FindParameters {
  keyword?: string;
  state?: string;
  auth_type?: string;
  page?: Page;
}

const WORKSPACE_ROLES: readonly WorkspaceRoleType[] = ['WORKSPACE_OWNER', 'WORKSPACE_MEMBER'];

/** The people of a workspace (contract/behaviour.md 3). */
export class WorkspaceUsers {
  constructor(
    private readonly mongo: Mongo,
    private readonly users: Users,
    private readonly members: Members,
    private readonly roles: Roles,
    private readonly userRoles: UserRoles,
    private readonly workspaces: Workspaces,
    private readonly accounts: Accounts,
    private readonly states: DomainStates,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly settings: { maxRows: number; findWithoutKeyword: boolean },
  ) {}

  /**
   * Creates a user of the domain with a role in the workspace; all of it is written, or nothing (D-22).
   * @param by who gives the role; nobody gives more than they have, as they may choose the password with it.
   * @throws IdentityError in the order of contract/behaviour.md 3.1, then ERROR_PERMISSION_DENIED for too wide a role.
   */
  async create(
    reach: Reach,
    scope: WorkspaceScope,
    account: NewAccount,
    role_id: string,
    by: Pick<Caller, 'permissions'>,
  ): Promise<WorkspaceUser> {
    const { domain_id, workspace_id } = scope;
    await this.accounts.check(reach, domain_id, account);
    const [role, domain] = await Promise.all([
      this.#workspaceRole(reach, domain_id, role_id),
      this.states.domain(reach, domain_id),
    ]);
    if (!domain) throw notFound({ domain_id });
    if (!includesAll(by.permissions, role.permissions)) throw new IdentityError('ERROR_PERMISSION_DENIED');
    // An invitation to an identity provider needs one, and none is connected in this version.
    if (account.auth_type === 'EXTERNAL' && isEmailAddress(account.user_id)) throw notFound({ domain_id });
    const membership: Membership = {
      role_binding_id: newId('rb'),
      role_id,
      role_type: role.role_type as WorkspaceRoleType,
      workspace_id,
      created_at: this.clock.now(),
    };
    const prepared = await this.accounts.prepare(reach, domain_id, account, {
      role_type: 'USER',
      memberships: [membership],
    });
    const write = async (tx: Tx) => {
      const made = await this.accounts.insert(tx, domain, prepared);
      const created = { ...userCreated(made), workspace_id };
      await this.audit.record(tx, created, roleGranted(made, membership));
      await this.userRoles.give(tx, made, membership);
      return made;
    };
    const user = await this.userRoles.inTurn(prepared.user, () => this.mongo.transaction(reach, write));
    return { domain_id, user, membership };
  }

  /**
   * One user of the workspace; of any workspace of the domain when none is given.
   * @throws IdentityError ERROR_NOT_FOUND(user_id).
   */
  async get(
    reach: Reach,
    domain_id: string,
    workspace_id: string | undefined,
    user_id: string,
  ): Promise<WorkspaceUser> {
    const user = await this.users.find(reach, { domain_id, user_id });
    const membership = user && membershipIn(user, workspace_id);
    if (!membership) throw notFound({ user_id });
    return { domain_id, user, membership };
  }

  /**
   * Users of the domain without a role in the workspace, by user id: whom one might invite.
   * @throws IdentityError ERROR_REQUIRED_PARAMETER(keyword) unless configured otherwise (D-39).
   */
  async find(
    reach: Reach,
    scope: WorkspaceScope,
    { keyword, page, ...equal }: FindParameters,
  ): Promise<{ users: UserSummary[]; total: number }> {
    if (!keyword && !this.settings.findWithoutKeyword) throw requiredParameter('keyword');
    await this.#assertExists(reach, scope);
    return this.members.findCandidates(
      reach,
      scope,
      { keyword, ...equal },
      compilePage(page, this.settings.maxRows, 'page'),
    );
  }

  /**
   * A page of the users of the workspace, in the order and of the kind that the query asks for.
   * @throws IdentityError for a query that cannot be carried out (contract/query.md).
   */
  async list(
    reach: Reach,
    scope: WorkspaceScope,
    query: Query | undefined,
    { role_type, ...equal }: MemberParameters,
  ): Promise<{ users: WorkspaceUser[]; total: number }> {
    const plan = compileList(query, workspaceUserResource, this.#context());
    const member = await this.#memberScope(reach, scope, role_type);
    const page = await this.members.list(reach, member, { ...equal }, plan, this.#knownTotal(reach, member));
    const users = page.rows.flatMap(({ memberships, ...user }) => {
      const membership = membershipIn({ memberships: heldIn(memberships, role_type) }, scope.workspace_id);
      return membership ? [{ domain_id: scope.domain_id, user, membership }] : [];
    });
    return { users, total: page.total };
  }

  /**
   * Statistics over the users of the workspace.
   * @throws IdentityError for a query that cannot be carried out (contract/query.md 3).
   */
  async stat(
    reach: Reach,
    scope: WorkspaceScope,
    query: StatisticsQuery | undefined,
  ): Promise<{ results: unknown[]; total_count?: number }> {
    const plan = compileStatistics(query, workspaceUserResource, this.#context());
    return this.members.stat(reach, await this.#memberScope(reach, scope, undefined), plan);
  }

  async #workspaceRole(reach: Reach, domain_id: string, role_id: string): Promise<Role> {
    const role = await this.roles.find(reach, domain_id, role_id);
    if (!role) throw notFound({ role_id, domain_id });
    if (role.role_type === 'DOMAIN_ADMIN') {
      throw new IdentityError('ERROR_NOT_ALLOWED_ROLE_TYPE', {
        request_role_id: role_id,
        request_role_type: role.role_type,
        supported_role_type: WORKSPACE_ROLES,
      });
    }
    if (role.state !== 'ENABLED') throw invalidParameter('role_id', 'the role is disabled');
    return role;
  }

  async #memberScope(
    reach: Reach,
    scope: WorkspaceScope,
    role_type: WorkspaceRoleType | undefined,
  ): Promise<MemberScope> {
    const [domain] = await Promise.all([
      this.states.domain(reach, scope.domain_id),
      this.#assertExists(reach, scope),
    ]);
    return { ...scope, role_type, wildcard: (domain?.wildcard_members ?? 0) > 0 };
  }

  async #assertExists(reach: Reach, { domain_id, workspace_id }: WorkspaceScope): Promise<void> {
    if (!(await this.states.workspace(reach, domain_id, workspace_id)))
      throw notFound({ domain_id, workspace_id });
  }

  /** The workspace knows the number of its users; reading that beats counting them. */
  #knownTotal(reach: Reach, scope: MemberScope): (() => Promise<number>) | undefined {
    if (scope.role_type || scope.wildcard) return undefined;
    return async () =>
      (await this.workspaces.find(reach, scope.domain_id, scope.workspace_id))?.user_count ?? 0;
  }

  #context(): { now: Date; maxRows: number } {
    return { now: this.clock.now(), maxRows: this.settings.maxRows };
  }
}
