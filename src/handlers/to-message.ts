import type { UserInfo } from '../gen/spaceone/api/identity/v2/user.js';
import { DomainInfo } from '../gen/spaceone/api/identity/v2/domain.js';
import { RoleBindingInfo } from '../gen/spaceone/api/identity/v2/role_binding.js';
import { MyWorkspaceGroupInfo, MyWorkspaceInfo } from '../gen/spaceone/api/identity/v2/user_profile.js';
import { WorkspaceUserInfo } from '../gen/spaceone/api/identity/v2/workspace_user.js';
import type { MyWorkspace, MyWorkspaceGroup } from '../managers/my-workspaces.js';
import type { WorkspaceUser } from '../managers/workspace-users.js';
import type { Domain } from '../models/domain.js';
import type { Membership, User } from '../models/user.js';

/** The account as its owner sees it; secrets are no part of `User`, so none can get here. */
export function toUserInfo(user: User): UserInfo {
  return {
    user_id: user.user_id,
    name: user.name,
    state: user.state,
    email: user.email,
    email_verified: user.email_verified,
    auth_type: user.auth_type,
    role_id: user.role_id ?? '',
    role_type: user.role_type,
    mfa: user.mfa && { state: user.mfa.state, mfa_type: user.mfa.mfa_type ?? '', options: user.mfa.options },
    language: user.language,
    timezone: user.timezone,
    required_actions: user.required_actions,
    refresh_timeout: user.refresh_timeout ?? 0,
    tags: user.tags,
    domain_id: user.domain_id,
    created_at: time(user.created_at),
    last_accessed_at: time(user.last_accessed_at),
  };
}

/** A user of a workspace with the role there; fields that were not selected stay out (D-25). */
export function toWorkspaceUserInfo({ domain_id, user, membership }: WorkspaceUser): WorkspaceUserInfo {
  return WorkspaceUserInfo.fromPartial({
    user_id: user.user_id,
    name: user.name,
    state: user.state,
    email: user.email,
    email_verified: user.email_verified,
    auth_type: user.auth_type,
    role_type: user.role_type,
    language: user.language,
    timezone: user.timezone,
    tags: user.tags,
    domain_id: user.domain_id,
    created_at: time(user.created_at),
    last_accessed_at: time(user.last_accessed_at),
    role_binding_info: toRoleBindingInfo(domain_id, user.user_id, membership),
  });
}

/** A workspace and the caller's role in it. */
export function toMyWorkspaceInfo({ workspace, role }: MyWorkspace): MyWorkspaceInfo {
  return MyWorkspaceInfo.fromPartial({
    workspace_id: workspace.workspace_id,
    name: workspace.name,
    state: workspace.state === 'ENABLED' ? 'ENABLED' : 'DISABLED',
    role_id: role?.role_id,
    role_name: role?.name,
    role_type: role?.role_type,
    tags: workspace.tags,
    created_by: workspace.created_by,
    reference_id: workspace.reference_id,
    is_managed: workspace.is_managed,
    is_dormant: workspace.is_dormant,
    domain_id: workspace.domain_id,
    created_at: time(workspace.created_at),
    last_synced_at: time(workspace.last_synced_at),
    dormant_updated_at: time(workspace.dormant_updated_at),
  });
}

/** A workspace group, its users, and the caller's role that comes from it. */
export function toMyWorkspaceGroupInfo(
  { group, users, membership }: MyWorkspaceGroup,
  user_id: string,
): MyWorkspaceGroupInfo {
  return MyWorkspaceGroupInfo.fromPartial({
    workspace_group_id: group.workspace_group_id,
    name: group.name,
    users: group.users.map((member) => {
      const user = users.get(member.user_id);
      return { ...member, user_name: user?.name ?? '', state: user?.state ?? '' };
    }),
    tags: group.tags,
    role_binding_info: membership && toRoleBindingInfo(group.domain_id, user_id, membership),
    created_by: group.created_by,
    updated_by: group.updated_by,
    domain_id: group.domain_id,
    created_at: time(group.created_at),
    updated_at: time(group.updated_at),
  });
}

/** A domain; fields that were not selected stay out (D-25). */
export function toDomainInfo(domain: Partial<Domain>): DomainInfo {
  return DomainInfo.fromPartial({
    domain_id: domain.domain_id,
    name: domain.name,
    state: domain.state === 'DELETED' ? 'DISABLED' : domain.state,
    tags: domain.tags,
    created_at: time(domain.created_at),
    deleted_at: time(domain.deleted_at),
  });
}

function toRoleBindingInfo(domain_id: string, user_id: string, membership: Membership): RoleBindingInfo {
  return RoleBindingInfo.fromPartial({
    role_binding_id: membership.role_binding_id,
    role_type: membership.role_type,
    resource_group: 'WORKSPACE',
    domain_id,
    workspace_group_id: membership.workspace_group_id,
    workspace_id: membership.workspace_id,
    role_id: membership.role_id,
    user_id,
    created_at: time(membership.created_at),
  });
}

/** `2026-11-22T12:10:04.393Z`; an unset time is an absent field (contract/behaviour.md 1, "Times"). */
function time(at: Date | undefined): string {
  return at?.toISOString() ?? '';
}
