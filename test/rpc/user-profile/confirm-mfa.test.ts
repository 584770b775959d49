import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableEmail, enableOtp, newAuthenticator, nextStep } from '../../authenticator.js';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedCode, wrongCode } from '../../mailed.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

let count = 0;
async function someone(given: object = {}): Promise<{ user: string; token: string; address: string }> {
  const user = await aUser(service, tenant, given);
  const { access_token: token } = await signIn(service, tenant, user);
  return { user, token, address: `confirm${++count}@example.com` };
}
const confirm = (token: string | undefined, verify_code: string, given: object = {}) =>
  service.call('UserProfile.confirm_mfa', { verify_code, ...given }, token);
const wrong = { code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_VERIFY_CODE' };

async function asked(token: string, email: string): Promise<string> {
  await service.call('UserProfile.enable_mfa', { mfa_type: 'EMAIL', options: { email } }, token);
  return mailedCode(service, email);
}

describe('UserProfile.confirm_mfa', () => {
  it('EMAIL: puts MFA in force', async () => {
    const { user, token, address } = await someone();
    const confirmed = await confirm(token, ` ${await asked(token, address)} `);
    expect(confirmed.mfa).toEqual({ state: 'ENABLED', mfa_type: 'EMAIL', options: { email: address } });
    expect(await service.call('UserProfile.get', {}, token)).toEqual(confirmed);
    expect((await refusal(signIn(service, tenant, user))).reason).toBe('ERROR_MFA_REQUIRED');
  });

  it('OTP: puts MFA in force and shows no secret any more', async () => {
    const { user, token } = await someone();
    const authenticator = await newAuthenticator(service, token);
    const confirmed = await confirm(token, authenticator.code());
    expect(confirmed.mfa).toEqual({
      state: 'ENABLED',
      mfa_type: 'OTP',
      options: { user_secret_id: expect.stringMatching(/^user-secret-[0-9a-f]{12}$/) },
    });
    expect(JSON.stringify(await service.call('UserProfile.get', {}, token))).not.toContain(
      authenticator.uri.searchParams.get('secret'),
    );
    expect((await refusal(signIn(service, tenant, user))).text).toContain('mfa_type = OTP');
  });

  it('tells the owner what was switched, on and off', async () => {
    const { user, token } = await someone();
    const authenticator = await enableOtp(service, token);
    const on = await service.sink.waitFor(user);
    nextStep(service);
    await service.call('UserProfile.disable_mfa', {}, token);
    await confirm(token, authenticator.code());
    const off = await service.sink.waitFor(user);
    for (const mail of [on, off]) expect(mail.text).toMatch(/authenticator/i);
    expect(off.text).not.toBe(on.text);
  });

  it('tells the owner without a proven address where the codes went', async () => {
    const { token, address } = await someone({ email_verified: false });
    await enableEmail(service, token, address);
    expect((await service.sink.waitFor(address)).text).not.toMatch(/^\s*\d{6}\s*$/m);
    await service.call('UserProfile.disable_mfa', {}, token);
    await confirm(token, await mailedCode(service, address));
    expect((await service.sink.waitFor(address)).text).not.toMatch(/^\s*\d{6}\s*$/m);
  });

  it('lifts the demand of an administrator, with the token that comes with the refusal', async () => {
    const { user, token: _, address } = await someone();
    const users = service.app.rooms.mongo.connection.collection('user');
    await users.updateOne(
      { domain_id: tenant.domain_id, user_id: user },
      {
        $set: {
          mfa: { state: 'DISABLED', mfa_type: 'EMAIL', options: { enforce: true } },
          required_actions: ['ENFORCE_MFA'],
        },
      },
    );
    const refused = await refusal(signIn(service, tenant, user));
    const token = /access_token = ([\w.-]+)/.exec(refused.text)![1]!;
    const confirmed = await confirm(token, await asked(token, address));
    expect(confirmed).not.toHaveProperty('required_actions');
    expect(confirmed.mfa).toEqual({
      state: 'ENABLED',
      mfa_type: 'EMAIL',
      options: { enforce: true, email: address },
    });
    expect((await refusal(signIn(service, tenant, user))).reason).toBe('ERROR_MFA_REQUIRED');
  });

  it('P11: OTP: accepts one step of drift on either side, and not two', async () => {
    for (const [drift, accepted] of [
      [-2, false],
      [2, false],
      [-1, true],
      [1, true],
    ] as const) {
      const { token } = await someone();
      const authenticator = await newAuthenticator(service, token);
      const answer = confirm(token, authenticator.code(drift));
      if (accepted) expect((await answer).mfa.state).toBe('ENABLED');
      else expect(await refusal(answer)).toMatchObject(wrong);
    }
  });

  it('OTP: takes the secret that was shown last', async () => {
    const { token } = await someone();
    const first = await newAuthenticator(service, token);
    const second = await newAuthenticator(service, token);
    expect(await refusal(confirm(token, first.code()))).toMatchObject(wrong);
    expect((await confirm(token, second.code())).mfa.state).toBe('ENABLED');
  });

  it.each([['EMAIL'], ['OTP']])('D-05: %s: gives up after five wrong codes', async (type) => {
    const { token, address } = await someone();
    const authenticator = type === 'OTP' ? await newAuthenticator(service, token) : undefined;
    const right = authenticator?.code() ?? (await asked(token, address));
    const bad = authenticator?.wrongCode() ?? wrongCode(right);
    for (let guess = 0; guess < 5; guess++) expect(await refusal(confirm(token, bad))).toMatchObject(wrong);
    expect(await refusal(confirm(token, right))).toMatchObject(wrong);
    expect(await service.call('UserProfile.get', {}, token)).not.toHaveProperty('mfa');
  });

  it.each([['EMAIL'], ['OTP']])('D-05: %s: takes one code once, however many try at once', async (type) => {
    const { user, token, address } = await someone();
    const code =
      type === 'OTP' ? (await newAuthenticator(service, token)).code() : await asked(token, address);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => confirm(token, code)));
    expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    expect(await refusal(confirm(token, code))).toMatchObject(wrong);
    expect((await refusal(signIn(service, tenant, user))).reason).toBe('ERROR_MFA_REQUIRED');
  });

  it('D-05: forgets a code after five minutes', async () => {
    const { token, address } = await someone();
    const code = await asked(token, address);
    service.clock.advance(301);
    expect(await refusal(confirm(token, code))).toMatchObject(wrong);
    const authenticator = await newAuthenticator(service, token);
    service.clock.advance(301);
    expect(await refusal(confirm(token, authenticator.code()))).toMatchObject(wrong);
  });

  it('takes no code of another user', async () => {
    const [one, two] = [await someone(), await someone()];
    const code = await asked(one.token, one.address);
    const other = await asked(two.token, one.address);
    if (code !== other) expect(await refusal(confirm(two.token, code))).toMatchObject(wrong);
    const authenticator = await newAuthenticator(service, one.token);
    await newAuthenticator(service, two.token);
    expect(await refusal(confirm(two.token, authenticator.code()))).toMatchObject(wrong);
  });

  it('D-28: refuses a code when nothing waits for one', async () => {
    const { token } = await someone();
    expect(await refusal(confirm(token, '123456'))).toMatchObject({
      ...wrong,
      text: 'Verify code is wrong or has expired. (verify_code = 123456)',
    });
  });

  it('asks for the code', async () => {
    const { token } = await someone();
    expect(await refusal(confirm(token, ''))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: 'Required parameter. (key = verify_code)',
    });
  });

  it('takes the ids of the caller, and no others', async () => {
    const { user, token, address } = await someone();
    const verify_code = await asked(token, address);
    for (const given of [{ user_id: tenant.admin }, { domain_id: 'domain-root' }]) {
      const refused = await refusal(confirm(token, verify_code, given));
      expect(refused.reason).toBe('ERROR_INVALID_PARAMETER');
      expect(refused.text).toContain(`key = ${Object.keys(given)[0]}`);
    }
    const own = { user_id: user, domain_id: tenant.domain_id };
    expect((await confirm(token, verify_code, own)).mfa.state).toBe('ENABLED');
  });

  it('refuses a call without a token', async () => {
    expect(await refusal(confirm(undefined, '123456'))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATE_FAILURE',
    });
  });
});
