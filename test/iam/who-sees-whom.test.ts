import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aBinding, aRole, aTenant, aUser, opaqueId, signIn, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { mailedLink } from '../mailed.js';
import { ROOT_ADMIN, initialise } from '../system.js';
import type { Answer } from '../wire-client.js';

let service: Service;
let tenant: Tenant;
let admin: string;
/** Tokens of the system: its own, of the administrator's sign-in, and for the system. */
let system: string[];

beforeAll(async () => {
  service = await startService({ USER_CACHE_MS: '0' });
  tenant = await aTenant(service);
  ({ access_token: admin } = await signIn(service, tenant, tenant.admin));
  const { systemToken, systemAdmin } = await initialise(service);
  const root = { ...tenant, domain_id: 'domain-root' };
  system = [systemToken, systemAdmin, (await signIn(service, root, ROOT_ADMIN.user_id)).access_token];
});
afterAll(() => service.close());

const own = async (user_id: string) => (await signIn(service, tenant, user_id)).access_token;

/** What is seen of a user, in the words of OpenStack Identity. */
type Seen = Record<'id' | 'name' | 'domain_id', string>;

/** Every system that shows one user: how it does, and what it says of nobody over HTTP. */
const faces = [
  [
    'OpenStack Identity',
    {
      method: 'iam.v3.UserService.GetUser',
      itself: 'identity:UserService.GetUser',
      action: 'get_user',
      absent: '404',
      seen: ({ user }: Answer) => user as Seen,
    },
  ],
  [
    'OS-USER',
    {
      method: 'iam.v3.OsUserService.ShowUser',
      itself: 'identity:OsUserService.ShowUser',
      action: 'show_user',
      absent: '404',
      seen: ({ user }: Answer) => user as Seen,
    },
  ],
  [
    'CSMS',
    {
      method: 'csms.v1.UserService.GetUser',
      itself: 'identity:UserService.GetUser',
      action: 'get_user',
      // Its document knows no 404.
      absent: '400',
      seen: ({ user_id: id, user_name: name, domain_id }: Answer) => ({ id, name, domain_id }),
    },
  ],
] as const;

describe.each(faces)('who sees whom at %s', (_face, { method, action, absent, itself, seen }) => {
  const show = async (user_id: string, token: string | undefined = admin) =>
    seen(await service.call(method, { user_id }, token));

  it('an administrator of the domain everybody there, signed in or with a token for the domain', async () => {
    const someone = await aUser(service, tenant);
    for (const token of [admin, await tokenOf(service, tenant, tenant.admin, 'DOMAIN')]) {
      expect(await show(someone, token)).toHaveProperty('name', someone);
    }
  });

  it('nobody else than themself with a token that is for less', async () => {
    const someone = await aUser(service, tenant);
    const narrow = [
      await tokenOf(service, tenant, tenant.admin, 'USER'),
      await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.alpha),
      await tokenOf(service, tenant, someone, 'USER'),
    ];
    const owner = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    narrow.push(await tokenOf(service, tenant, owner, 'WORKSPACE', tenant.alpha), await own(owner));
    const other = await opaqueId(service, tenant, await aUser(service, tenant));
    for (const token of narrow) {
      for (const ref of [other, 'nobody@example.com', '0'.repeat(32)]) {
        expect(await refusal(show(ref, token))).toMatchObject({
          code: status.PERMISSION_DENIED,
          text: `You are not authorized to perform the requested action: identity:${action}.`,
        });
      }
    }
  });

  it.each(['USER', 'WORKSPACE'] as const)('everybody themself, with a token for %s too', async (scope) => {
    const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const id = await opaqueId(service, tenant, user_id);
    const token = await tokenOf(
      service,
      tenant,
      user_id,
      scope,
      scope === 'WORKSPACE' ? tenant.alpha : undefined,
    );
    for (const ref of [id, user_id]) expect((await show(ref, token)).id).toBe(id);
    expect((await show(id, await own(user_id))).id).toBe(id);
  });

  it('an administrator nobody of another domain', async () => {
    const other = await aTenant(service);
    const foreign = await opaqueId(service, other, await aUser(service, other));
    for (const ref of [foreign, '0'.repeat(32), 'nobody@example.com']) {
      const refused = await refusal(show(ref));
      expect(refused).toMatchObject({ code: status.NOT_FOUND, text: `Could not find user: ${ref}.` });
      expect(refused.metadata.get('edge-status')).toEqual([absent]);
    }
    // The same user_id in two domains: the one of the caller's own.
    expect((await show(other.admin)).domain_id).toBe(tenant.domain_id);
  });

  it('a system administrator and the system token everybody', async () => {
    const someone = await opaqueId(service, tenant, await aUser(service, tenant));
    for (const token of system) {
      expect((await show(someone, token)).id).toBe(someone);
      expect((await refusal(show('0'.repeat(32), token))).code).toBe(status.NOT_FOUND);
    }
  });

  it('nobody without a token, with one for renewing, or after the account was disabled', async () => {
    const user_id = await aUser(service, tenant);
    const { access_token, refresh_token } = await signIn(service, tenant, user_id);
    const { users } = service.app.rooms.models;
    const key = { domain_id: tenant.domain_id, user_id };
    await users.update({ deadline: Date.now() + 5000 }, key, { $set: { state: 'DISABLED' } });
    for (const token of ['', 'nonsense', refresh_token, access_token]) {
      expect(await refusal(show(user_id, token))).toMatchObject({
        code: status.UNAUTHENTICATED,
        text: 'The request you have made requires authentication.',
      });
    }
  });

  it('nobody with a mailed link, which is for a new password alone', async () => {
    const user_id = await aUser(service, tenant);
    await service.call('UserProfile.reset_password', { user_id, domain_id: tenant.domain_id });
    const { token } = await mailedLink(service, user_id);
    expect((await refusal(show(user_id, token))).code).toBe(status.PERMISSION_DENIED);
  });

  it.each([
    ['identity:UserProfile.read', true],
    ['identity:User.read', true],
    ['the method', true],
    ['identity:WorkspaceUser', false],
  ])('a role with the permission %s opens it: %s', async (permission, open) => {
    const role_id = await aRole(service, tenant, {
      permissions: [permission === 'the method' ? itself : permission],
    });
    const user_id = await aUser(service, tenant);
    const role = { workspace_id: tenant.alpha, role_type: 'WORKSPACE_MEMBER', role_id } as const;
    await aBinding(service, tenant, user_id, role);
    const token = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    const answer = show(user_id, token);
    if (open) expect(await answer).toHaveProperty('name', user_id);
    else expect((await refusal(answer)).code).toBe(status.PERMISSION_DENIED);
  });

  it('an administrator whose role is narrowed needs User.read', async () => {
    const someone = await aUser(service, tenant);
    for (const [permissions, open] of [
      [['identity:User.read'], true],
      [['identity:UserProfile.read'], false],
    ] as const) {
      const role_id = await aRole(service, tenant, {
        role_type: 'DOMAIN_ADMIN',
        permissions: [...permissions],
      });
      const user_id = await aUser(service, tenant, { role_type: 'DOMAIN_ADMIN', role_id });
      const outcome = await show(someone, await own(user_id)).then(
        () => true,
        () => false,
      );
      expect(outcome).toBe(open);
      expect(await show(user_id, await own(user_id))).toHaveProperty('name', user_id);
    }
  });
});
