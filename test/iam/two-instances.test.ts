import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Role } from '../../src/models/role.js';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aBinding, aRole, aTenant, aUser, signIn, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { ROOT_ADMIN, initialise } from '../system.js';

// Two instances with the settings that an installation has.
let service: Service;
let other: Service;
let tenant: Tenant;
let boss: string;
let system: { systemToken: string; systemAdmin: string };

beforeAll(async () => {
  service = await startService();
  other = await service.another();
  system = await initialise(service);
  tenant = await aTenant(service);
  boss = (await signIn(service, tenant, tenant.admin)).access_token;
});
afterAll(async () => {
  await other.close();
  await service.close();
});

const NEW = 'Ander5wortHier';
const ADMIN = { role_type: 'DOMAIN_ADMIN', role_id: 'managed-domain-admin' } as const;
const GET = 'iam.v3.UserService.GetUser';
const UPDATE = 'iam.v3.UserService.UpdateUser';
const read = (user_id: string, token: string, at = other) => at.call(GET, { user_id }, token);
const patch = (user_id: string, user: object, token = boss, at = service) =>
  at.call(UPDATE, { user_id, body: { user } }, token);
const remove = (user_id: string, token = boss, at = service) =>
  at.call('iam.v3.UserService.DeleteUser', { user_id }, token);
const list = (token: string) => other.call('WorkspaceUser.list', {}, token);
const stored = (name: string) => service.app.rooms.mongo.connection.collection(name);
const signedIn = async (user_id: string, password = PASSWORD) =>
  (await signIn(service, tenant, user_id, password)).access_token;
const inAlpha = (user_id: string) => tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
const revoke = (token: string) =>
  service.call('iam.v3.AuthService.RevokeToken', {}, token, { 'x-subject-token': token });
const changePassword = async (user_id: string) => {
  const change = { current_password: PASSWORD, new_password: NEW };
  await service.call('UserProfile.update_password', change, await signedIn(user_id));
};

/** An administrator, whom the other instance remembers. */
async function administrator(name?: string): Promise<{ user_id: string; token: string }> {
  const user_id = await aUser(service, tenant, { ...ADMIN, ...(name ? { user_id: name } : {}) });
  const token = await signedIn(user_id);
  await read(user_id, token);
  return { user_id, token };
}

/** Somebody with a role of their own in the workspace alpha, whom the other instance remembers. */
async function inRole(given: Partial<Role> = {}) {
  const role_type = given.role_type === 'WORKSPACE_OWNER' ? given.role_type : 'WORKSPACE_MEMBER';
  const role_id = await aRole(service, tenant, { ...given, role_type });
  const user_id = await aUser(service, tenant);
  await aBinding(service, tenant, user_id, { workspace_id: tenant.alpha, role_type, role_id });
  const token = await inAlpha(user_id);
  await list(token).catch(() => undefined);
  return { user_id, role_id, token };
}

/** What was ended is refused by and by, five seconds at most. */
const refusedSoon = (call: () => Promise<unknown>, reason = 'ERROR_AUTHENTICATE_FAILURE') =>
  vi.waitFor(async () => expect((await refusal(call())).reason).toBe(reason), {
    timeout: 5000,
    interval: 50,
  });

