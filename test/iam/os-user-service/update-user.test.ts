import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, aTenant, aUser, opaqueId, signIn, tokenOf } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import { initialise } from '../../system.js';
import { PUBLIC_URL, detailCalls, edgeOf, startUserCalls } from '../user-calls.js';
import type { DetailCalls, UserCalls } from '../user-calls.js';

const NEW = 'Ander5wort';
const PHONE = { areacode: '0049', phone: '15112345678' };
const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,3}$/;

let calls: UserCalls;
let detail: DetailCalls;
let system: Awaited<ReturnType<typeof initialise>>;
beforeAll(async () => {
  calls = await startUserCalls();
  detail = detailCalls(calls);
  system = await initialise(calls.service);
});
afterAll(() => calls.service.close());

const someone = (given = {}) => aUser(calls.service, calls.tenant, given);
const csms = (user_id: string) => calls.service.call('csms.v1.UserService.GetUser', { user_id }, calls.admin);

describe('OsUserService.UpdateUser', () => {
  it('changes all that the document names at once, and answers the user as it is shown', async () => {
    const { service, tenant } = calls;
    const user_id = await someone();
    const id = await opaqueId(service, tenant, user_id);
    const user = await detail.update(id, {
      ...PHONE,
      name: 'autotest2',
      password: NEW,
      email: 'autotest2@example.com',
      enabled: false,
      pwd_status: true,
      xuser_type: 'TenantIdp',
      xuser_id: 'ext-1',
      description: 'Changed',
    });
    expect(user).toEqual({
      id,
      name: 'autotest2',
      domain_id: tenant.domain_id,
      description: 'Changed',
      email: 'autotest2@example.com',
      areacode: '0049',
      phone: '0049-15112345678',
      xuser_id: 'ext-1',
      xuser_type: 'TenantIdp',
      pwd_status: true,
      pwd_strength: expect.any(String),
      create_time: expect.stringMatching(TIME),
      update_time: expect.stringMatching(TIME),
      last_login_time: null,
      password_expires_at: null,
      links: { self: `${PUBLIC_URL}/v3.0/OS-USER/users/${id}`, previous: null, next: null },
    });
    expect(await detail.show(user_id)).toEqual(user);
    expect(await calls.get(id)).toMatchObject({ name: 'autotest2', email: 'autotest2@example.com' });
    expect(await csms(id)).toMatchObject({ mobile: '15112345678', user_name: 'autotest2' });
  });

  it('leaves alone what is not given, and everything for an empty change', async () => {
    const user_id = await someone({ ...PHONE, xuser_id: 'stays', xuser_type: 'x', description: 'Stays' });
    const before = await detail.show(user_id);
    expect(await detail.update(user_id, {})).toEqual(before);
    const same = { ...PHONE, xuser_id: 'stays', xuser_type: 'x', email: user_id, enabled: true };
    expect(await detail.update(user_id, { ...same, pwd_status: false })).toEqual(before);
    expect(before.update_time).toBeNull();
    const changed = await detail.update(user_id, { description: 'Other' });
    expect(changed).toEqual({ ...before, description: 'Other', update_time: changed.update_time });
  });

  it.each([null, ''])('clears every detail by %j', async (nothing) => {
    const user_id = await someone({
      ...PHONE,
      xuser_id: `goes${nothing}`,
      xuser_type: 'x',
      description: 'x',
    });
    const cleared = await detail.update(user_id, {
      email: nothing,
      areacode: nothing,
      phone: nothing,
      xuser_type: nothing,
      xuser_id: nothing,
      description: nothing,
    });
    expect(cleared.phone).toBe('-');
    for (const key of ['email', 'areacode', 'xuser_type', 'xuser_id', 'description'])
      expect(cleared).not.toHaveProperty(key);
    expect(await detail.show(user_id)).toEqual(cleared);
    expect(await csms(user_id)).not.toHaveProperty('mobile');
  });

  it.each([
    ['0049', '15112345678', '0049-15112345678'],
    ['+49', '15112345678', '+49-15112345678'],
    [' 1 ', ' 5550100 ', '1-5550100'],
    ['0044', '1'.repeat(32), `0044-${'1'.repeat(32)}`],
  ])('takes the number %j %j', async (areacode, phone, shown) => {
    const user_id = await someone();
    expect(await detail.update(user_id, { areacode, phone })).toMatchObject({ phone: shown });
  });

  it('keeps the details in every change of spaceone, which never shows them', async () => {
    const { service, tenant } = calls;
    const user_id = await someone({ roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    await detail.update(user_id, { ...PHONE, xuser_type: 'kept', xuser_id: user_id });
    const { access_token } = await signIn(service, tenant, user_id);
    const profile = await service.call('UserProfile.update', { name: 'New', tags: { a: 'b' } }, access_token);
    const domainAdmin = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    const member = await service.call('WorkspaceUser.get', { user_id }, domainAdmin);
    for (const shown of [profile, member])
      expect(JSON.stringify(shown)).not.toMatch(/15112345678|xuser|kept/);
    expect(await detail.show(user_id)).toMatchObject({ phone: '0049-15112345678', xuser_type: 'kept' });
  });

  it.each([
    ['1101', { name: 'four' }, "'name': must be 5 to 32"],
    ['1101', { name: '' }, "'name': must be 5 to 32"],
    ['1101', { name: 'x'.repeat(129) }, "'name': must be at most 128"],
    ['1102', { email: 'nobody' }, "'email': Email format required"],
    ['1102', { email: 5 }, "'email': must be a text"],
    ['1103', { password: 'x'.repeat(1025) }, "'password': must be at most 1024"],
    ['1118', { password: 'short' }, "'password': At least 8"],
    ['1118', { password: '' }, "'password': At least 8"],
    ['1118', { password: 'Password1' }, "'password': Is none of the commonest"],
    ['1118', { password: 'Abcde-2@EXAMPLE.com' }, "'password': Is neither the username"],
    ['1108', { password: PASSWORD }, "'password': equals the old one"],
    ['1104', { areacode: '0049', phone: '151-123' }, "'phone': must be digits alone"],
    ['1104', { areacode: '0049', phone: '-' }, "'phone': must be digits alone"],
    ['1104', { areacode: '0049', phone: '1'.repeat(33) }, "'phone': must be at most 32"],
    ['1104', { areacode: '0049', phone: 15112345678 }, "'phone': must be a text"],
    ['1104', { areacode: 'DE', phone: '15112345678' }, "'areacode': must be a country code"],
    ['1104', { areacode: '1'.repeat(12), phone: '15112345678' }, "'areacode': must be at most 11"],
    ['1104', { areacode: [], phone: '15112345678' }, "'areacode': must be a text"],
    ['1106', { areacode: '0049' }, "'areacode, phone': must be given together"],
    ['1106', { phone: '15112345678' }, "'areacode, phone': must be given together"],
    ['1106', { phone: '' }, "'areacode, phone': must be given together"],
    ['1106', { areacode: '', phone: '15112345678' }, "'areacode, phone': must be given together"],
    ['IAM.0007', { xuser_id: 'x' }, "'xuser_type, xuser_id': must be given together"],
    ['IAM.0007', { xuser_id: 'x', xuser_type: null }, "'xuser_type, xuser_id': must be given together"],
    ['IAM.0007', { xuser_id: 'x'.repeat(129), xuser_type: 'x' }, "'xuser_id': must be at most 128"],
    ['IAM.0007', { xuser_id: 'x', xuser_type: 'x'.repeat(65) }, "'xuser_type': must be at most 64"],
    ['IAM.0007', { xuser_id: 7, xuser_type: 'x' }, "'xuser_id': must be a text"],
    ['IAM.0007', { enabled: 'nope' }, "'enabled': must be a boolean"],
    ['IAM.0007', { enabled: null }, "'enabled': must be a boolean"],
    ['IAM.0007', { pwd_status: {} }, "'pwd_status': must be a boolean"],
    ['1117', { description: 'x'.repeat(256) }, "'description': must be at most 255"],
    ['1117', { description: true }, "'description': must be a text"],
    ['1100', undefined, "'user' is a required property"],
  ])('answers %s to %j, and changes nothing', async (code, change, said) => {
    const user_id = 'abcde-2@example.com';
    await someone({ user_id }).catch(() => undefined);
    const before = await detail.show(user_id);
    // What is right beside it is not done either.
    const refused = await refusal(detail.update(user_id, change && { description: 'Beside', ...change }));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.text).toContain(said);
    expect(edgeOf(refused)).toEqual({ status: '400', code });
    expect(await detail.show(user_id)).toEqual(before);
  });

  it('asks for no password of somebody whose password is not kept here', async () => {
    const user_id = await someone({ auth_type: 'EXTERNAL' });
    for (const [change, code] of [
      [{ password: NEW }, '1103'],
      [{ pwd_status: true }, 'IAM.0007'],
    ] as const)
      expect(edgeOf(await refusal(detail.update(user_id, change)))).toEqual({ status: '400', code });
    expect(await detail.update(user_id, { pwd_status: false })).not.toHaveProperty('pwd_status');
  });

  it('names a user of the path only: not one of another domain, not nobody', async () => {
    const { service } = calls;
    const other = await aTenant(service);
    const id = await opaqueId(service, other, other.admin);
    for (const ref of [id, 'nobody@example.com', '0'.repeat(32)]) {
      const refused = await refusal(detail.update(ref, { description: 'x' }));
      expect(refused).toMatchObject({ code: status.NOT_FOUND, text: `Could not find user: ${ref}.` });
      expect(edgeOf(refused)).toEqual({ status: '404', code: '' });
    }
    for (const token of [system.systemToken, system.systemAdmin])
      expect(await detail.update(id, { description: 'By the system' }, token)).toMatchObject({ id });
  });

  it('is for administrators, also where it is about oneself', async () => {
    const { service, tenant } = calls;
    const user_id = await someone({ roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const { access_token } = await signIn(service, tenant, user_id);
    const owner = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    for (const token of [access_token, owner]) {
      for (const ref of [user_id, tenant.admin, 'nobody']) {
        const refused = await refusal(detail.update(ref, PHONE, token));
        expect(refused).toMatchObject({
          code: status.PERMISSION_DENIED,
          text: 'You are not authorized to perform the requested action: identity:update_user.',
        });
        expect(edgeOf(refused)).toEqual({ status: '403', code: '' });
      }
    }
    expect((await refusal(detail.update(user_id, PHONE, null))).code).toBe(status.UNAUTHENTICATED);
  });
});

describe('OsUserService.UpdateUser with what belongs to one user', () => {
  it('refuses a name that is taken', async () => {
    await someone({ user_id: 'others-id', username: 'Others-Name' });
    const refused = await refusal(detail.update(await someone(), { name: 'others-name' }));
    expect(refused).toMatchObject({
      code: status.ALREADY_EXISTS,
      text: `Conflict occurred attempting to store user - the name others-name is taken in the domain ${calls.tenant.domain_id}.`,
    });
    expect(edgeOf(refused)).toEqual({ status: '409', code: '1109' });
  });

  it('refuses an id in another system that is taken there, and no other', async () => {
    const { service, tenant } = calls;
    const taken = { xuser_type: 'TenantIdp', xuser_id: 'taken' };
    const first = await someone();
    await detail.update(first, taken);
    const second = await someone({ description: 'Before' });
    const refused = await refusal(detail.update(second, { ...taken, description: 'x', password: NEW }));
    expect(refused).toMatchObject({
      code: status.ALREADY_EXISTS,
      text: `Conflict occurred attempting to store user - the xuser_id taken is taken in the domain ${tenant.domain_id}.`,
    });
    expect(edgeOf(refused)).toEqual({ status: '409', code: '1113' });
    expect(await detail.show(second)).toMatchObject({ description: 'Before', update_time: null });
    expect(await signIn(service, tenant, second)).toHaveProperty('access_token');
    for (const free of [{ xuser_type: 'other' }, { xuser_id: 'other' }, { xuser_id: 'Taken' }])
      expect(await detail.update(second, { ...taken, ...free })).toMatchObject(free);
    const other = await aTenant(service);
    const id = await opaqueId(service, other, other.admin);
    expect(await detail.update(id, taken, system.systemAdmin)).toMatchObject(taken);
    await detail.update(first, { xuser_type: '', xuser_id: '' });
    expect(await detail.update(second, taken)).toMatchObject(taken);
  });

  it('gives an id in another system to one of two who get it at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const pair = { xuser_type: 'race', xuser_id: `wanted-${round}` };
      const both = await Promise.all([someone(), someone()]);
      const outcomes = await Promise.allSettled(both.map((user_id) => detail.update(user_id, pair)));
      expect(outcomes.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
      const [refused] = outcomes.filter((one) => one.status === 'rejected');
      expect(edgeOf(refused!.reason)).toEqual({ status: '409', code: '1113' });
    }
  });

  it.each([
    ['another one', { xuser_type: 'pair', xuser_id: 'one', areacode: '0049', phone: '2' }],
    ['none', { xuser_type: null, xuser_id: null, areacode: null, phone: null }],
  ])('keeps a pair whole when it is set to two at once, of which one is %s', async (_what, other) => {
    const user_id = await someone();
    // Each of the two differs from what was there before in one half, or in both.
    const first = { xuser_type: user_id, xuser_id: 'one', areacode: '049', phone: '1' };
    const sent = [{ ...first, xuser_id: 'two', phone: '3' }, other];
    const whole = [`${user_id},two,049,049-3`, 'pair,one,0049,0049-2', ',,,-'];
    for (let round = 0; round < 8; round += 1) {
      await detail.update(user_id, first);
      await Promise.all(sent.map((pair) => detail.update(user_id, pair)));
      const { xuser_type, xuser_id, areacode, phone } = await detail.show(user_id);
      expect(whole).toContain([xuser_type, xuser_id, areacode, phone].join());
    }
  });
});
