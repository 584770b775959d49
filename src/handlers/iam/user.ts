import { z } from 'zod';
import type { UserServiceService } from '../../gen/iam/v3/user.js';
import { requiredParameter } from '../../errors.js';
import type { Administration } from '../../managers/administration.js';
import type { ManagedUsers } from '../../managers/managed-users.js';
import type { PasswordPolicy } from '../../managers/password-policy.js';
import type { UserCreation } from '../../managers/user-creation.js';
import type { UserProfiles } from '../../managers/user-profile.js';
import type { UserRemoval } from '../../managers/user-removal.js';
import type { User } from '../../models/user.js';
import type { Methods } from '../../rpc/call.js';
import * as field from '../../rpc/fields.js';
import { method } from '../../rpc/method.js';
import { anyUser } from './access.js';
import type { Addresses } from './addresses.js';
import { pageFields, pageLinks } from './pages.js';
import { toUser } from './to-message.js';
import { body, given, userFields } from './user-fields.js';

const CREATED = 201;
const NO_CONTENT = 204;

const name = field.text(128);
const projectId = field.text(64).nullable().optional();

const newUser = z.preprocess(
  given,
  z.object({
    ...userFields,
    name,
    domain_id: field.id.optional(),
    email: field.email.optional(),
    default_project_id: projectId,
  }),
);

const userChange = z.object({
  ...userFields,
  name: name.optional(),
  domain_id: field.text(64).optional(),
  default_project_id: projectId,
});

const passwordChange = z.preprocess(
  given,
  z.object({ password: field.password, original_password: field.password }),
);

/** Users of OpenStack Identity: /v3/users (docs/iam-users.md). */
export function userMethods(
  administration: Administration,
  creation: UserCreation,
  managed: ManagedUsers,
  removal: UserRemoval,
  profiles: UserProfiles,
  policy: PasswordPolicy,
  addresses: Addresses,
): Methods<typeof UserServiceService> {
  const shown = (user: User) => toUser(user, policy, addresses);
  return {
    createUser: method({ access: anyUser.write, fields: { user: newUser } }, async ({ user }, call) => {
      const { domain_id: named, ...wanted } = user;
      const { reach, caller } = call;
      const domain_id = await administration.namedDomain(reach, caller, named, 'identity:User.write');
      if (!domain_id) throw requiredParameter('user.domain_id');
      const created = await creation.create(reach, domain_id, wanted);
      call.noted['created_user_id'] = created.id;
      call.answer.status = CREATED;
      return { user: shown(created) };
    }),
    getUser: method(
      { access: anyUser.read, fields: { user_id: field.userRef } },
      async ({ user_id }, { reach, caller }) => ({
        user: shown(await administration.visible(reach, caller, user_id)),
      }),
    ),
    listUsers: method(
      {
        access: anyUser.read,
        fields: {
          domain_id: field.id.optional(),
          name: field.text(128).optional(),
          enabled: field.anyBoolean.optional(),
          ...pageFields,
        },
      },
      async (asked, { reach, caller }) => {
        const { domain_id: named, name: username, enabled, limit, marker } = asked;
        const domain_id = await administration.namedDomain(reach, caller, named, 'identity:User.read');
        const page = await managed.list(reach, { domain_id, username, enabled }, marker, limit);
        return { users: page.users.map(shown), ...pageLinks(addresses, 'users', asked, page.next) };
      },
    ),
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
    deleteUser: method(
      { access: anyUser.write, fields: { user_id: field.userRef } },
      async ({ user_id }, call) => {
        const { reach, caller } = call;
        const user = await administration.administered(reach, caller, user_id, 'identity:User.write');
        await removal.remove(reach, caller, user);
        call.noted['deleted_user_id'] = user.id;
        call.answer.status = NO_CONTENT;
        return {};
      },
    ),
    changePassword: method(
      { access: anyUser.write, fields: { user_id: field.userRef, body: body(passwordChange) } },
      async ({ user_id, body: { user } }, { reach, caller, peer, answer }) => {
        const account = await administration.own(reach, caller, user_id);
        await profiles.changePassword(
          reach,
          { ...caller, account, peer },
          user.password,
          user.original_password,
        );
        answer.status = NO_CONTENT;
        return {};
      },
    ),
  };
}
