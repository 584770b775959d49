import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, aTenant, aUser, opaqueId, signIn, tokenOf } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import { initialise } from '../../system.js';
import { PUBLIC_URL, startUserCalls } from '../user-calls.js';
import type { UserCalls } from '../user-calls.js';

let calls: UserCalls;
beforeAll(async () => {
  calls = await startUserCalls();
});
afterAll(() => calls.service.close());

const someone = (given = {}) => aUser(calls.service, calls.tenant, given);
const profile = async (user_id: string) =>
  await calls.service.call(
    'WorkspaceUser.get',
    { user_id },
    await tokenOf(calls.service, calls.tenant, calls.tenant.admin, 'DOMAIN'),
  );

describe('UserService.UpdateUser', () => {
  it('changes all that the document names at once, and answers the user', async () => {
    const { service, tenant } = calls;
    const user_id = await someone();
    const id = await opaqueId(service, tenant, user_id);
    const change = {
      name: 'james1234',
      domain_id: tenant.domain_id,
      enabled: false,
      password: 'Ander5wort',
      description: 'Moved on',
      default_project_id: '88b16b6440684467b8825d7d96e154d8',
    };
    const user = await calls.update(id, change);
    expect(user).toEqual({
      id,
      name: 'james1234',
      domain_id: tenant.domain_id,
      // Not enabled: a client that sees no fields without a value sees none.
      description: 'Moved on',
      decription: 'Moved on',
      email: user_id,
      default_project_id: '88b16b6440684467b8825d7d96e154d8',
      password_expires_at: null,
      options: {},
      extra: { email: user_id },
      links: { self: `${PUBLIC_URL}/v3/users/${id}` },
    });
    expect(await calls.get(user_id)).toEqual(user);
  });

  it('leaves alone what is not given, and everything for an empty change', async () => {
    const user_id = await someone({ description: 'Stays', default_project_id: 'p-1' });
    const before = await calls.get(user_id);
    expect(await calls.update(user_id, {})).toEqual(before);
    expect(await calls.update(user_id, { domain_id: calls.tenant.domain_id })).toEqual(before);
    const { users } = calls.service.app.rooms.models;
    const key = { domain_id: calls.tenant.domain_id, user_id };
    expect(await users.find({ deadline: Date.now() + 5000 }, key)).not.toHaveProperty('updated_at');
  });

  it('demands another password of the owner, or does not', async () => {
    const { service, tenant } = calls;
    const user_id = await someone();
    const { access_token } = await signIn(service, tenant, user_id);
    await calls.update(user_id, { pwd_status: true, options: {} });
    expect((await refusal(calls.get(user_id, access_token))).code).toBe(status.UNAUTHENTICATED);
    const demands = async () =>
      (await service.app.rooms.models.users.get({ deadline: Date.now() + 5000 }, { ...tenant, user_id }))
        .required_actions;
    expect(await demands()).toEqual(['UPDATE_PASSWORD']);
    await calls.update(user_id, { pwd_status: false });
    expect(await demands()).toEqual([]);
  });

  it('clears description and project by null and by an empty text', async () => {
    for (const nothing of [null, '']) {
      const user_id = await someone({ description: 'Goes', default_project_id: 'p-1' });
      const user = await calls.update(user_id, { description: nothing, default_project_id: nothing });
      expect(user).not.toHaveProperty('description');
      expect(user).not.toHaveProperty('default_project_id');
      expect(await calls.get(user_id)).toEqual(user);
    }
  });

  it('shows the change to the other API, which loses nothing of it by its own', async () => {
    const { service, tenant } = calls;
    const user_id = await someone({ roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const { access_token } = await signIn(service, tenant, user_id);
    await calls.update(user_id, { name: 'known-as', description: 'Kept' });
    await service.call('UserProfile.update', { name: 'Shown Name', tags: { a: 'b' } }, access_token);
    expect(await calls.get(user_id)).toMatchObject({ name: 'known-as', description: 'Kept' });
    expect(await profile(user_id)).toMatchObject({ user_id, name: 'Shown Name', state: 'ENABLED' });
    await calls.update(user_id, { enabled: false });
    expect(await profile(user_id)).toMatchObject({ state: 'DISABLED' });
  });

  it('asks for a user', async () => {
    expect(await refusal(calls.update(calls.tenant.admin, undefined))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      text: "'user' is a required property",
    });
  });

  it.each([
    ['name', { name: 'four' }, 'must be 5 to 32'],
    ['name', { name: '1starts' }, 'must be 5 to 32'],
    ['name', { name: 'has@sign' }, 'must be 5 to 32'],
    ['name', { name: '' }, 'must be 5 to 32'],
    ['enabled', { enabled: 'nope' }, 'must be a boolean'],
    ['enabled', { enabled: null }, 'must be a boolean'],
    ['enabled', { enabled: [] }, 'must be a boolean'],
    ['enabled', { enabled: '' }, 'must be a boolean'],
    ['pwd_status', { pwd_status: null }, 'must be a boolean'],
    ['name', { name: null }, 'must be a text'],
    ['name', { name: 'abcde\n' }, 'must be 5 to 32'],
    ['password', { password: null }, 'must be a text'],
    ['domain_id', { domain_id: null }, 'must be a text'],
    ['options.lock', { options: { lock: true } }, 'is no option that can be set here'],
    ['domain_id', { domain_id: 'domain-0' }, 'Cannot change Domain ID'],
    ['description', { description: 'x'.repeat(256) }, 'must be at most 255'],
    ['description', { description: true }, 'must be a text'],
    ['default_project_id', { default_project_id: 'x'.repeat(65) }, 'must be at most 64'],
    ['password', { password: '' }, 'At least 8 characters long'],
    ['password', { password: 'Password1' }, 'none of the commonest'],
    ['password', { password: PASSWORD }, 'equals the old one'],
    ['password', { password: 'Abcde-1@EXAMPLE.com' }, 'neither the username nor its reverse'],
    ['password', { password: 'MOC.elpmaxe@1-edcba' }, 'neither the username nor its reverse'],
    ['password', { password: 'Other-Name-1', name: 'other-name-1' }, 'neither the username nor its reverse'],
  ])('refuses a bad %s: %j', async (field, change, said) => {
    const user_id = 'abcde-1@example.com';
    await someone({ user_id }).catch(() => undefined);
    const before = await calls.get(user_id);
    const refused = await refusal(calls.update(user_id, change));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.text).toContain(`'${field}'`);
    expect(refused.text).toContain(said);
    expect(await calls.get(user_id)).toEqual(before);
  });

  it('names a user of the path only: not one of another domain, not nobody', async () => {
    const { service } = calls;
    const other = await aTenant(service);
    const id = await opaqueId(service, other, other.admin);
    for (const ref of [id, 'nobody@example.com', '0'.repeat(32)]) {
      expect(await refusal(calls.update(ref, { description: 'x' }))).toMatchObject({
        code: status.NOT_FOUND,
        text: `Could not find user: ${ref}.`,
      });
    }
    const { systemToken, systemAdmin } = await initialise(service);
    for (const token of [systemToken, systemAdmin])
      expect(await calls.update(id, { description: 'By the system' }, token)).toMatchObject({ id });
  });

  it('is for administrators, also where it is about oneself', async () => {
    const { service, tenant } = calls;
    const user_id = await someone({ roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const { access_token } = await signIn(service, tenant, user_id);
    const owner = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    for (const token of [access_token, owner]) {
      for (const ref of [user_id, tenant.admin, 'nobody']) {
        expect(await refusal(calls.update(ref, { description: 'x' }, token))).toMatchObject({
          code: status.PERMISSION_DENIED,
          text: 'You are not authorized to perform the requested action: identity:update_user.',
        });
      }
    }
    expect((await refusal(calls.update(user_id, {}, null))).code).toBe(status.UNAUTHENTICATED);
  });
});

describe('UserService.UpdateUser with a name', () => {
  it('changes the username alone: both names are good for the account, neither for another', async () => {
    const { service, tenant } = calls;
    const user_id = await someone({ user_id: 'first-name' });
    await calls.update(user_id, { name: 'Second-Name' });
    expect(await calls.get(user_id)).toMatchObject({ name: 'Second-Name' });
    expect(await signIn(service, tenant, user_id)).toHaveProperty('access_token');
    for (const name of ['FIRST-name', 'second-name'])
      expect((await refusal(calls.create({ name }))).code).toBe(status.ALREADY_EXISTS);
    await calls.update(user_id, { name: 'third-name' });
    expect(await calls.create({ name: 'second-name' })).toMatchObject({ name: 'second-name' });
  });

  it('takes the own names in another letter case, and the present one whatever it looks like', async () => {
    const user_id = await someone({ user_id: 'letters@example.com', username: 'letters' });
    expect(await calls.update(user_id, { name: 'LETTERS' })).toMatchObject({ name: 'LETTERS' });
    const mail = await someone();
    expect(await calls.update(mail, { name: mail, description: 'x' })).toMatchObject({ name: mail });
  });

  it('refuses the names of others, in any letter case', async () => {
    const { tenant } = calls;
    await someone({ user_id: 'others-id', username: 'others-name' });
    const user_id = await someone();
    for (const name of ['Others-Id', 'OTHERS-NAME']) {
      expect(await refusal(calls.update(user_id, { name }))).toMatchObject({
        code: status.ALREADY_EXISTS,
        text: `Conflict occurred attempting to store user - the name ${name} is taken in the domain ${tenant.domain_id}.`,
      });
    }
  });

  it('gives a name to one of two who are renamed to it at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const name = `wanted-${round}`;
      const both = await Promise.all([someone(), someone()]);
      const outcomes = await Promise.allSettled(both.map((user_id) => calls.update(user_id, { name })));
      expect(outcomes.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
      const [refused] = outcomes.filter((one) => one.status === 'rejected');
      expect(refused!.reason).toMatchObject({ code: status.ALREADY_EXISTS });
    }
  });
});

describe('UserService.UpdateUser with enabled', () => {
  it('ends every token of a user who is disabled, and enabling revives none', async () => {
    const { service, tenant } = calls;
    const user_id = await someone({ roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const { access_token, refresh_token } = await signIn(service, tenant, user_id);
    const member = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token, scope: 'USER' };
    for (const enabled of [false, true]) {
      await calls.update(user_id, { enabled });
      for (const [method, token] of [
        ['UserProfile.get', access_token],
        ['WorkspaceUser.list', member],
      ] as const)
        expect((await refusal(service.call(method, {}, token))).code).toBe(status.UNAUTHENTICATED);
      expect((await refusal(calls.get(user_id, access_token))).code).toBe(status.UNAUTHENTICATED);
      expect((await refusal(service.call('Token.grant', grant))).code).toBe(status.UNAUTHENTICATED);
      if (!enabled) {
        expect((await refusal(signIn(service, tenant, user_id))).reason).toBe('ERROR_USER_STATE_DISABLED');
      }
    }
    expect(await signIn(service, tenant, user_id)).toHaveProperty('access_token');
  });

  it('also ends the session that a change of the address had let go on', async () => {
    const { service, tenant } = calls;
    const user_id = await someone();
    const { access_token } = await signIn(service, tenant, user_id);
    await service.call('UserProfile.update', { email: `new-${user_id}` }, access_token);
    expect(await calls.get(user_id, access_token)).toMatchObject({ email: `new-${user_id}` });
    for (const enabled of [false, true]) await calls.update(user_id, { enabled });
    expect((await refusal(calls.get(user_id, access_token))).code).toBe(status.UNAUTHENTICATED);
  });

  it('ends no session of a user who stays enabled, and leaves one who never signed in so', async () => {
    const { service, tenant } = calls;
    const user_id = await someone();
    const { access_token } = await signIn(service, tenant, user_id);
    await calls.update(user_id, { enabled: true });
    expect(await service.call('UserProfile.get', {}, access_token)).toMatchObject({ user_id });
    const pending = await someone({ state: 'PENDING', roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    await calls.update(pending, { enabled: 'true' });
    expect(await profile(pending)).toMatchObject({ state: 'PENDING' });
  });

  it('lets no administrator disable themself', async () => {
    const { tenant } = calls;
    expect((await refusal(calls.update(tenant.admin, { enabled: false }))).code).toBe(
      status.PERMISSION_DENIED,
    );
    expect(await calls.update(tenant.admin, { enabled: true })).toMatchObject({ enabled: true });
  });
});
