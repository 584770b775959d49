import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableEmail, enableOtp, nextStep } from '../../authenticator.js';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedCode, mailsTo } from '../../mailed.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

async function someone(given: object = {}): Promise<{ user: string; token: string }> {
  const user = await aUser(service, tenant, given);
  return { user, token: (await signIn(service, tenant, user)).access_token };
}
const disable = (token: string | undefined, request: object = {}) =>
  service.call('UserProfile.disable_mfa', request, token);
const confirm = (token: string, verify_code: string) =>
  service.call('UserProfile.confirm_mfa', { verify_code }, token);
const get = (token: string) => service.call('UserProfile.get', {}, token);

describe('UserProfile.disable_mfa', () => {
  it('P13: EMAIL: mails a code to the MFA address and switches nothing off yet', async () => {
    const { user, token } = await someone();
    await enableEmail(service, token, 'off@example.com');
    const before = await get(token);
    expect(await disable(token)).toEqual(before);
    expect(before.mfa.state).toBe('ENABLED');
    expect((await refusal(signIn(service, tenant, user))).reason).toBe('ERROR_MFA_REQUIRED');
    expect(await mailsTo(service, 'off@example.com')).toBe(3);
  });

  it('P13: EMAIL: is done when the code comes back', async () => {
    const { user, token } = await someone();
    await enableEmail(service, token, 'gone@example.com');
    await disable(token);
    const after = await confirm(token, await mailedCode(service, 'gone@example.com'));
    expect(after.mfa).toEqual({ state: 'DISABLED', options: {} });
    expect(await get(token)).toEqual(after);
    expect(await signIn(service, tenant, user)).toHaveProperty('refresh_token');
  });

  it('P13: OTP: is done with a code of the authenticator, and the secret is gone', async () => {
    const { user, token } = await someone();
    const authenticator = await enableOtp(service, token);
    nextStep(service);
    expect((await disable(token)).mfa).toMatchObject({ state: 'ENABLED', mfa_type: 'OTP' });
    expect((await refusal(confirm(token, authenticator.wrongCode()))).reason).toBe(
      'ERROR_INVALID_VERIFY_CODE',
    );
    expect((await confirm(token, authenticator.code())).mfa).toEqual({ state: 'DISABLED', options: {} });
    const users = service.app.rooms.mongo.connection.collection('user');
    expect(await users.findOne({ user_id: user })).not.toHaveProperty('otp');
    expect(await signIn(service, tenant, user)).toHaveProperty('refresh_token');
  });

  it('OTP: refuses a code that was used before', async () => {
    const { token } = await someone();
    const authenticator = await enableOtp(service, token);
    await disable(token);
    expect((await refusal(confirm(token, authenticator.code()))).reason).toBe('ERROR_INVALID_VERIFY_CODE');
  });

  it('keeps the enforcement of an administrator, and asks for MFA again', async () => {
    const { user, token } = await someone({
      mfa: { state: 'DISABLED', mfa_type: 'EMAIL', options: { enforce: true } },
    });
    await enableEmail(service, token, 'forced@example.com');
    await disable(token);
    const after = await confirm(token, await mailedCode(service, 'forced@example.com'));
    expect(after).toMatchObject({
      mfa: { state: 'DISABLED', mfa_type: 'EMAIL', options: { enforce: true } },
      required_actions: ['ENFORCE_MFA'],
    });
    expect(after.mfa.options).toEqual({ enforce: true });
    expect((await refusal(signIn(service, tenant, user))).reason).toBe('ERROR_MFA_NOT_ACTIVATED');
  });

  it('P13: never skips the code, whatever force says', async () => {
    const { token } = await someone();
    await enableOtp(service, token);
    expect((await disable(token, { force: true })).mfa.state).toBe('ENABLED');
    expect((await get(token)).mfa.state).toBe('ENABLED');
  });

  it('takes the ids of the caller, and no others', async () => {
    const { user, token } = await someone();
    await enableOtp(service, token);
    const own = { user_id: user, domain_id: tenant.domain_id, force: false };
    expect(await disable(token, own)).toMatchObject({ user_id: user });
    for (const given of [{ user_id: tenant.admin }, { domain_id: 'domain-root' }]) {
      const refused = await refusal(disable(token, { ...own, ...given }));
      expect(refused.reason).toBe('ERROR_INVALID_PARAMETER');
      expect(refused.text).toContain(`key = ${Object.keys(given)[0]}`);
    }
  });

  it('refuses when there is nothing to switch off', async () => {
    const { user, token } = await someone();
    expect(await refusal(disable(token))).toMatchObject({
      code: status.INTERNAL,
      reason: 'ERROR_MFA_ALREADY_DISABLED',
      text: `MFA is disabled already. (user_id = ${user})`,
    });
    const strict = await service.another({ STRICT_MFA_STATUS: 'true' });
    expect((await refusal(strict.call('UserProfile.disable_mfa', {}, token))).code).toBe(
      status.FAILED_PRECONDITION,
    );
    await strict.close();
  });

  it('refuses a call without a token', async () => {
    expect(await refusal(disable(undefined))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATE_FAILURE',
    });
  });
});
