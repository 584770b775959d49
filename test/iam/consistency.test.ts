import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, opaqueId, signIn, tokenOf } from '../fixtures.js';
import { refusal } from '../harness.js';
import type { Stack } from '../rest/edge.js';
import { startStack } from '../rest/edge.js';
import { everyToken, everywhere, opened, signInAtIam } from './faces.js';

const NEW_PASSWORD = 'Ander5wortHier';
const DETAIL = {
  username: 'kept-name',
  description: 'Kept',
  default_project_id: 'workspace-of-choice',
  areacode: '0049',
  phone: '15112345678',
  xuser_id: 'ext-1',
  xuser_type: 'directory',
  org_id: 'org-1',
  grade: 3,
  extension: { room: { floor: 2 } },
};
const ALIVE = [200, 200, 200, 200];
const DEAD = [401, 401, 401, 401];

let stack: Stack;
let tenant: Tenant;
let admin: string;

// With the settings that an installation has: what is remembered of a caller has to be forgotten at once.
beforeAll(async () => {
  stack = await startStack();
  tenant = await aTenant(stack.service);
  ({ access_token: admin } = await signIn(stack.service, tenant, tenant.admin));
});
afterAll(() => stack.close());

const member = (given: object = {}) =>
  aUser(stack.service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' }, ...given });
const faces = (user_id: string) => everywhere(stack, tenant, user_id, admin);
const call: Stack['service']['call'] = (...asked) => stack.service.call(...asked);
const patch = (user_id: string, user: object) =>
  stack.edge.send('PATCH', `/v3/users/${user_id}`, { user }, { 'x-auth-token': admin });
const setPassword = async (user_id: string, password: string) =>
  expect((await patch(user_id, { password })).status).toBe(200);

async function expectDead(user_id: string, tokens: readonly string[]): Promise<void> {
  expect(await opened(stack, tenant, user_id, tokens)).toEqual(tokens.map(() => DEAD));
}

describe('a change is seen everywhere at once', () => {
  it('UserProfile.update: display name and address', async () => {
    const user_id = await member();
    const token = await tokenOf(stack.service, tenant, user_id);
    const before = await faces(user_id);
    await call('UserProfile.update', { name: 'New Name', email: `new-${user_id}` }, token);
    const { spaceone, iam, osUser, csms } = await faces(user_id);
    expect(spaceone).toMatchObject({ name: 'New Name', email: `new-${user_id}` });
    expect(iam).toMatchObject({ name: user_id, email: `new-${user_id}` });
    expect(osUser).toMatchObject({ name: user_id, email: `new-${user_id}`, update_time: expect.any(String) });
    expect(csms).toMatchObject({ name: 'New Name', user_name: user_id, email: `new-${user_id}` });
    expect(before.osUser.update_time).toBeNull();
    expect(csms.updated_at > before.csms.updated_at).toBe(true);
  });

  it('PATCH /v3/users: username and description, while user_id and display name stay', async () => {
    const user_id = await member({ name: 'Display Name' });
    const change = { name: 'renamed-user', description: 'Changed' };
    expect((await patch(user_id, change)).status).toBe(200);
    const { spaceone, iam, osUser, csms } = await faces(user_id);
    expect(iam).toMatchObject({ ...change, decription: 'Changed' });
    expect(osUser).toMatchObject({ ...change, update_time: expect.any(String) });
    expect(csms).toMatchObject({ user_name: change.name, name: 'Display Name' });
    expect(spaceone).toMatchObject({ user_id, name: 'Display Name' });
    // Both names sign in at OpenStack Identity, the user_id at spaceone.
    for (const name of [change.name, user_id])
      expect((await signInAtIam(stack, tenant, name)).status).toBe(201);
    expect(await signIn(stack.service, tenant, user_id)).toHaveProperty('access_token');
  });

  it('WorkspaceUser.create: a user who is enabled, and not there yet', async () => {
    const owner = await aUser(stack.service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const token = await tokenOf(stack.service, tenant, owner, 'WORKSPACE', tenant.alpha);
    const user_id = 'created@example.com';
    const role_id = 'managed-workspace-member';
    const given = { user_id, password: PASSWORD, auth_type: 'LOCAL', name: 'Created', role_id };
    await call('WorkspaceUser.create', given, token);
    const { spaceone, iam, osUser, csms } = await faces(user_id);
    expect(spaceone.state).toBe('PENDING');
    expect(iam).toMatchObject({ name: user_id, enabled: true });
    expect(osUser).toMatchObject({ name: user_id, enabled: true, last_login_time: null });
    expect(csms).toMatchObject({ user_name: user_id, name: 'Created', disabled: false });
    // The first sign-in counts wherever it is.
    expect((await signInAtIam(stack, tenant, user_id)).status).toBe(201);
    const after = await faces(user_id);
    expect(after.spaceone.state).toBe('ENABLED');
    expect(after.osUser.last_login_time).toMatch(/^\d{4}-\d\d-\d\d /);
  });

  it('POST /v3/users: a user who can sign in at spaceone too', async () => {
    const user = { name: 'made-here', password: PASSWORD, description: 'Made', email: 'made@example.com' };
    const made = await stack.edge.send('POST', '/v3/users', { user }, { 'x-auth-token': admin });
    expect(made.status).toBe(201);
    const { access_token } = await signIn(stack.service, tenant, 'made-here');
    const profile = await call('UserProfile.get', {}, access_token);
    expect(profile).toMatchObject({ user_id: 'made-here', state: 'ENABLED', email: 'made@example.com' });
    const domainAdmin = await tokenOf(stack.service, tenant, tenant.admin, 'WORKSPACE', tenant.beta);
    const found = await call('WorkspaceUser.find', { keyword: 'made-here' }, domainAdmin);
    expect(found.results).toMatchObject([{ user_id: 'made-here' }]);
    const id = made.body.user.id;
    const shown = await stack.edge.send('GET', `/v1/csms/users/${id}`, undefined, { 'x-auth-token': admin });
    expect(shown.body).toMatchObject({ user_id: id, user_name: 'made-here', email: 'made@example.com' });
  });

  it('DELETE /v3/users: nobody, wherever one looks', async () => {
    const user_id = await member();
    const id = await opaqueId(stack.service, tenant, user_id);
    const { access, refresh_token } = await everyToken(stack, tenant, user_id);
    const headers = { 'x-auth-token': admin };
    expect((await stack.edge.send('DELETE', `/v3/users/${id}`, undefined, headers)).status).toBe(204);
    const domainAdmin = await tokenOf(stack.service, tenant, tenant.admin, 'DOMAIN');
    expect((await refusal(call('WorkspaceUser.get', { user_id }, domainAdmin))).reason).toBe(
      'ERROR_NOT_FOUND',
    );
    for (const [path, status] of [
      [`/v3/users/${id}`, 404],
      [`/v3.0/OS-USER/users/${id}`, 404],
      [`/v1/csms/users/${id}`, 400],
    ] as const)
      expect((await stack.edge.send('GET', path, undefined, headers)).status).toBe(status);
    for (const token of access)
      expect((await stack.edge.post('/identity/v2/user-profile/get', {}, token)).status).toBe(401);
    const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token, scope: 'USER' };
    expect((await refusal(call('Token.grant', grant))).reason).toBe('ERROR_AUTHENTICATE_FAILURE');
    expect((await refusal(signIn(stack.service, tenant, user_id))).reason).toBe(
      'ERROR_AUTHENTICATION_FAILURE',
    );
  });

  it('wrong passwords at one system lock the other', async () => {
    const user_id = await member();
    for (let i = 0; i < 5; i += 1) {
      expect((await signInAtIam(stack, tenant, user_id, 'Wr0ngPassword')).status).toBe(401);
      await refusal(signIn(stack.service, tenant, user_id, 'Wr0ngPassword'));
    }
    expect((await refusal(signIn(stack.service, tenant, user_id))).reason).toBe('ERROR_LOGIN_BLOCKED');
    expect((await signInAtIam(stack, tenant, user_id)).status).toBe(401);
    expect((await faces(user_id)).csms.locked).toBe(true);
  });
});

describe('what the IAM systems alone show is never lost', () => {
  it('by any change of spaceone, and never shown there', async () => {
    const user_id = await member(DETAIL);
    const shown = ({ osUser, csms }: Awaited<ReturnType<typeof faces>>) => {
      const { areacode, phone, xuser_id, xuser_type, description, name } = osUser;
      const { org_id, grade, extension, mobile, user_name } = csms;
      return {
        areacode,
        phone,
        xuser_id,
        xuser_type,
        description,
        name,
        org_id,
        grade,
        extension,
        mobile,
        user_name,
      };
    };
    const before = shown(await faces(user_id));
    let token = await tokenOf(stack.service, tenant, user_id);
    const all = { name: 'N', email: 'n@example.com', language: 'ko', timezone: 'Asia/Seoul', tags: { a: 1 } };
    const updated = await call('UserProfile.update', all, token);
    for (const field of Object.keys(DETAIL)) expect(updated).not.toHaveProperty(field);
    token = await tokenOf(stack.service, tenant, user_id);
    const change = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    await call('UserProfile.update_password', change, token);
    const after = await faces(user_id);
    expect(shown(after)).toEqual(before);
    expect(after.iam.default_project_id).toBe(DETAIL.default_project_id);
    for (const field of Object.keys(DETAIL)) expect(after.spaceone).not.toHaveProperty(field);
  });

  it('and a change of theirs keeps what spaceone holds', async () => {
    const user_id = await member({ tags: { team: 'one' }, language: 'ko', timezone: 'Asia/Seoul' });
    await patch(user_id, { name: 'other-name', description: 'New', default_project_id: null });
    expect((await faces(user_id)).spaceone).toMatchObject({
      tags: { team: 'one' },
      language: 'ko',
      timezone: 'Asia/Seoul',
      role_binding_info: { workspace_id: tenant.alpha },
    });
  });
});

describe('tokens of every system', () => {
  const changes: Record<string, (user_id: string, token: string) => Promise<unknown>> = {
    'UserProfile.update_password': (_, token) =>
      call('UserProfile.update_password', { current_password: PASSWORD, new_password: NEW_PASSWORD }, token),
    'PATCH /v3/users with a password': (user_id) => setPassword(user_id, NEW_PASSWORD),
    'POST /v3/users/{id}/password': async (user_id, token) => {
      const user = { password: NEW_PASSWORD, original_password: PASSWORD };
      const path = `/v3/users/${user_id}/password`;
      const { status } = await stack.edge.send('POST', path, { user }, { 'x-auth-token': token });
      expect(status).toBe(204);
    },
  };

  it.each(Object.keys(changes))('die at once by %s', async (name) => {
    const user_id = await member();
    const { access, refresh_token } = await everyToken(stack, tenant, user_id);
    expect(await opened(stack, tenant, user_id, access)).toEqual(access.map(() => ALIVE));
    const before = await faces(user_id);
    await changes[name]!(user_id, access[0]!);
    await expectDead(user_id, access);
    const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token, scope: 'USER' };
    expect((await refusal(call('Token.grant', grant))).reason).toBe('ERROR_AUTHENTICATE_FAILURE');
    expect((await signInAtIam(stack, tenant, user_id)).status).toBe(401);
    const after = await faces(user_id);
    expect(after.csms.pwd_change_at > before.csms.pwd_change_at).toBe(true);
    expect([before, after].map(({ osUser }) => osUser.pwd_strength)).toEqual(['Low', 'High']);
    const fresh = await everyToken(stack, tenant, user_id, NEW_PASSWORD);
    expect(await opened(stack, tenant, user_id, fresh.access)).toEqual(fresh.access.map(() => ALIVE));
  });

  it('die when the user is disabled, and stay dead when they are enabled again', async () => {
    const user_id = await member();
    const { access } = await everyToken(stack, tenant, user_id);
    expect(await opened(stack, tenant, user_id, access)).toEqual(access.map(() => ALIVE));
    expect((await patch(user_id, { enabled: false })).body.user.enabled).toBe(false);
    await expectDead(user_id, access);
    const { spaceone, osUser, csms } = await faces(user_id);
    expect([spaceone.state, osUser.enabled, csms.disabled]).toEqual(['DISABLED', false, true]);
    expect((await signInAtIam(stack, tenant, user_id)).status).toBe(401);
    expect((await refusal(signIn(stack.service, tenant, user_id))).reason).toBe('ERROR_USER_STATE_DISABLED');
    expect((await patch(user_id, { enabled: true })).body.user.enabled).toBe(true);
    await expectDead(user_id, access);
    expect((await faces(user_id)).spaceone.state).toBe('ENABLED');
    const fresh = await everyToken(stack, tenant, user_id);
    expect(await opened(stack, tenant, user_id, fresh.access)).toEqual(fresh.access.map(() => ALIVE));
  });

  it('die one by one when they are revoked', async () => {
    const user_id = await member();
    const { access } = await everyToken(stack, tenant, user_id);
    const [first, ...others] = access as [string, ...string[]];
    const headers = { 'x-auth-token': others[0]!, 'x-subject-token': first };
    expect((await stack.edge.send('DELETE', '/v3/auth/tokens', undefined, headers)).status).toBe(204);
    await expectDead(user_id, [first]);
    expect(await opened(stack, tenant, user_id, others)).toEqual(others.map(() => ALIVE));
  });
});
