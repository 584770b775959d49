import type { Reach } from '../connectors/mongo.js';
import type { Role, Roles } from '../models/role.js';
import type { Membership, User, Users } from '../models/user.js';
import type { WorkspaceGroup, WorkspaceGroups } from '../models/workspace-group.js';
import type { Workspace, Workspaces } from '../models/workspace.js';
import { membershipIn, workspaceIdsOf } from './memberships.js';

/** A workspace with the caller's role in it, if there is one. */
export interface MyWorkspace {
  workspace: Workspace;
  role?: Pick<Role, 'role_id' | 'name'> & { role_type: Membership['role_type'] };
}

/** A group, what is shown of its users, and the caller's role that comes from it. */
export interface MyWorkspaceGroup {
  group: WorkspaceGroup;
  users: ReadonlyMap<string, Pick<User, 'name' | 'state'>>;
  membership?: Membership;
}

/** The workspaces and groups of a person (contract/behaviour.md 2.7). */
export class MyWorkspaces {
  constructor(
    private readonly users: Users,
    private readonly roles: Roles,
    private readonly workspaces: Workspaces,
    private readonly groups: WorkspaceGroups,
  ) {}

  /** Enabled workspaces by name: all for a domain administrator, else those the user has a role in. */
  async list(reach: Reach, user: User, workspace_group_id: string | undefined): Promise<MyWorkspace[]> {
    const { domain_id } = user;
    const memberships = user.memberships.filter(
      (one) =>
        !workspace_group_id ||
        user.role_type === 'DOMAIN_ADMIN' ||
        one.workspace_group_id === workspace_group_id,
    );
    const ids = workspaceIdsOf({ role_type: user.role_type, memberships });
    if (ids !== 'all' && ids.length === 0) return [];
    const group = user.role_type === 'DOMAIN_ADMIN' ? workspace_group_id : undefined;
    const [workspaces, names] = await Promise.all([
      this.workspaces.listEnabled(reach, domain_id, ids, group),
      this.roles.names(reach, domain_id, [...new Set(memberships.map((one) => one.role_id))]),
    ]);
    return workspaces.map((workspace) => {
      const membership = membershipIn({ memberships }, workspace.workspace_id);
      if (!membership) return { workspace };
      const { role_id, role_type } = membership;
      return { workspace, role: { role_id, role_type, name: names.get(role_id) ?? '' } };
    });
  }

  /** Groups by name: all for a domain administrator, else those that list the user. */
  async listGroups(reach: Reach, user: User): Promise<MyWorkspaceGroup[]> {
    const { domain_id } = user;
    const groups = await this.groups.list(
      reach,
      domain_id,
      user.role_type === 'DOMAIN_ADMIN' ? undefined : user.user_id,
    );
    const ids = [...new Set(groups.flatMap((group) => group.users.map((one) => one.user_id)))];
    const users =
      ids.length > 0 ? await this.users.findNames(reach, domain_id, ids) : new Map<string, never>();
    return groups.map((group) => ({
      group,
      users,
      membership: user.memberships.find((one) => one.workspace_group_id === group.workspace_group_id),
    }));
  }
}
