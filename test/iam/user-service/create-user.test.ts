import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aTenant, aUser, opaqueId, signIn, tokenOf } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import { initialise } from '../../system.js';
import { PUBLIC_URL, startUserCalls } from '../user-calls.js';
import type { UserCalls } from '../user-calls.js';

const NEW = 'Ander5wort';

let calls: UserCalls;
let system: Awaited<ReturnType<typeof initialise>>;
beforeAll(async () => {
  calls = await startUserCalls();
  system = await initialise(calls.service);
});
afterAll(() => calls.service.close());

let count = 0;
const aName = () => `new-user.${(count += 1)}`;
const stored = (name: string) =>
  calls.service.app.rooms.mongo.connection
    .collection('user')
    .findOne({ domain_id: calls.tenant.domain_id, user_id: name });

describe('UserService.CreateUser', () => {
  it('makes a user of the own domain from a name alone', async () => {
    const { tenant } = calls;
    const name = aName();
    const user = await calls.create({ name });
    expect(user).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      name,
      domain_id: tenant.domain_id,
      enabled: true,
      password_expires_at: null,
      options: {},
      extra: {},
      links: { self: `${PUBLIC_URL}/v3/users/${user.id}` },
    });
    expect(await calls.get(user.id)).toEqual(user);
  });

  it('makes one with everything, whom both APIs know', async () => {
    const { service, tenant } = calls;
    const name = aName();
    const user = await calls.create({
      name,
      domain_id: tenant.domain_id,
      enabled: true,
      password: NEW,
      email: 'new@example.com',
      description: 'Made by a test',
      default_project_id: tenant.alpha,
    });
    expect(user).toMatchObject({
      email: 'new@example.com',
      extra: { email: 'new@example.com' },
      description: 'Made by a test',
      default_project_id: tenant.alpha,
    });
    const { access_token } = await signIn(service, tenant, name, NEW);
    expect(await service.call('UserProfile.get', {}, access_token)).toMatchObject({
      user_id: name,
      email: 'new@example.com',
      state: 'ENABLED',
    });
    expect(await service.call('UserProfile.get', {}, access_token)).not.toHaveProperty('email_verified');
    const { results } = await service.call(
      'WorkspaceUser.find',
      { keyword: name, workspace_id: tenant.alpha },
      await tokenOf(service, tenant, tenant.admin, 'DOMAIN'),
    );
    expect(results).toEqual([expect.objectContaining({ user_id: name, state: 'ENABLED' })]);
  });

  it('makes one who waits for the first sign-in, like WorkspaceUser.create', async () => {
    const name = aName();
    await calls.create({ name, password: NEW });
    expect(await stored(name)).toMatchObject({
      state: 'PENDING',
      required_actions: [],
      email_verified: false,
    });
    expect(await stored(name)).toMatchObject({ username: name, auth_type: 'LOCAL', memberships: [] });
  });

  it('lets nobody in whose user is disabled or has no password', async () => {
    const { service, tenant } = calls;
    const [disabled, locked] = [aName(), aName()];
    expect(await calls.create({ name: disabled, password: NEW, enabled: false })).not.toHaveProperty(
      'enabled',
    );
    await calls.create({ name: locked });
    expect((await refusal(signIn(service, tenant, disabled, NEW))).reason).toBe('ERROR_USER_STATE_DISABLED');
    expect((await refusal(signIn(service, tenant, locked, NEW))).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
  });

  it('takes a boolean in the spellings of its clients, and an empty text as nothing', async () => {
    for (const [spelling, enabled] of [
      [true, true],
      ['True', true],
      ['YES', true],
      [1, true],
      ['0', false],
      ['off', false],
      [0, false],
    ] as const) {
      const user = await calls.create({ name: aName(), enabled: spelling, email: '', description: null });
      expect(user.enabled ?? false, String(spelling)).toBe(enabled);
    }
  });

  it('keeps a description as it is written, lines and all', async () => {
    const description = ' First line\r\n\tsecond line\n';
    expect(await calls.create({ name: aName(), description })).toMatchObject({ description });
  });

  it('lets the administrator say whether the password has to be changed, and takes options that say nothing', async () => {
    const name = aName();
    await calls.create({ name, password: NEW, pwd_status: true, options: {} });
    expect(await stored(name)).toMatchObject({ required_actions: ['UPDATE_PASSWORD'] });
  });

  it('asks for a change of the password where that is configured', async () => {
    const { service, admin } = calls;
    const strict = await service.another({ FORCE_PASSWORD_CHANGE: 'true' });
    const name = aName();
    await strict.call('iam.v3.UserService.CreateUser', { user: { name, password: NEW } }, admin);
    expect(await stored(name)).toMatchObject({ required_actions: ['UPDATE_PASSWORD'] });
    await strict.close();
  });

  it.each([
    ['name', {}, "'name' is a required property"],
    ['name', { name: 'four' }, 'must be 5 to 32'],
    ['name', { name: 'x'.repeat(33) }, 'must be 5 to 32'],
    ['name', { name: '5tarts' }, 'must be 5 to 32'],
    ['name', { name: 'has blank' }, 'must be 5 to 32'],
    ['name', { name: 'name@example.com' }, 'must be 5 to 32'],
    ['name', { name: 'größer' }, 'must be 5 to 32'],
    ['enabled', { enabled: 'nope' }, 'must be a boolean'],
    ['enabled', { enabled: 2 }, 'must be a boolean'],
    ['enabled', { enabled: null }, 'must be a boolean'],
    ['enabled', { enabled: {} }, 'must be a boolean'],
    ['enabled', { enabled: '' }, 'must be a boolean'],
    ['pwd_status', { pwd_status: 'perhaps' }, 'must be a boolean'],
    ['name', { name: 'abcde\n' }, 'must be 5 to 32'],
    ['options.ignore_lockout', { options: { ignore_lockout: true } }, 'is no option that can be set here'],
    ['password', { password: 'short' }, 'At least 8 characters long'],
    ['password', { password: 'alllowercase1' }, 'at least one uppercase'],
    ['password', { name: 'Abc-Abc-1', password: 'ABC-abc-1' }, 'neither the username nor its reverse'],
    ['password', { name: 'Abc-Abd-1', password: '1-DBA-cba' }, 'neither the username nor its reverse'],
    ['email', { email: 'nobody' }, 'Email format required'],
    ['description', { description: 'x'.repeat(256) }, 'must be at most 255'],
    ['description', { description: 'a\u0000b' }, 'must not hold control'],
    ['description', { description: { a: 1 } }, 'must be a text'],
    ['default_project_id', { default_project_id: 'x'.repeat(65) }, 'must be at most 64'],
    ['default_project_id', { default_project_id: 7 }, 'must be a text'],
  ])('refuses a bad %s: %j', async (field, wrong, said) => {
    const user =
      field === 'name' && !('name' in wrong) ? { email: 'a@example.com' } : { name: aName(), ...wrong };
    const refused = await refusal(calls.create(user));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.text).toContain(`'${field}'`);
    expect(refused.text).toContain(said);
  });

  it('asks for a user', async () => {
    expect(await refusal(calls.create(undefined))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      text: "'user' is a required property",
    });
  });

  it('refuses a name that is taken as user_id or username, in any letter case', async () => {
    const { service, tenant } = calls;
    const user_id = await aUser(service, tenant, { user_id: 'taken-id', username: 'Taken-Name' });
    for (const name of [user_id, 'TAKEN-ID', 'taken-name']) {
      expect(await refusal(calls.create({ name }))).toMatchObject({
        code: status.ALREADY_EXISTS,
        text: `Conflict occurred attempting to store user - the name ${name} is taken in the domain ${tenant.domain_id}.`,
      });
    }
  });

  it('makes one user of a name that is asked for many times at once', async () => {
    const name = aName();
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => calls.create({ name })));
    expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    const codes = outcomes.map((one) => (one as { reason?: { code: number } }).reason?.code);
    expect(codes.filter((code) => code === status.ALREADY_EXISTS)).toHaveLength(7);
  });

  it('makes users of another domain for the system alone, which names it', async () => {
    const { service, tenant } = calls;
    const other = await aTenant(service);
    const denied = await refusal(calls.create({ name: aName(), domain_id: other.domain_id }));
    expect(denied.code).toBe(status.PERMISSION_DENIED);
    const { systemToken, systemAdmin } = system;
    for (const token of [systemToken, systemAdmin]) {
      const name = aName();
      const user = await calls.create({ name, domain_id: other.domain_id }, token);
      expect(user).toMatchObject({ name, domain_id: other.domain_id });
      expect(await refusal(calls.create({ name: aName() }, token))).toMatchObject({
        code: status.INVALID_ARGUMENT,
        text: "'domain_id' is a required property",
      });
      expect(await refusal(calls.create({ name: aName(), domain_id: 'domain-0' }, token))).toMatchObject({
        code: status.NOT_FOUND,
        text: 'Could not find domain: domain-0.',
      });
    }
    const scope = { x_domain_id: tenant.domain_id };
    const request = { user: { name: aName() } };
    const { user } = await service.call('iam.v3.UserService.CreateUser', request, systemToken, scope);
    expect(user.domain_id).toBe(tenant.domain_id);
  });

  it('makes users of a disabled domain for the system, whom nobody lets in yet, and none of a deleted one', async () => {
    const { service } = calls;
    const { systemAdmin } = system;
    const other = await aTenant(service);
    const { domain_id } = other;
    const name = aName();
    await service.call('Domain.disable', { domain_id }, systemAdmin);
    expect(await calls.create({ name, domain_id, password: NEW }, systemAdmin)).toMatchObject({ domain_id });
    expect((await refusal(signIn(service, other, name, NEW))).reason).toBe('ERROR_DOMAIN_STATE');
    await service.call('Domain.enable', { domain_id }, systemAdmin);
    expect(await signIn(service, other, name, NEW)).toHaveProperty('access_token');
    await service.call('Domain.delete', { domain_id }, systemAdmin);
    expect(await refusal(calls.create({ name: aName(), domain_id }, systemAdmin))).toMatchObject({
      code: status.NOT_FOUND,
      text: `Could not find domain: ${domain_id}.`,
    });
  });

  it('is for administrators', async () => {
    const { service, tenant } = calls;
    const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const { access_token } = await signIn(service, tenant, user_id);
    const owner = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    const unprivileged = await tokenOf(service, tenant, tenant.admin, 'USER');
    for (const token of [access_token, owner, unprivileged]) {
      expect(await refusal(calls.create({ name: aName() }, token))).toMatchObject({
        code: status.PERMISSION_DENIED,
        text: 'You are not authorized to perform the requested action: identity:create_user.',
      });
    }
    expect((await refusal(calls.create({ name: aName() }, null))).code).toBe(status.UNAUTHENTICATED);
  });

  it('notes who was made, and no secret', async () => {
    const { service } = calls;
    const { id } = await calls.create({ name: aName(), password: 'Ge1heimnis' });
    const [line] = service.logs.filter((one) => one.includes(id));
    expect(JSON.parse(line!)).toMatchObject({ created_user_id: id, user_id: calls.tenant.admin });
    expect(service.logs.join('')).not.toContain('Ge1heimnis');
  });

  it('gives a removed name to somebody whom no old token fits', async () => {
    const { service, tenant } = calls;
    const name = aName();
    const { id } = await calls.create({ name, password: NEW });
    const { access_token, refresh_token } = await signIn(service, tenant, name, NEW);
    await calls.remove(id);
    const again = await calls.create({ name, password: NEW });
    expect(again.id).not.toBe(id);
    expect((await refusal(calls.get(again.id, access_token))).code).toBe(status.UNAUTHENTICATED);
    const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token, scope: 'USER' };
    expect((await refusal(service.call('Token.grant', grant))).code).toBe(status.UNAUTHENTICATED);
    expect(await opaqueId(service, tenant, name)).toBe(again.id);
  });
});
