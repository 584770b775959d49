import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableOtp, nextStep } from '../authenticator.js';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { mailedCode, mailedPassword, wrongCode } from '../mailed.js';
import { ROOT_ADMIN } from '../system.js';
import { actions, recorder, tally } from './recorded.js';

let service: Service;
let tenant: Tenant;
let recordsOf: ReturnType<typeof recorder>;

beforeAll(async () => {
  service = await startService();
  const { system_token } = await service.call('System.init', { admin: ROOT_ADMIN });
  tenant = await aTenant(service);
  recordsOf = recorder(service, system_token);
});
afterAll(() => service.close());

const WRONG = 'Wrong0pass';
const from = { 'x-forwarded-for': '198.51.100.9' };
const issue = (user_id: string, more: object = {}, metadata: Record<string, string> = {}, at = service) =>
  at.call(
    'Token.issue',
    {
      credentials: { user_id, password: PASSWORD },
      auth_type: 'LOCAL',
      domain_id: tenant.domain_id,
      ...more,
    },
    undefined,
    metadata,
  );
const guess = (user_id: string, at = service) =>
  refusal(issue(user_id, { credentials: { user_id, password: WRONG } }, {}, at));
const withCode = (user_id: string, verify_code: string) => issue(user_id, { auth_type: 'MFA', verify_code });
const emailMfa = (email: string) => ({
  mfa: { state: 'ENABLED' as const, mfa_type: 'EMAIL' as const, options: { email } },
});

describe('Token.issue', () => {
  it('is recorded with who, whom, when, from where and how it ended', async () => {
    const user_id = await aUser(service, tenant);
    const id = randomUUID();
    const [record, ...others] = await recordsOf(() => issue(user_id, {}, { ...from, 'x-request-id': id }));
    expect(others).toEqual([]);
    expect(record).toEqual({
      record_id: expect.any(String),
      domain_id: tenant.domain_id,
      action: 'user.sign_in',
      outcome: 'OUTCOME_SUCCESS',
      actor_type: 'ACTOR_TYPE_USER',
      actor_id: user_id,
      actor_domain_id: tenant.domain_id,
      target_type: 'USER',
      target_id: user_id,
      method: 'spaceone.api.identity.v2.Token/issue',
      peer: '198.51.100.9',
      request_id: id,
      created_at: expect.any(String),
    });
  });

  it('is a failure by nobody when the password is wrong', async () => {
    const user_id = await aUser(service, tenant);
    const [record, ...others] = await recordsOf(() => guess(user_id));
    expect(others).toEqual([]);
    expect(record).toMatchObject({
      action: 'user.sign_in',
      outcome: 'OUTCOME_FAILURE',
      reason: 'ERROR_AUTHENTICATION_FAILURE',
      actor_type: 'ACTOR_TYPE_NOBODY',
      target_id: user_id,
      request_id: expect.any(String),
    });
    expect(record).not.toHaveProperty('actor_id');
  });

  it('tells of accounts that nobody has, without what was typed', async () => {
    const typed = ['Mistyped-Passw0rd', 'nobody@example.com'];
    const records = await recordsOf(async () => {
      for (const one of typed) await guess(one);
    });
    expect(actions(records)).toEqual(Array(2).fill('user.sign_in ERROR_NOT_FOUND'));
    for (const record of records) {
      expect(record).toMatchObject({ domain_id: tenant.domain_id, target_type: 'USER' });
      expect(record).not.toHaveProperty('target_id');
    }
    const text = JSON.stringify(records);
    for (const one of typed) expect(text).not.toContain(one);
  });

  it('tells the true reason where callers are told one for all', async () => {
    const disabled = await aUser(service, tenant, { state: 'DISABLED' });
    const user_id = await aUser(service, tenant, emailMfa('true-reason@example.com'));
    const records = await recordsOf(async () => {
      await refusal(issue(disabled));
      await guess(disabled);
      const wrong = { credentials: { user_id, password: WRONG }, auth_type: 'MFA' };
      expect((await refusal(issue(user_id, wrong))).reason).toBe('ERROR_INVALID_CREDENTIALS');
      // No code was asked for yet.
      expect((await refusal(withCode(user_id, '123456'))).reason).toBe('ERROR_INVALID_CREDENTIALS');
    });
    expect(records.map(({ reason, target_id }) => [reason, target_id])).toEqual([
      ['ERROR_USER_STATE_DISABLED', disabled],
      ['ERROR_AUTHENTICATION_FAILURE', disabled],
      ['ERROR_AUTHENTICATION_FAILURE', user_id],
      ['ERROR_INVALID_CREDENTIALS', user_id],
    ]);
  });

  it('is not recorded for domains that nobody has, and for requests that are none', async () => {
    const records = await recordsOf(async () => {
      await refusal(issue(tenant.admin, { domain_id: 'domain-of-nobody' }));
      await refusal(issue(tenant.admin, { credentials: { user_id: tenant.admin } }));
      await refusal(issue(tenant.admin, { auth_type: 'EXTERNAL' }));
    });
    expect(records).toEqual([]);
  });

  it('lets a new user in with the first sign-in, and says what is to be done first', async () => {
    const user_id = await aUser(service, tenant, {
      state: 'PENDING',
      required_actions: ['UPDATE_PASSWORD'],
    });
    const records = await recordsOf(async () => {
      await issue(user_id);
      await issue(user_id);
    });
    expect(actions(records)).toEqual(['user.sign_in', 'user.enable', 'user.sign_in']);
    expect(records[0].detail).toEqual({ required_actions: ['UPDATE_PASSWORD'], password_expired: false });
  });

  it('says that the password has expired', async () => {
    const user_id = await aUser(service, tenant);
    const strict = await service.another({ PASSWORD_VALID_DAYS: '1' });
    service.clock.advance(2 * 86_400);
    const records = await recordsOf(() => signIn(strict, tenant, user_id));
    await strict.close();
    expect(records).toMatchObject([{ action: 'user.sign_in', detail: { password_expired: true } }]);
  });

  it('takes a mailed password in place of the old one once', async () => {
    const user_id = await aUser(service, tenant);
    const mailing = await service.another({ RESET_PASSWORD_TYPE: 'PASSWORD' });
    await mailing.call('UserProfile.reset_password', { user_id, domain_id: tenant.domain_id });
    const password = await mailedPassword(service, user_id);
    await mailing.close();
    const records = await recordsOf(async () => {
      for (let count = 0; count < 2; count += 1) await signIn(service, tenant, user_id, password);
    });
    expect(actions(records)).toEqual(['password.adopt', 'user.sign_in', 'user.sign_in']);
    expect(records[0]).toMatchObject({ target_id: user_id, request_id: records[1].request_id });
  });
});

