import type { Page, Query, StatisticsQuery } from '../gen/spaceone/api/core/v2/query.js';
import type { WorkspaceUserService } from '../gen/spaceone/api/identity/v2/workspace_user.js';
import { requiredParameter } from '../errors.js';
import type { WorkspaceScope, WorkspaceUsers } from '../managers/workspace-users.js';
import type { CallerCall, Methods } from '../rpc/call.js';
import * as field from '../rpc/fields.js';
import { method } from '../rpc/method.js';
import { toWorkspaceUserInfo } from './to-message.js';

const anyWorkspaceRole = ['DOMAIN_ADMIN', 'WORKSPACE_OWNER', 'WORKSPACE_MEMBER'] as const;
const read = {
  roleTypes: anyWorkspaceRole,
  permissions: ['identity:WorkspaceUser.read'],
  onlyReads: true,
} as const;
const authType = field.enumValue(['LOCAL', 'EXTERNAL']);
const state = field.enumValue(['ENABLED', 'DISABLED', 'PENDING']);

/** WorkspaceUser: workspaces managing their people (contract/behaviour.md 3). */
export function workspaceUserMethods(workspaceUsers: WorkspaceUsers): Methods<typeof WorkspaceUserService> {
  return {
    create: method(
      {
        access: { roleTypes: ['WORKSPACE_OWNER'], permissions: ['identity:WorkspaceUser.write'] },
        fields: {
          user_id: field.newUserId,
          password: field.password.optional(),
          name: field.name.optional(),
          email: field.email.optional(),
          auth_type: authType,
          language: field.language.optional(),
          timezone: field.timezone.optional(),
          tags: field.tags.optional(),
          reset_password: field.flag,
          role_id: field.id,
        },
      },
      async ({ role_id, ...account }, call) => {
        const created = await workspaceUsers.create(
          call.reach,
          workspaceOf(call),
          account,
          role_id,
          call.caller,
        );
        call.noted['created_user_id'] = account.user_id;
        return toWorkspaceUserInfo(created);
      },
    ),
    get: method(
      { access: read, fields: { user_id: field.userId, workspace_id: field.id.optional() } },
      async ({ user_id, workspace_id }, call) => {
        const workspace = call.caller.workspace_id ?? workspace_id;
        return toWorkspaceUserInfo(await workspaceUsers.get(call.reach, domainOf(call), workspace, user_id));
      },
    ),
    find: method(
      {
        // Either permission: finding people writes nothing, but existing roles name the other one (D-39).
        access: {
          roleTypes: anyWorkspaceRole,
          permissions: ['identity:WorkspaceUser.read', 'identity:WorkspaceUser.write'],
          onlyReads: true,
        },
        fields: {
          keyword: field.text(256).optional(),
          state: state.optional(),
          auth_type: authType.optional(),
          page: field.message<Page>().optional(),
          workspace_id: field.id.optional(),
        },
      },
      async ({ workspace_id, ...wanted }, call) => {
        const { users, total } = await workspaceUsers.find(
          call.reach,
          workspaceOf(call, workspace_id),
          wanted,
        );
        return { results: users, total_count: total };
      },
    ),
    list: method(
      {
        access: read,
        fields: {
          query: field.message<Query>().optional(),
          user_id: field.userId.optional(),
          name: field.name.optional(),
          state: state.optional(),
          email: field.text(254).optional(),
          auth_type: authType.optional(),
          role_type: field.enumValue(['WORKSPACE_OWNER', 'WORKSPACE_MEMBER']).optional(),
          workspace_id: field.id.optional(),
        },
      },
      async ({ workspace_id, query, ...parameters }, call) => {
        const scope = workspaceOf(call, workspace_id);
        const { users, total } = await workspaceUsers.list(call.reach, scope, query, parameters);
        return { results: users.map(toWorkspaceUserInfo), total_count: total };
      },
    ),
    stat: method(
      {
        access: read,
        fields: { query: field.message<StatisticsQuery>().optional(), workspace_id: field.id.optional() },
      },
      async ({ workspace_id, query }, call) =>
        workspaceUsers.stat(call.reach, workspaceOf(call, workspace_id), query),
    ),
  };
}

/**
 * The workspace of a call: that of the token, whatever the request says; a domain administrator and the system
 * name one (contract/behaviour.md 1.5).
 */
function workspaceOf(call: CallerCall, requested?: string): WorkspaceScope {
  const domain_id = domainOf(call);
  const workspace_id = call.caller.workspace_id ?? requested;
  if (!workspace_id) throw requiredParameter('workspace_id');
  return { domain_id, workspace_id };
}

/** The domain of a call; a system token without one in its metadata has none. */
function domainOf({ caller }: CallerCall): string {
  if (!caller.domain_id) throw requiredParameter('domain_id');
  return caller.domain_id;
}
