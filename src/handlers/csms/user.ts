import type { GetUserResponse, UserServiceService } from '../../gen/csms/v1/user.js';
import type { Administration } from '../../managers/administration.js';
import type { PasswordPolicy } from '../../managers/password-policy.js';
import type { SignInGuard } from '../../managers/sign-in-guard.js';
import type { User } from '../../models/user.js';
import type { Methods } from '../../rpc/call.js';
import * as field from '../../rpc/fields.js';
import { method } from '../../rpc/method.js';
import { anyUser } from '../iam/access.js';
import { csmsTime } from '../iam/times.js';

/** An organization is the home of the user. */
const HOME = 1;

/** GET /v1/csms/users/{user_id}, the details of a user (docs/csms.md). */
export function csmsUserMethods(
  administration: Administration,
  guard: SignInGuard,
  policy: PasswordPolicy,
): Methods<typeof UserServiceService> {
  return {
    getUser: method(
      { access: anyUser.read, fields: { user_id: field.userRef } },
      async ({ user_id }, call) => {
        const user = await administration.visible(call.reach, call.caller, user_id);
        const locked = await guard.isBlocked(call.reach, { user });
        return toUser(user, locked, policy.mustChange(user));
      },
    ),
  };
}

function toUser(user: User, locked: boolean, mustChange: boolean): GetUserResponse {
  const org_id = user.org_id ?? '';
  return {
    user_id: user.id,
    org_id,
    domain_id: user.domain_id,
    user_name: user.username,
    name: user.name,
    mobile: user.phone ?? '',
    email: user.email,
    pwd_must_modify: mustChange,
    pwd_change_at: csmsTime(user.password_changed_at),
    created_at: csmsTime(user.created_at),
    updated_at: csmsTime(user.updated_at ?? user.created_at),
    disabled: user.state === 'DISABLED',
    grade: user.grade ?? 0,
    locked,
    extension: user.extension ?? {},
    user_org_relation_list: org_id ? [{ org_id, relation_type: HOME }] : [],
  };
}
