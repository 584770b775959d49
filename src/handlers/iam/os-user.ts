import { z } from 'zod';
import type { OsUserServiceService, UserDetail } from '../../gen/iam/v3/os_user.js';
import type { Administration } from '../../managers/administration.js';
import type { PasswordPolicy } from '../../managers/password-policy.js';
import type { User } from '../../models/user.js';
import type { Methods } from '../../rpc/call.js';
import * as field from '../../rpc/fields.js';
import { method } from '../../rpc/method.js';
import { anyUser } from './access.js';
import type { Addresses } from './addresses.js';
import { osUserTime, userTime } from './times.js';
import { body, detailFields, given, username } from './user-fields.js';
import type { UserWork } from './user-work.js';

const newUser = z.preprocess(given, z.object({ ...detailFields, name: username, domain_id: field.id }));
const userChange = z.object({ ...detailFields, name: username.optional() });

/** Users with every detail: /v3.0/OS-USER/users (docs/iam-os-user.md). */
export function osUserMethods(
  administration: Administration,
  work: UserWork,
  policy: PasswordPolicy,
  addresses: Addresses,
): Methods<typeof OsUserServiceService> {
  const shown = (user: User) => ({ user: toUserDetail(user, policy, addresses) });
  return {
    showUser: method(
      { access: anyUser.read, fields: { user_id: field.userRef } },
      async ({ user_id }, { reach, caller }) => shown(await administration.visible(reach, caller, user_id)),
    ),
    createUser: method({ access: anyUser.write, fields: { user: newUser } }, async ({ user }, call) => {
      const { domain_id, ...wanted } = user;
      await administration.namedDomain(call.reach, call.caller, domain_id, 'identity:User.write');
      return shown(await work.create(call, domain_id, wanted));
    }),
    updateUser: method(
      { access: anyUser.write, fields: { user_id: field.userRef, body: body(userChange) } },
      async ({ user_id, body: { user } }, call) => shown(await work.change(call, user_id, user)),
    ),
  };
}

function toUserDetail(user: User, policy: PasswordPolicy, { publicUrl, expiryWithZ }: Addresses): UserDetail {
  return {
    id: user.id,
    name: user.username,
    domain_id: user.domain_id,
    enabled: user.state !== 'DISABLED',
    description: user.description ?? '',
    email: user.email,
    areacode: user.areacode ?? '',
    phone: telephone(user),
    xuser_id: user.xuser_id ?? '',
    xuser_type: user.xuser_type ?? '',
    pwd_status: policy.mustChange(user),
    pwd_strength: user.password_strength ?? 'None',
    is_domain_owner: user.role_type === 'DOMAIN_ADMIN',
    create_time: osUserTime(user.created_at),
    update_time: osUserTime(user.updated_at),
    last_login_time: osUserTime(user.last_accessed_at),
    password_expires_at: userTime(policy.expiry(user), expiryWithZ),
    links: { self: `${publicUrl}/v3.0/OS-USER/users/${user.id}`, previous: null, next: null },
  };
}

/** The number as this system writes it: behind the country code, and `-` without any. */
function telephone({ areacode, phone }: User): string {
  if (!phone) return '-';
  return areacode ? `${areacode}-${phone}` : phone;
}