describe('The second factor', () => {
  it('mailed: is recorded when it is asked for, sent, wrong and right', async () => {
    const address = 'recorded-factor@example.com';
    const user_id = await aUser(service, tenant, emailMfa(address));
    const purpose = { purpose: 'SIGN_IN' };
    const asked = await recordsOf(() => refusal(issue(user_id)));
    expect(asked).toMatchObject([
      { action: 'user.challenge', actor_type: 'ACTOR_TYPE_NOBODY', detail: { mfa_type: 'EMAIL' } },
      { action: 'code.send', target_id: user_id, detail: purpose },
    ]);
    const code = await mailedCode(service, address);
    const wrong = await recordsOf(() => refusal(withCode(user_id, wrongCode(code))));
    expect(actions(wrong)).toEqual(['user.sign_in ERROR_INVALID_VERIFY_CODE']);
    const right = await recordsOf(() => withCode(user_id, code));
    expect(right).toMatchObject([
      { action: 'code.confirm', detail: purpose, target_id: user_id },
      { action: 'user.sign_in', actor_id: user_id, request_id: right[0].request_id },
    ]);
    const again = await recordsOf(() => refusal(withCode(user_id, code)));
    expect(actions(again)).toEqual(['user.sign_in ERROR_INVALID_CREDENTIALS']);
    const anew = await recordsOf(async () => {
      await refusal(issue(user_id));
      expect((await refusal(issue(user_id, { auth_type: 'MFA' }))).reason).toBe('ERROR_NOT_AUTHENTICATED');
    });
    expect(tally(anew)).toEqual({ 'user.challenge': 2, 'code.send': 2 });
    expect(JSON.stringify([asked, wrong, right, again, anew])).not.toMatch(
      new RegExp(`${address}|(?<!\\d)${code}(?!\\d)`),
    );
  });

  it('of an authenticator: is recorded too, though nothing is mailed', async () => {
    const user_id = await aUser(service, tenant);
    const otp = await enableOtp(service, (await signIn(service, tenant, user_id)).access_token);
    nextStep(service);
    const records = await recordsOf(async () => {
      await refusal(issue(user_id));
      await refusal(withCode(user_id, otp.wrongCode()));
      await withCode(user_id, otp.code());
    });
    expect(actions(records)).toEqual([
      'user.challenge',
      'user.sign_in ERROR_INVALID_VERIFY_CODE',
      'code.confirm',
      'user.sign_in',
    ]);
  });

  it('dies of too many guesses, and the mail limit holds it back: both are recorded', async () => {
    const address = 'guessed-factor@example.com';
    const user_id = await aUser(service, tenant, emailMfa(address));
    await refusal(issue(user_id));
    const wrong = wrongCode(await mailedCode(service, address));
    const records = await recordsOf(async () => {
      for (let count = 0; count < 6; count += 1) await refusal(withCode(user_id, wrong));
    });
    expect(actions(records).slice(4)).toEqual([
      'user.sign_in ERROR_INVALID_VERIFY_CODE',
      'code.void',
      // Nothing was compared any more.
      'user.sign_in ERROR_INVALID_VERIFY_CODE',
    ]);
    const limited = await service.another({ MAIL_LIMIT_PER_HOUR: '1' });
    const refused = await recordsOf(() => refusal(signIn(limited, tenant, user_id)));
    await limited.close();
    expect(refused).toMatchObject([
      { action: 'code.send', reason: 'ERROR_TOO_MANY_REQUESTS', detail: { purpose: 'SIGN_IN' } },
    ]);
  });
});

