import type { Membership, User, WorkspaceRoleType } from '../models/user.js';

/** The workspace id of a role that holds in every workspace of the domain. */
export const EVERY_WORKSPACE = '*';

const RANK: Record<WorkspaceRoleType, number> = { WORKSPACE_OWNER: 0, WORKSPACE_MEMBER: 1 };

/**
 * The role that counts in a workspace when a user has several there: one for exactly this workspace before one for
 * all, owner before member, then the oldest (D-31, D-32). Without a workspace: the first of any.
 */
export function membershipIn(user: Pick<User, 'memberships'>, workspace_id?: string): Membership | undefined {
  return membershipsIn(user, workspace_id)[0];
}

/** The roles that somebody has in a workspace, or in any, the one that counts first. */
export function membershipsIn(user: Pick<User, 'memberships'>, workspace_id?: string): Membership[] {
  return user.memberships
    .filter(
      (one) => !workspace_id || one.workspace_id === workspace_id || one.workspace_id === EVERY_WORKSPACE,
    )
    .sort(byWeight);
}

/** The workspaces that somebody may enter: those with a role, or all, as a domain administrator may. */
export function workspaceIdsOf({
  role_type,
  memberships,
}: Pick<User, 'role_type' | 'memberships'>): string[] | 'all' {
  const everywhere = memberships.some((one) => one.workspace_id === EVERY_WORKSPACE);
  return role_type === 'DOMAIN_ADMIN' || everywhere ? 'all' : memberships.map((one) => one.workspace_id);
}

function byWeight(left: Membership, right: Membership): number {
  return (
    Number(left.workspace_id === EVERY_WORKSPACE) - Number(right.workspace_id === EVERY_WORKSPACE) ||
    RANK[left.role_type] - RANK[right.role_type] ||
    left.created_at.getTime() - right.created_at.getTime()
  );
}
