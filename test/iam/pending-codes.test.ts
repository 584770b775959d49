import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, aUser, signIn } from '../fixtures.js';
import { refusal } from '../harness.js';
import { mailedCode } from '../mailed.js';
import { detailCalls, startUserCalls } from './user-calls.js';
import type { DetailCalls, UserCalls } from './user-calls.js';

const NEW = 'Ander5wort';

let calls: UserCalls;
let detail: DetailCalls;
beforeAll(async () => {
  calls = await startUserCalls();
  detail = detailCalls(calls);
});
afterAll(() => calls.service.close());

const open = (user_id: string) =>
  calls.service.app.rooms.mongo.connection.collection('pending_code').countDocuments({ user_id });

/** Somebody with a flow of each kind that waits for its code, and a session. */
async function waiting(): Promise<{ user_id: string; token: string }> {
  const { service, tenant } = calls;
  const user_id = await aUser(service, tenant, {});
  const { access_token: token } = await signIn(service, tenant, user_id);
  await service.call('UserProfile.verify_email', { email: `other-${user_id}` }, token);
  await service.call('UserProfile.enable_mfa', { mfa_type: 'OTP' }, token);
  const mfa = { state: 'ENABLED', mfa_type: 'EMAIL', options: { email: user_id } };
  const users = service.app.rooms.mongo.connection.collection('user');
  await users.updateOne({ user_id }, { $set: { mfa } });
  expect((await refusal(signIn(service, tenant, user_id))).reason).toBe('ERROR_MFA_REQUIRED');
  expect(await open(user_id)).toBe(3);
  return { user_id, token };
}

describe('What waits for a code ends with the sessions', () => {
  const endings: [string, (user_id: string, token: string) => Promise<unknown>][] = [
    ['a password that an administrator sets', (user_id) => calls.update(user_id, { password: NEW })],
    ['disabling', (user_id) => calls.update(user_id, { enabled: false })],
    ['the demand for another password', (user_id) => detail.update(user_id, { pwd_status: true })],
    ['an address that an administrator sets', (user_id) => detail.update(user_id, { email: '' })],
    [
      'UserProfile.update_password',
      (_, token) =>
        calls.service.call(
          'UserProfile.update_password',
          { current_password: PASSWORD, new_password: NEW },
          token,
        ),
    ],
    [
      'UserProfile.update with a password',
      (_, token) => calls.service.call('UserProfile.update', { password: NEW }, token),
    ],
    [
      'the own password at OpenStack Identity',
      (user_id, token) =>
        calls.changePassword(user_id, { password: NEW, original_password: PASSWORD }, token),
    ],
  ];
  it.each(endings)('by %s', async (_, end) => {
    const { user_id, token } = await waiting();
    await end(user_id, token);
    expect(await open(user_id)).toBe(0);
  });

  it('so that a code of before is worth nothing', async () => {
    const { service, tenant } = calls;
    const user_id = await aUser(service, tenant);
    const { access_token } = await signIn(service, tenant, user_id);
    await service.call('UserProfile.verify_email', { email: `new-${user_id}` }, access_token);
    const verify_code = await mailedCode(service, `new-${user_id}`);
    await calls.update(user_id, { password: NEW });
    const again = (await signIn(service, tenant, user_id, NEW)).access_token;
    const late = service.call('UserProfile.confirm_email', { verify_code }, again);
    expect((await refusal(late)).reason).toBe('ERROR_INVALID_VERIFY_CODE');
  });

  it('but not by changes that let a session go on, or end none', async () => {
    const { user_id, token } = await waiting();
    await calls.update(user_id, { description: 'still there', enabled: true, name: 'still-waiting' });
    expect(await open(user_id)).toBe(3);
    await calls.service.call('UserProfile.update', { email: `moved-${user_id}` }, token);
    // A code for the address of before would put that one back.
    expect(await open(user_id)).toBe(2);
  });
});

describe('A mailed password', () => {
  it('ends what waits for a code when it is first used', async () => {
    const { tenant } = calls;
    const service = await calls.service.another({ RESET_PASSWORD_TYPE: 'PASSWORD' });
    const user_id = await aUser(service, tenant);
    const { access_token } = await signIn(service, tenant, user_id);
    await service.call('UserProfile.verify_email', { email: `other-${user_id}` }, access_token);
    await service.call('UserProfile.reset_password', { user_id, domain_id: tenant.domain_id });
    const { text } = await service.sink.waitFor(
      ({ to, text }) => to.includes(user_id) && /^\s{2,}[A-Za-z0-9]{12}\s*$/m.test(text),
    );
    await signIn(service, tenant, user_id, /^\s{2,}([A-Za-z0-9]{12})\s*$/m.exec(text)![1]);
    expect(await open(user_id)).toBe(0);
    await service.close();
  });
});
