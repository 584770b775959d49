import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import { initialise } from '../../system.js';
import { PUBLIC_URL, detailCalls, edgeOf, startUserCalls } from '../user-calls.js';
import type { DetailCalls, UserCalls } from '../user-calls.js';

const NEW = 'Ander5wort';
const PHONE = { areacode: '0049', phone: '15112345678' };

let calls: UserCalls;
let detail: DetailCalls;
let domain_id: string;
beforeAll(async () => {
  calls = await startUserCalls();
  detail = detailCalls(calls);
  ({ domain_id } = calls.tenant);
});
afterAll(() => calls.service.close());

let count = 0;
const aName = () => `detailed.${(count += 1)}`;
const make = (given: object = {}) => detail.create({ name: aName(), domain_id, ...given });
const stored = (name: string) =>
  calls.service.app.rooms.mongo.connection.collection('user').findOne({ domain_id, user_id: name });

describe('OsUserService.CreateUser', () => {
  it('makes a user of a name and a domain', async () => {
    const name = aName();
    const user = await detail.create({ name, domain_id });
    expect(user).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      name,
      domain_id,
      enabled: true,
      phone: '-',
      pwd_strength: 'None',
      create_time: expect.any(String),
      update_time: null,
      last_login_time: null,
      password_expires_at: null,
      links: { self: `${PUBLIC_URL}/v3.0/OS-USER/users/${user.id}`, previous: null, next: null },
    });
    expect(await detail.show(user.id)).toEqual(user);
  });

  it('makes one with everything, whom all systems know', async () => {
    const { service, tenant, admin } = calls;
    const given = {
      name: aName(),
      email: 'everything@example.com',
      xuser_type: 'TenantIdp',
      xuser_id: 'ext-1',
      description: 'Made by a test',
    };
    const user = await make({ ...given, ...PHONE, password: NEW, enabled: true, pwd_status: true });
    expect(user).toMatchObject({ ...given, ...PHONE, phone: '0049-15112345678', pwd_status: true });
    expect(await calls.get(user.id)).toMatchObject({ name: given.name, email: given.email });
    const csms = await service.call('csms.v1.UserService.GetUser', { user_id: user.id }, admin);
    expect(csms).toMatchObject({ mobile: '15112345678', pwd_must_modify: true });
    const { access_token } = await signIn(service, tenant, given.name, NEW);
    const profile = await service.call('UserProfile.get', {}, access_token);
    expect(profile).toMatchObject({ user_id: given.name, email: given.email });
    expect(profile).not.toHaveProperty('email_verified');
    expect(JSON.stringify(profile)).not.toMatch(/15112345678|ext-1/);
  });

  it.each([null, ''])('takes %j as nothing', async (nothing) => {
    const user = await make({
      email: nothing,
      areacode: nothing,
      phone: nothing,
      xuser_type: nothing,
      xuser_id: nothing,
      description: nothing,
    });
    const found = (await stored(user.name))!;
    for (const key of ['areacode', 'phone', 'xuser_type', 'xuser_id', 'description'])
      expect(found).not.toHaveProperty(key);
    expect(found).toMatchObject({ email: '' });
  });

  it.each([
    [undefined, 'false', []],
    [undefined, 'true', ['UPDATE_PASSWORD']],
    [true, 'false', ['UPDATE_PASSWORD']],
    [false, 'true', []],
  ])('with pwd_status %s where FORCE_PASSWORD_CHANGE is %s asks for %j', async (pwd_status, force, asked) => {
    const service = await calls.service.another({ FORCE_PASSWORD_CHANGE: force });
    const said = pwd_status === undefined ? {} : { pwd_status };
    const { name } = await detailCalls({ ...calls, service }).create({
      name: aName(),
      domain_id,
      password: NEW,
      ...said,
    });
    await service.close();
    expect((await stored(name))!['required_actions']).toEqual(asked);
  });

  it('lets nobody in who is disabled', async () => {
    const { service, tenant } = calls;
    const { name, enabled } = await make({ password: NEW, enabled: 'False' });
    expect(enabled).toBeUndefined();
    expect((await refusal(signIn(service, tenant, name, NEW))).reason).toBe('ERROR_USER_STATE_DISABLED');
  });

  it.each([
    ['1100', { name: '' }, "'name' is a required property"],
    ['1100', { domain_id: '' }, "'domain_id' is a required property"],
    ['1101', { name: 'four' }, "'name': must be 5 to 32"],
    ['1101', { name: 'has@sign' }, "'name': must be 5 to 32"],
    ['1102', { email: 'nobody' }, "'email': Email format required"],
    ['1118', { password: 'short' }, "'password': At least 8"],
    ['1118', { name: 'Abc-Abc-1', password: 'ABC-abc-1' }, "'password': Is neither the username"],
    ['1104', { areacode: '0049', phone: '1 2' }, "'phone': must be digits alone"],
    ['1104', { areacode: '0049x', phone: '12' }, "'areacode': must be a country code"],
    ['1106', { areacode: '0049' }, "'areacode, phone': must be given together"],
    ['1106', { phone: '12', areacode: '' }, "'areacode, phone': must be given together"],
    ['IAM.0007', { xuser_type: 'x' }, "'xuser_type, xuser_id': must be given together"],
    ['IAM.0007', { enabled: null }, "'enabled': must be a boolean"],
    ['IAM.0007', { pwd_status: 'often' }, "'pwd_status': must be a boolean"],
    ['1117', { description: 'a\u0000b' }, "'description': must not hold control"],
  ])('answers %s to %j, and makes nobody', async (code, wrong, said) => {
    const name = aName();
    const refused = await refusal(make({ name, ...wrong }));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.text).toContain(said);
    expect(edgeOf(refused)).toEqual({ status: '400', code });
    expect(await stored(name)).toBeNull();
  });

  it('asks for a user', async () => {
    const refused = await refusal(detail.create(undefined));
    expect(refused.text).toBe("'user' is a required property");
    expect(edgeOf(refused)).toEqual({ status: '400', code: '1100' });
  });

  it('refuses a name or an id in another system that is taken', async () => {
    await aUser(calls.service, calls.tenant, { user_id: 'taken-id', username: 'Taken-Name' });
    for (const name of ['TAKEN-ID', 'taken-name']) {
      const refused = await refusal(make({ name }));
      expect(refused.code).toBe(status.ALREADY_EXISTS);
      expect(edgeOf(refused)).toEqual({ status: '409', code: '1109' });
    }
    const pair = { xuser_type: 'TenantIdp', xuser_id: 'taken' };
    await make(pair);
    const name = aName();
    const refused = await refusal(make({ ...pair, name }));
    expect(refused.text).toContain('the xuser_id taken is taken');
    expect(edgeOf(refused)).toEqual({ status: '409', code: '1113' });
    expect(await stored(name)).toBeNull();
    // A name that looks like the words of the database is a name.
    await make({ name: 'index.xuser_id' });
    expect(edgeOf(await refusal(make({ name: 'index.xuser_id' })))).toMatchObject({ code: '1109' });
  });

  it('makes one user of an id in another system that many ask for at once', async () => {
    const pair = { xuser_type: 'race', xuser_id: 'once' };
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => make(pair)));
    expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    const refused = outcomes.filter((one) => one.status === 'rejected');
    expect(refused.map(({ reason }) => edgeOf(reason).code)).toEqual(Array(5).fill('1113'));
  });

  it('makes users of another domain for the system alone', async () => {
    const { service } = calls;
    const other = await aTenant(service);
    const denied = await refusal(make({ domain_id: other.domain_id }));
    expect(denied.code).toBe(status.PERMISSION_DENIED);
    expect(edgeOf(denied).status).toBe('403');
    const { systemToken, systemAdmin } = await initialise(service);
    for (const token of [systemToken, systemAdmin]) {
      const given = { name: aName(), domain_id: other.domain_id };
      expect(await detail.create(given, token)).toMatchObject(given);
      const nowhere = await refusal(detail.create({ ...given, domain_id: 'domain-0' }, token));
      expect(nowhere.text).toBe('Could not find domain: domain-0.');
      expect(edgeOf(nowhere).status).toBe('404');
    }
  });

  it('is for administrators', async () => {
    const { service, tenant } = calls;
    const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const owner = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    const own = await tokenOf(service, tenant, tenant.admin, 'USER');
    const given = { name: aName(), domain_id };
    for (const token of [(await signIn(service, tenant, user_id)).access_token, owner, own]) {
      expect(await refusal(detail.create(given, token))).toMatchObject({
        code: status.PERMISSION_DENIED,
        text: 'You are not authorized to perform the requested action: identity:create_user.',
      });
    }
    expect((await refusal(detail.create(given, null))).code).toBe(status.UNAUTHENTICATED);
  });

  it('notes who was made, and no secret', async () => {
    const { service } = calls;
    const { id } = await make({ password: 'Ge1heimnis', ...PHONE });
    const [line] = service.logs.filter((one) => one.includes(id));
    expect(JSON.parse(line!)).toMatchObject({ created_user_id: id, user_id: calls.tenant.admin });
    expect(service.logs.join('')).not.toMatch(/Ge1heimnis|15112345678/);
  });
});
