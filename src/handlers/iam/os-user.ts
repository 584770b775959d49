import { z } from 'zod';
import type { OsUserServiceService, UserDetail } from '../../gen/iam/v3/os_user.js';
import type { Administration } from '../../managers/administration.js';
import type { ManagedUsers } from '../../managers/managed-users.js';
import type { PasswordPolicy } from '../../managers/password-policy.js';
import type { UserCreation } from '../../managers/user-creation.js';
import type { User } from '../../models/user.js';
import type { Methods } from '../../rpc/call.js';
import * as field from '../../rpc/fields.js';
import { method } from '../../rpc/method.js';
import { anyUser } from './access.js';
import type { Addresses } from './addresses.js';
import { osUserTime, userTime } from './times.js';
import { body, detailFields, given } from './user-fields.js';

const CREATED = 201;
const name = field.text(128);
const newUser = z.preprocess(given, z.object({ ...detailFields, name, domain_id: field.id }));
const userChange = z.object({ ...detailFields, name: name.optional() });

/** Users with every detail: /v3.0/OS-USER/users (docs/iam-os-user.md). */
export function osUserMethods(
  administration: Administration,
  creation: UserCreation,
  managed: ManagedUsers,
  policy: PasswordPolicy,
  addresses: Addresses,
): Methods<typeof OsUserServiceService> {
  const shown = (user: User) => toUserDetail(user, policy, addresses);
  return {
    showUser: method(
      { access: anyUser.read, fields: { user_id: field.userRef } },
      async ({ user_id }, call) => {
        const user = await administration.visible(call.reach, call.caller, user_id);
        return { user: shown(user) };
      },
    ),
    createUser: method({ access: anyUser.write, fields: { user: newUser } }, async ({ user }, call) => {
      const { domain_id, ...wanted } = user;
      const { reach, caller } = call;
      await administration.namedDomain(reach, caller, domain_id, 'identity:User.write');
      const created = await creation.create(reach, domain_id, wanted);
      call.noted['created_user_id'] = created.id;
      call.answer.status = CREATED;
      return { user: shown(created) };
    }),
    updateUser: method(
      { access: anyUser.write, fields: { user_id: field.userRef, body: body(userChange) } },
      async ({ user_id, body: { user: change } }, call) => {
        const { reach, caller } = call;
        const user = await administration.administered(reach, caller, user_id, 'identity:User.write');
        const changed = await managed.update(reach, caller, user, change);
        call.noted['changed_user_id'] = user.id;
        return { user: shown(changed) };
      },
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