describe('a token that is good is taken at once by an instance that remembers worse', () => {
  it('after a change of the password', async () => {
    const { user_id } = await administrator();
    await changePassword(user_id);
    const fresh = await signedIn(user_id, NEW);
    expect(await read(user_id, fresh)).toHaveProperty('user.name', user_id);
    expect(await other.call('UserProfile.get', {}, fresh)).toMatchObject({ user_id });
  });

  it('after the user was disabled and enabled', async () => {
    const { user_id } = await administrator();
    for (const enabled of [false, true]) await patch(user_id, { enabled });
    expect(await read(user_id, await signedIn(user_id))).toHaveProperty('user.name', user_id);
  });

  it('after the user was removed and one of that name made', async () => {
    const { user_id } = await administrator('name-of-two');
    await remove(user_id);
    const user = { name: user_id, password: NEW };
    await service.call('iam.v3.UserService.CreateUser', { user }, boss);
    expect(await read(user_id, await signedIn(user_id, NEW))).toHaveProperty('user.name', user_id);
  });

  it('after the domain was disabled and enabled, and so are sign-ins', async () => {
    const home = await aTenant(service);
    const { domain_id } = home;
    const token = await tokenOf(service, home, home.admin, 'WORKSPACE', home.alpha);
    await service.call('Domain.disable', { domain_id }, system.systemToken);
    await refusedSoon(() => list(token));
    await service.call('Domain.enable', { domain_id }, system.systemToken);
    expect(await list(token)).toEqual({});
    expect(await signIn(other, home, home.admin)).toHaveProperty('access_token');
  });

  it('after the workspace was disabled and enabled', async () => {
    const home = await aTenant(service);
    const token = await tokenOf(service, home, home.admin, 'WORKSPACE', home.alpha);
    const setState = (state: string) =>
      stored('workspace').updateOne({ workspace_id: home.alpha }, { $set: { state } });
    await setState('DISABLED');
    await refusedSoon(() => list(token), 'ERROR_WORKSPACE_STATE');
    await setState('ENABLED');
    expect(await list(token)).toEqual({});
  });

  it('after a role was given', async () => {
    const { user_id, token } = await administrator();
    await read(user_id, token);
    await aBinding(service, tenant, user_id, { workspace_id: tenant.alpha, role_type: 'WORKSPACE_OWNER' });
    expect(await list(await inAlpha(user_id))).toHaveProperty('results');
    const promoted = await aUser(service, tenant);
    const own = await signedIn(promoted);
    await read(promoted, own);
    await stored('user').updateOne({ user_id: promoted }, { $set: ADMIN });
    expect(await read(user_id, own)).toHaveProperty('user.name', user_id);
  });

  it('after a role was enabled, widened, or replaced by another', async () => {
    const { user_id, role_id, token } = await inRole({ permissions: ['identity:UserProfile'] });
    expect((await refusal(list(token))).code).toBe(status.PERMISSION_DENIED);
    const change = (fields: object) => stored('role').updateOne({ role_id }, { $set: fields });
    await change({ permissions: ['identity:WorkspaceUser'] });
    const wide = await inAlpha(user_id);
    expect(await list(wide)).toHaveProperty('results');
    await change({ state: 'DISABLED' });
    await refusedSoon(() => list(wide));
    await change({ state: 'ENABLED' });
    expect(await list(wide)).toHaveProperty('results');
    const next = await aRole(service, tenant, { permissions: ['identity:'] });
    await stored('user').updateOne({ user_id }, { $set: { 'memberships.0.role_id': next } });
    const replaced = await inAlpha(user_id);
    await change({ permissions: ['identity:UserProfile'] });
    expect(await list(replaced)).toHaveProperty('results');
  });
});

it('a token that is remembered shows nothing of who has the user_id of its owner by now', async () => {
  const user_id = await aUser(service, tenant, { user_id: 'taken-over' });
  const token = await signedIn(user_id);
  await read(user_id, token);
  await remove(user_id);
  const successor = await aUser(service, tenant, { user_id });
  const faces = [GET, 'iam.v3.OsUserService.ShowUser', 'csms.v1.UserService.GetUser'];
  const answers = faces.map((face) => refusal(other.call(face, { user_id: successor }, token)));
  for (const { code } of await Promise.all(answers)) expect(code).toBe(status.PERMISSION_DENIED);
});

