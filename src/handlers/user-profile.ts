import type { UserProfileService } from '../gen/spaceone/api/identity/v2/user_profile.js';
import { invalidParameter, requiredParameter } from '../errors.js';
import type { Mfa } from '../managers/mfa.js';
import type { MyWorkspaces } from '../managers/my-workspaces.js';
import type { PasswordReset } from '../managers/password-reset.js';
import type { Caller } from '../managers/sessions.js';
import type { Owner } from '../managers/own-passwords.js';
import type { UserProfiles } from '../managers/user-profile.js';
import type { CallerCall, Methods } from '../rpc/call.js';
import * as field from '../rpc/fields.js';
import { anonymousMethod, method } from '../rpc/method.js';
import { toMyWorkspaceGroupInfo, toMyWorkspaceInfo, toUserInfo } from './to-message.js';

const write = { self: true, permissions: ['identity:UserProfile.write'] } as const;
const read = { self: true, permissions: ['identity:UserProfile.read'], onlyReads: true } as const;

/** Optional ids that may only repeat who calls (upstream-defects.md 5, row 8). */
const ownIds = { user_id: field.userId.optional(), domain_id: field.id.optional() };

/** UserProfile: people managing their own account (contract/behaviour.md 2). */
export function userProfileMethods(
  profiles: UserProfiles,
  mfa: Mfa,
  reset: PasswordReset,
  mine: MyWorkspaces,
): Methods<typeof UserProfileService> {
  return {
    update: method(
      {
        access: write,
        fields: {
          name: field.name.optional(),
          email: field.email.optional(),
          language: field.language.optional(),
          timezone: field.timezone.optional(),
          tags: field.tags.optional(),
          password: field.password.optional(),
        },
      },
      async (request, call) => toUserInfo(await profiles.update(call.reach, owner(call), request)),
    ),
    updatePassword: method(
      {
        access: write,
        fields: { new_password: field.password, current_password: field.password.optional() },
      },
      async ({ new_password, current_password }, call) => {
        const by = { ...owner(call), peer: call.peer };
        return toUserInfo(await profiles.updatePassword(call.reach, by, new_password, current_password));
      },
    ),
    verifyEmail: method(
      { access: write, fields: { email: field.email.optional() } },
      async ({ email }, call) => {
        await profiles.verifyEmail(call.reach, owner(call).account, email);
        return {};
      },
    ),
    confirmEmail: method(
      { access: write, fields: { verify_code: field.verifyCode } },
      async ({ verify_code }, call) =>
        toUserInfo(await profiles.confirmEmail(call.reach, { ...owner(call), peer: call.peer }, verify_code)),
    ),
    resetPassword: anonymousMethod({ user_id: field.userId, domain_id: field.id }, async (key, call) => {
      await reset.request(call.reach, key, call.peer);
      return {};
    }),
    enableMfa: method(
      { access: write, fields: { mfa_type: field.text(32), options: field.struct.optional(), ...ownIds } },
      async (request, call) => {
        assertOwn(request, call.caller);
        return toUserInfo(await mfa.enable(call.reach, owner(call).account, request));
      },
    ),
    disableMfa: method({ access: write, fields: { ...ownIds, force: field.flag } }, async (request, call) => {
      assertOwn(request, call.caller);
      return toUserInfo(await mfa.disable(call.reach, owner(call).account));
    }),
    confirmMfa: method(
      { access: write, fields: { verify_code: field.verifyCode, ...ownIds } },
      async (request, call) => {
        assertOwn(request, call.caller);
        const { account, session } = owner(call);
        const by = { session, peer: call.peer };
        return toUserInfo(await mfa.confirm(call.reach, account, request.verify_code, by));
      },
    ),
    get: method({ access: read, fields: { workspace_group_id: field.id.optional() } }, (_request, call) =>
      toUserInfo(owner(call).account),
    ),
    getWorkspaces: method(
      { access: read, fields: { workspace_group_id: field.id.optional() } },
      async ({ workspace_group_id }, call) => {
        const results = await mine.list(call.reach, owner(call).account, workspace_group_id);
        return { results: results.map(toMyWorkspaceInfo), total_count: results.length };
      },
    ),
    getWorkspaceGroups: method({ access: read, fields: {} }, async (_request, call) => {
      const { account } = owner(call);
      const results = await mine.listGroups(call.reach, account);
      return {
        results: results.map((group) => toMyWorkspaceGroupInfo(group, account.user_id)),
        total_count: results.length,
      };
    }),
  };
}

/** The caller with their account, which the pipeline reads for every method of this service. */
function owner({ caller }: CallerCall): Owner {
  if (!caller.account) throw requiredParameter('user_id');
  return { ...caller, account: caller.account };
}

function assertOwn(given: { user_id?: string; domain_id?: string }, caller: Caller): void {
  for (const key of ['user_id', 'domain_id'] as const) {
    if (given[key] && given[key] !== caller[key]) throw invalidParameter(key, 'is not that of the caller');
  }
}
