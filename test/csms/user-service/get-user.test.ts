import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, opaqueId, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/;

let service: Service;
let tenant: Tenant;
let admin: string;

beforeAll(async () => {
  service = await startService({ USER_CACHE_MS: '0' });
  tenant = await aTenant(service);
  ({ access_token: admin } = await signIn(service, tenant, tenant.admin));
});
afterAll(() => service.close());

const get = (user_id: string, token: string | undefined = admin) =>
  service.call('csms.v1.UserService.GetUser', { user_id }, token);

describe('UserService.GetUser of CSMS', () => {
  it('shows every field that a user can have', async () => {
    const user_id = await aUser(service, tenant, {
      id: 'd4e559b49b3b403da5279723299ed4a6',
      username: 'zhangsan',
      name: 'Zhang San',
      areacode: '0086',
      phone: '12345678901',
      org_id: '20220117125622909-9346-35755733F',
      grade: 1,
      extension: { desk: { floor: 3 }, keys: ['a', 1, true, null] },
      required_actions: ['UPDATE_PASSWORD'],
      password_changed_at: new Date('2022-04-14T10:14:01.988Z'),
      created_at: new Date('2022-04-13T16:57:36.532Z'),
      updated_at: new Date('2022-04-14T10:14:01.000Z'),
    });
    expect(await get(user_id)).toEqual({
      user_id: 'd4e559b49b3b403da5279723299ed4a6',
      org_id: '20220117125622909-9346-35755733F',
      domain_id: tenant.domain_id,
      user_name: 'zhangsan',
      name: 'Zhang San',
      mobile: '12345678901',
      email: user_id,
      pwd_must_modify: true,
      pwd_change_at: '2022-04-14 10:14:01.988',
      created_at: '2022-04-13 16:57:36.532',
      updated_at: '2022-04-14 10:14:01.000',
      grade: 1,
      extension: { desk: { floor: 3 }, keys: ['a', 1, true, null] },
      user_org_relation_list: [{ org_id: '20220117125622909-9346-35755733F', relation_type: 1 }],
    });
  });

  it('shows a user of whom little is known', async () => {
    const user_id = await aUser(service, tenant, { user_id: 'bare-user', auth_type: 'EXTERNAL' });
    const answer = await get(user_id);
    // Here without what is empty or false; over REST those are there too.
    expect(answer).toEqual({
      user_id: await opaqueId(service, tenant, user_id),
      domain_id: tenant.domain_id,
      user_name: 'bare-user',
      pwd_change_at: null,
      created_at: expect.stringMatching(TIME),
      updated_at: answer.created_at,
      extension: {},
    });
  });

  it.each([
    ['ENABLED', undefined],
    ['PENDING', undefined],
    ['DISABLED', true],
  ] as const)('a user who is %s: disabled %s', async (state, disabled) => {
    expect((await get(await aUser(service, tenant, { state }))).disabled).toBe(disabled);
  });

  it('says when the password changed, and when anything did', async () => {
    const user_id = await aUser(service, tenant);
    const before = await get(user_id);
    expect(before.pwd_change_at).toMatch(TIME);
    expect(before.updated_at).toBe(before.created_at);
    service.clock.advance(60);
    const change = { current_password: PASSWORD, new_password: 'Ander5wort' };
    await service.call('UserProfile.update_password', change, await tokenOf(service, tenant, user_id));
    ({ access_token: admin } = await signIn(service, tenant, tenant.admin));
    const after = await get(user_id);
    expect(after.created_at).toBe(before.created_at);
    expect(after.pwd_change_at > before.pwd_change_at).toBe(true);
    expect(after.updated_at >= after.pwd_change_at).toBe(true);
  });

  it('is locked for as long as signing in is blocked', async () => {
    const user_id = await aUser(service, tenant);
    const wrong = () => refusal(signIn(service, tenant, user_id, 'Wr0ngPassword'));
    for (let i = 0; i < 9; i += 1) await wrong();
    expect(await get(user_id)).not.toHaveProperty('locked');
    await wrong();
    expect((await refusal(signIn(service, tenant, user_id))).reason).toBe('ERROR_LOGIN_BLOCKED');
    expect((await get(user_id)).locked).toBe(true);
    service.clock.advance(301);
    ({ access_token: admin } = await signIn(service, tenant, tenant.admin));
    expect(await get(user_id)).not.toHaveProperty('locked');
  });
});

it('the user id is required', async () => {
  const refused = await refusal(get(''));
  expect(refused.code).toBe(status.INVALID_ARGUMENT);
  expect(refused.text).toBe("'user_id' is a required property");
});