describe('a token that was ended changes nothing at an instance that remembers it as good', () => {
  const ways: Record<string, (user_id: string, token: string) => Promise<unknown>> = {
    'the own password was changed': (user_id) => changePassword(user_id),
    'an administrator set the password': (user_id) => patch(user_id, { password: NEW }),
    'the user was disabled': (user_id) => patch(user_id, { enabled: false }),
    'the user was removed': (user_id) => remove(user_id),
    'the token was revoked': (_user_id, token) => revoke(token),
    'the role was taken away': (user_id) =>
      stored('user').updateOne({ user_id }, { $set: { role_type: 'USER' } }),
    'the role was disabled': async (user_id) => {
      const role_id = await aRole(service, tenant, { role_type: 'DOMAIN_ADMIN', state: 'DISABLED' });
      await stored('user').updateOne({ user_id }, { $set: { role_id } });
    },
  };

  it.each(Object.keys(ways))('when %s', async (way) => {
    const { user_id, token } = await administrator();
    const victim = await aUser(service, tenant);
    const before = await stored('user').findOne({ user_id: victim });
    await ways[way]!(user_id, token);
    const self = await stored('user').findOne({ user_id });
    const refused = way.startsWith('the role') ? status.PERMISSION_DENIED : status.UNAUTHENTICATED;
    const thief = { password: 'Th1efChoice', enabled: true };
    // All at once: a refused one lets the instance know.
    const answers = [
      patch(user_id, thief, token, other),
      patch(victim, thief, token, other),
      remove(victim, token, other),
      other.call('iam.v3.UserService.CreateUser', { user: { name: 'made-by-thief' } }, token),
    ];
    for (const { code } of await Promise.all(answers.map(refusal))) expect(code).toBe(refused);
    expect(await stored('user').findOne({ user_id })).toEqual(self);
    expect(await stored('user').findOne({ user_id: victim })).toEqual(before);
    expect(await stored('user').findOne({ user_id: 'made-by-thief' })).toBeNull();
  });

  it.each<[string, (of: { user_id: string; role_id: string }) => Promise<unknown>, string]>([
    ['the role was taken away', (of) => change('user', of, { memberships: [] }), 'AUTHENTICATE_FAILURE'],
    ['the role was disabled', (of) => change('role', of, { state: 'DISABLED' }), 'AUTHENTICATE_FAILURE'],
    [
      'the role was narrowed',
      (of) => change('role', of, { permissions: ['identity:WorkspaceUser.read'] }),
      'PERMISSION_DENIED',
    ],
    ['the user was disabled', ({ user_id }) => patch(user_id, { enabled: false }), 'AUTHENTICATE_FAILURE'],
    ['the workspace was disabled', () => setAlpha('DISABLED'), 'WORKSPACE_STATE'],
  ])('of a workspace when %s', async (_way, end, refused) => {
    const owner = await inRole({ role_type: 'WORKSPACE_OWNER' });
    await list(owner.token);
    const role_id = 'managed-workspace-member';
    const made = { user_id: 'made-by-thief', password: PASSWORD, auth_type: 'LOCAL', role_id };
    await end(owner);
    const { reason } = await refusal(other.call('WorkspaceUser.create', made, owner.token));
    await setAlpha('ENABLED');
    expect(reason).toBe(`ERROR_${refused}`);
    expect(await stored('user').findOne({ user_id: made.user_id })).toBeNull();
  });

  it('of a domain that was deleted: nobody is made there', async () => {
    const home = await aTenant(service);
    const { domain_id } = home;
    await read(home.admin, (await signIn(service, home, home.admin)).access_token);
    await service.call('Domain.delete', { domain_id }, system.systemToken);
    const user = { name: 'made-too-late', domain_id };
    const made = other.call('iam.v3.UserService.CreateUser', { user }, system.systemToken);
    expect((await refusal(made)).code).toBe(status.NOT_FOUND);
  });

  it('of the system, when its administrator is disabled or its token replaced', async () => {
    const { domain_id } = await aTenant(service);
    const tag = (token: string) => other.call('Domain.update', { domain_id, tags: { by: 'thief' } }, token);
    for (const token of [system.systemAdmin, system.systemToken])
      await other.call('Domain.get', { domain_id }, token);
    const root = { domain_id: 'domain-root', user_id: 'root@example.com' };
    await stored('user').updateOne(root, { $set: { state: 'DISABLED' } });
    expect((await refusal(tag(system.systemAdmin))).code).toBe(status.UNAUTHENTICATED);
    await service.call('System.init', { admin: ROOT_ADMIN, force: true }, system.systemToken);
    expect((await refusal(tag(system.systemToken))).code).toBe(status.UNAUTHENTICATED);
    expect(await stored('domain').findOne({ domain_id })).not.toHaveProperty('tags.by');
  });

  const change = (collection: 'user' | 'role', of: { user_id: string; role_id: string }, fields: object) => {
    const key = collection === 'user' ? { user_id: of.user_id } : { role_id: of.role_id };
    return stored(collection).updateOne(key, { $set: fields });
  };
  const setAlpha = (state: string) =>
    stored('workspace').updateOne({ workspace_id: tenant.alpha }, { $set: { state } });
});
