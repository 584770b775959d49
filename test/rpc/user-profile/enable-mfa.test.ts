import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableEmail, newAuthenticator } from '../../authenticator.js';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedCode, mailsTo } from '../../mailed.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService({ MFA_ISSUER: 'Acme & Söhne' });
  tenant = await aTenant(service);
});
afterAll(() => service.close());

async function someone(given: object = {}): Promise<{ user: string; token: string }> {
  const user = await aUser(service, tenant, given);
  return { user, token: (await signIn(service, tenant, user)).access_token };
}
const enable = (token: string | undefined, request: object) =>
  service.call('UserProfile.enable_mfa', request, token);
const get = (token: string) => service.call('UserProfile.get', {}, token);
const stored = (user: string) =>
  service.app.rooms.mongo.connection
    .collection('user')
    .findOne({ domain_id: tenant.domain_id, user_id: user });

describe('UserProfile.enable_mfa', () => {
  it('P11: EMAIL: mails a code and shows what waits for it; nothing is in force yet', async () => {
    const { user, token } = await someone();
    const before = await get(token);
    const answer = await enable(token, { mfa_type: 'EMAIL', options: { email: ' factor@example.com ' } });
    expect(answer).toEqual({
      ...before,
      mfa: { state: 'DISABLED', mfa_type: 'EMAIL', options: { email: 'factor@example.com' } },
    });
    expect(await mailedCode(service, 'factor@example.com')).toMatch(/^[1-9]\d{5}$/);
    expect(await get(token)).toEqual(before);
    expect(await signIn(service, tenant, user)).toHaveProperty('access_token');
  });

  it('P11: OTP: shows the address for a QR code once; nothing is in force yet', async () => {
    const { user, token } = await someone();
    const { mfa } = await enable(token, { mfa_type: 'OTP', options: {} });
    expect(mfa).toEqual({
      state: 'DISABLED',
      mfa_type: 'OTP',
      options: { otp_qrcode_uri: expect.any(String) },
    });
    const uri = new URL(mfa.options.otp_qrcode_uri);
    expect(`${uri.protocol}//${uri.host}`).toBe('otpauth://totp');
    expect(decodeURIComponent(uri.pathname)).toBe(`/Acme & Söhne:${user}`);
    expect(uri.searchParams.get('issuer')).toBe('Acme & Söhne');
    expect(uri.searchParams.get('secret')).toMatch(/^[A-Z2-7]{32}$/);
    expect(await get(token)).not.toHaveProperty('mfa');
    expect(await signIn(service, tenant, user)).toHaveProperty('access_token');
  });

  it('OTP: needs no options, and makes a new secret each time', async () => {
    const { token } = await someone();
    const [one, two] = [await newAuthenticator(service, token), await newAuthenticator(service, token)];
    expect(one.uri.searchParams.get('secret')).not.toBe(two.uri.searchParams.get('secret'));
    expect(await enable(token, { mfa_type: 'OTP' })).toHaveProperty('mfa');
  });

  it('D-12: takes nothing but the address from the options', async () => {
    const enforced = { state: 'DISABLED' as const, mfa_type: 'EMAIL' as const, options: { enforce: true } };
    const { user, token } = await someone({ mfa: enforced });
    const options = {
      email: 'only@example.com',
      enforce: false,
      user_secret_id: 'user-secret-000000000000',
      otp_secret_key: 'A'.repeat(32),
      more: { $set: 1 },
    };
    const answer = await enable(token, { mfa_type: 'EMAIL', options });
    expect(answer.mfa.options).toEqual({ enforce: true, email: 'only@example.com' });
    await service.call(
      'UserProfile.confirm_mfa',
      { verify_code: await mailedCode(service, 'only@example.com') },
      token,
    );
    expect((await stored(user))!['mfa']).toEqual({
      state: 'ENABLED',
      mfa_type: 'EMAIL',
      options: { enforce: true, email: 'only@example.com' },
    });
    const { token: other } = await someone();
    const otp = await enable(other, { mfa_type: 'OTP', options: { otp_secret_key: 'A'.repeat(32) } });
    expect(Object.keys(otp.mfa.options)).toEqual(['otp_qrcode_uri']);
    expect(otp.mfa.options.otp_qrcode_uri).not.toContain('A'.repeat(32));
  });

  it('takes the ids of the caller, and no others', async () => {
    const { user, token } = await someone();
    const own = { user_id: user, domain_id: tenant.domain_id };
    expect(await enable(token, { mfa_type: 'OTP', ...own })).toMatchObject({ user_id: user });
    for (const [key, given] of [
      ['user_id', { ...own, user_id: tenant.admin }],
      ['domain_id', { ...own, domain_id: 'domain-root' }],
    ] as const) {
      const refused = await refusal(enable(token, { mfa_type: 'OTP', ...given }));
      expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
      expect(refused.text).toContain(`key = ${key}`);
    }
  });

  it.each([
    ['mfa_type', { options: { email: 'a@example.com' } }],
    ['options', { mfa_type: 'EMAIL' }],
    ['options.email', { mfa_type: 'EMAIL', options: {} }],
    ['options.email', { mfa_type: 'EMAIL', options: { x: 'y' } }],
    ['options.email', { mfa_type: 'EMAIL', options: { email: '' } }],
  ])('D-28: asks for %s', async (key, request) => {
    const { token } = await someone();
    expect(await refusal(enable(token, request))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: `Required parameter. (key = ${key})`,
    });
  });

  it.each([['nope'], ['a@x.io,b@y.io'], [['a@x.io', 'b@y.io']], [{ $gt: '' }], [5], [null]])(
    'D-21: refuses %j as an address',
    async (email) => {
      const { token } = await someone();
      const before = service.sink.mails.length;
      expect(await refusal(enable(token, { mfa_type: 'EMAIL', options: { email } }))).toMatchObject({
        code: status.INVALID_ARGUMENT,
        reason: 'ERROR_INCORRECT_EMAIL_FORMAT',
      });
      expect(service.sink.mails.length).toBe(before);
    },
  );

  it('refuses a type that does not exist, naming those that do', async () => {
    const { token } = await someone();
    expect(await refusal(enable(token, { mfa_type: 'SMS', options: { phone: '1' } }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_NOT_SUPPORTED_MFA_TYPE',
      text: "This MFA type is not supported. (support_mfa_types = ['EMAIL', 'OTP'])",
    });
  });

  it('refuses to enable what is enabled, with the status that clients know', async () => {
    const { user, token } = await someone();
    await enableEmail(service, token, 'enabled@example.com');
    for (const request of [
      { mfa_type: 'EMAIL', options: { email: 'enabled@example.com' } },
      { mfa_type: 'OTP' },
      { mfa_type: 'SMS' },
    ]) {
      expect(await refusal(enable(token, request))).toMatchObject({
        code: status.INTERNAL,
        reason: 'ERROR_MFA_ALREADY_ENABLED',
        text: `MFA is enabled already. (user_id = ${user})`,
      });
    }
    expect(await mailsTo(service, 'enabled@example.com')).toBe(1);
    const strict = await service.another({ STRICT_MFA_STATUS: 'true' });
    expect(await refusal(strict.call('UserProfile.enable_mfa', { mfa_type: 'OTP' }, token))).toMatchObject({
      code: status.FAILED_PRECONDITION,
      reason: 'ERROR_MFA_ALREADY_ENABLED',
    });
    await strict.close();
  });

  it('refuses another type than the enforced one', async () => {
    const enforced = { state: 'DISABLED' as const, mfa_type: 'OTP' as const, options: { enforce: true } };
    const { token } = await someone({ mfa: enforced });
    const request = { mfa_type: 'EMAIL', options: { email: 'a@example.com' } };
    const refused = await refusal(enable(token, request));
    expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
    expect(refused.text).toContain('key = mfa_type');
    expect(await enable(token, { mfa_type: 'OTP' })).toHaveProperty('mfa');
  });

  it('is not for users who sign in elsewhere', async () => {
    const { user, token } = await someone();
    const users = service.app.rooms.mongo.connection.collection('user');
    await users.updateOne(
      { domain_id: tenant.domain_id, user_id: user },
      { $set: { auth_type: 'EXTERNAL' } },
    );
    expect(await refusal(enable(token, { mfa_type: 'OTP' }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_NOT_ALLOWED_ACTIONS',
      text: 'The action is not allowed for this user. (action = MFA)',
    });
  });

  it('refuses a call without a token', async () => {
    expect(await refusal(enable(undefined, { mfa_type: 'OTP' }))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATE_FAILURE',
    });
  });
});