describe('Guesses', () => {
  it('are ten failures and one lock, and nothing while the lock lasts', async () => {
    const user_id = await aUser(service, tenant);
    const records = await recordsOf(async () => {
      for (let count = 0; count < 13; count += 1) await guess(user_id);
      await refusal(issue(user_id));
    });
    expect(actions(records).slice(-2)).toEqual(['user.sign_in ERROR_AUTHENTICATION_FAILURE', 'user.lock']);
    expect(tally(records)).toEqual({ 'user.sign_in ERROR_AUTHENTICATION_FAILURE': 10, 'user.lock': 1 });
    expect(records.at(-1)).toMatchObject({
      target_id: user_id,
      outcome: 'OUTCOME_SUCCESS',
      request_id: records.at(-2)!.request_id,
    });
    service.clock.advance(301);
    const next = await recordsOf(async () => {
      for (let count = 0; count < 11; count += 1) await guess(user_id);
    });
    expect(tally(next)).toEqual({ 'user.sign_in ERROR_AUTHENTICATION_FAILURE': 10, 'user.lock': 1 });
  });

  it('are counted exactly when fifty come at once, at two instances', async () => {
    const user_id = await aUser(service, tenant);
    const second = await service.another();
    const records = await recordsOf(() =>
      Promise.all(Array.from({ length: 50 }, (_, index) => guess(user_id, index % 2 ? second : service))),
    );
    await second.close();
    expect(tally(records)).toEqual({ 'user.sign_in ERROR_AUTHENTICATION_FAILURE': 10, 'user.lock': 1 });
    const requests = new Set(records.map(({ request_id }) => request_id));
    expect(requests.size).toBe(10);
  });

  it('at an account that nobody has lock nobody', async () => {
    const records = await recordsOf(async () => {
      for (let count = 0; count < 12; count += 1) await guess('never-there@example.com');
    });
    expect(tally(records)).toEqual({ 'user.sign_in ERROR_NOT_FOUND': 10 });
  });

  it('inside a session are failures of what was tried, and lock as well', async () => {
    const user_id = await aUser(service, tenant);
    const { access_token } = await signIn(service, tenant, user_id);
    await service.call('UserProfile.verify_email', {}, access_token);
    const verify_code = wrongCode(await mailedCode(service, user_id));
    const passwords = { current_password: WRONG, new_password: 'Newpass1!' };
    const records = await recordsOf(async () => {
      for (let count = 0; count < 4; count += 1)
        await refusal(service.call('UserProfile.confirm_email', { verify_code }, access_token));
      for (let count = 0; count < 7; count += 1)
        await refusal(service.call('UserProfile.update_password', passwords, access_token));
    });
    expect(tally(records)).toEqual({
      'code.confirm ERROR_INVALID_VERIFY_CODE': 4,
      'password.change ERROR_PASSWORD_NOT_MATCHED': 6,
      'user.lock': 1,
    });
    for (const record of records) expect(record).toMatchObject({ actor_id: user_id, target_id: user_id });
    expect(records[0].detail).toEqual({ purpose: 'VERIFY_EMAIL' });
    expect(records[5].detail).toEqual({ way: 'CURRENT_PASSWORD' });
  });
});

it('many right sign-ins at once are one record each', async () => {
  const user_id = await aUser(service, tenant);
  const second = await service.another();
  const records = await recordsOf(() =>
    Promise.all(
      Array.from({ length: 20 }, (_, index) => issue(user_id, {}, {}, index % 2 ? second : service)),
    ),
  );
  await second.close();
  expect(tally(records)).toEqual({ 'user.sign_in': 20 });
});
