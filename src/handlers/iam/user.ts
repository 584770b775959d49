import { z } from 'zod';
import type { UserServiceService } from '../../gen/iam/v3/user.js';
import { requiredParameter } from '../../errors.js';
import type { Administration } from '../../managers/administration.js';
import type { PasswordPolicy } from '../../managers/password-policy.js';
import type { UserDirectory } from '../../managers/user-directory.js';
import type { UserProfiles } from '../../managers/user-profile.js';
import type { UserRemoval } from '../../managers/user-removal.js';
import type { ListedUser } from '../../models/user-pages.js';
import type { Methods } from '../../rpc/call.js';
import * as field from '../../rpc/fields.js';
import { method } from '../../rpc/method.js';
import { anyUser } from './access.js';
import type { Addresses } from './addresses.js';
import { pageFields, pageLinks } from './pages.js';
import { toUser } from './to-message.js';
import { body, given, identityFields, username } from './user-fields.js';
import { userFilters } from './user-filters.js';
import type { UserWork } from './user-work.js';

const NO_CONTENT = 204;

const newUser = z.preprocess(
  given,
  z.object({
    ...identityFields,
    name: username,
    domain_id: field.id.optional(),
    email: field.email.optional(),
  }),
);

const userChange = z.object({
  ...identityFields,
  name: username.optional(),
  domain_id: field.text(64).optional(),
});

const passwordChange = z.preprocess(
  given,
  z.object({ password: field.password, original_password: field.password }),
);

/** Users of OpenStack Identity: /v3/users (docs/iam-users.md). */
export function userMethods(
  administration: Administration,
  work: UserWork,
  directory: UserDirectory,
  removal: UserRemoval,
  profiles: UserProfiles,
  policy: PasswordPolicy,
  addresses: Addresses,
): Methods<typeof UserServiceService> {
  const shown = (user: ListedUser) => toUser(user, policy, addresses);
  return {
    createUser: method({ access: anyUser.write, fields: { user: newUser } }, async ({ user }, call) => {
      const { domain_id: named, ...wanted } = user;
      const { reach, caller } = call;
      const domain_id = await administration.namedDomain(reach, caller, named, 'identity:User.write');
      if (!domain_id) throw requiredParameter('user.domain_id');
      return { user: shown(await work.create(call, domain_id, wanted)) };
    }),
    getUser: method(
      { access: anyUser.read, fields: { user_id: field.userRef } },
      async ({ user_id }, { reach, caller }) => ({
        user: shown(await administration.visible(reach, caller, user_id)),
      }),
    ),
    listUsers: method(
      { access: anyUser.read, fields: { ...userFilters, ...pageFields } },
      async (asked, { reach, caller }) => {
        const { domain_id: named, name, enabled, password_expires_at: expiry } = asked;
        const domain_id = await administration.namedDomain(reach, caller, named, 'identity:User.read');
        const scope = { domain_id, username: name, enabled, expiry: expiry?.bound };
        const page = await directory.list(reach, scope, asked);
        const self = { ...asked, password_expires_at: expiry?.text };
        return { users: page.rows.map(shown), ...pageLinks(addresses, 'users', self, page.next) };
      },
    ),
    updateUser: method(
      { access: anyUser.write, fields: { user_id: field.userRef, body: body(userChange) } },
      async ({ user_id, body: { user } }, call) => ({ user: shown(await work.change(call, user_id, user)) }),
    ),
    deleteUser: method(
      { access: anyUser.write, fields: { user_id: field.userRef } },
      async ({ user_id }, call) => {
        const { reach, caller } = call;
        const user = await administration.changeable(reach, caller, user_id);
        await removal.remove(reach, caller, user);
        call.noted['deleted_user_id'] = user.id;
        call.answer.status = NO_CONTENT;
        return {};
      },
    ),
    changePassword: method(
      { access: anyUser.write, fields: { user_id: field.userRef, body: body(passwordChange) } },
      async ({ user_id, body: { user } }, { reach, caller, peer, answer }) => {
        const owner = { ...caller, account: await administration.own(reach, caller, user_id), peer };
        await profiles.changePassword(reach, owner, user.password, user.original_password);
        answer.status = NO_CONTENT;
        return {};
      },
    ),
  };
}
