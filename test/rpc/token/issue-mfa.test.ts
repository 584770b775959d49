import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableEmail, enableOtp, nextStep } from '../../authenticator.js';
import type { Authenticator } from '../../authenticator.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedCode, mailedPassword, mailsTo, wrongCode } from '../../mailed.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

const second = (user_id: string, verify_code?: string, given: object = {}) =>
  service.call('Token.issue', {
    credentials: { user_id, password: PASSWORD },
    auth_type: 'MFA',
    domain_id: tenant.domain_id,
    ...(verify_code ? { verify_code } : {}),
    ...given,
  });
const first = (user_id: string) => refusal(signIn(service, tenant, user_id));
const wrong = { code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_VERIFY_CODE' };
const invalid = { code: status.UNAUTHENTICATED, reason: 'ERROR_INVALID_CREDENTIALS' };

let count = 0;
async function withEmail(
  address = `factor${++count}@example.com`,
): Promise<{ user: string; address: string }> {
  const user = await aUser(service, tenant);
  const { access_token } = await signIn(service, tenant, user);
  await enableEmail(service, access_token, address);
  return { user, address };
}

async function withOtp(): Promise<{ user: string; authenticator: Authenticator }> {
  const user = await aUser(service, tenant);
  const { access_token } = await signIn(service, tenant, user);
  const authenticator = await enableOtp(service, access_token);
  nextStep(service);
  return { user, authenticator };
}

describe('Token.issue with MFA by mail', () => {
  it('P12: asks for the code first, in words that clients read, and gives tokens for it', async () => {
    const { user, address } = await withEmail();
    const refused = await first(user);
    expect(refused).toMatchObject({ code: status.INTERNAL, reason: 'ERROR_MFA_REQUIRED' });
    expect(refused.text).toContain('MFA');
    expect(/mfa_type\s*=\s*(\w+)/.exec(refused.text)?.[1]).toBe('EMAIL');
    expect(/[\w.+-]+@[\w-]+\.[\w.-]*\w/.exec(refused.text)?.[0]).toBe(address);
    const tokens = await second(user, await mailedCode(service, address));
    expect(Object.keys(tokens).sort()).toEqual(['access_token', 'refresh_token']);
    expect(await service.call('UserProfile.get', {}, tokens.access_token)).toMatchObject({ user_id: user });
  });

  it('D-05: takes a code once', async () => {
    const { user, address } = await withEmail();
    await first(user);
    const code = await mailedCode(service, address);
    await second(user, code);
    expect(await refusal(second(user, code))).toMatchObject(invalid);
  });

  it('D-05: takes one code once, however many try at once', async () => {
    const { user, address } = await withEmail();
    await first(user);
    const code = await mailedCode(service, address);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => second(user, code)));
    expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    expect((await first(user)).reason).toBe('ERROR_MFA_REQUIRED');
  });

  it('P06 P12 D-05: gives a code up after five wrong ones', async () => {
    const { user, address } = await withEmail();
    await first(user);
    const code = await mailedCode(service, address);
    for (let guess = 0; guess < 5; guess++)
      expect(await refusal(second(user, wrongCode(code)))).toMatchObject(wrong);
    expect(await refusal(second(user, code))).toMatchObject(wrong);
  });

  it('P06: sends a new code on request, and the one before is dead', async () => {
    const { user, address } = await withEmail();
    await first(user);
    const old = await mailedCode(service, address);
    const resend = await refusal(second(user));
    expect(resend).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'ERROR_NOT_AUTHENTICATED' });
    expect(resend.text).toMatch(/MFA|Authenticate/);
    const fresh = await mailedCode(service, address);
    if (old !== fresh) expect(await refusal(second(user, old))).toMatchObject(wrong);
    expect(await second(user, fresh)).toHaveProperty('refresh_token');
  });

  it('forgets a code after five minutes', async () => {
    const { user, address } = await withEmail();
    await first(user);
    const code = await mailedCode(service, address);
    service.clock.advance(301);
    expect(await refusal(second(user, code))).toMatchObject(invalid);
  });

  it('trims blanks around the code', async () => {
    const { user, address } = await withEmail();
    await first(user);
    expect(await second(user, ` ${await mailedCode(service, address)} `)).toHaveProperty('access_token');
  });

  it('D-08: limits the codes mailed for signing in, whoever knows the password', async () => {
    const limited = await service.another({ MAIL_LIMIT_PER_HOUR: '3' });
    const { user, address } = await withEmail();
    for (let mail = 0; mail < 3; mail++)
      expect((await refusal(signIn(limited, tenant, user))).reason).toBe('ERROR_MFA_REQUIRED');
    expect(await refusal(signIn(limited, tenant, user))).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: 'ERROR_TOO_MANY_REQUESTS',
    });
    expect(await mailsTo(service, address)).toBe(1 + 3);
    await limited.close();
  });

  it('does not let others use up the mails that a user needs to sign in', async () => {
    const { user, address } = await withEmail();
    const stranger = await aUser(service, tenant);
    const { access_token } = await signIn(service, tenant, stranger);
    for (let mail = 0; mail < 20; mail++)
      await service.call('UserProfile.verify_email', { email: address }, access_token);
    expect(
      await refusal(service.call('UserProfile.verify_email', { email: address }, access_token)),
    ).toMatchObject({
      reason: 'ERROR_TOO_MANY_REQUESTS',
    });
    expect((await first(user)).reason).toBe('ERROR_MFA_REQUIRED');
  });
});

describe('Token.issue with an authenticator', () => {
  it('asks for the code, naming the user id, and gives tokens for it', async () => {
    const { user, authenticator } = await withOtp();
    expect(await first(user)).toMatchObject({
      code: status.INTERNAL,
      reason: 'ERROR_MFA_REQUIRED',
      text: `MFA is required. (user_id = ${user}), (mfa_type = OTP)`,
    });
    expect(await second(user, authenticator.code())).toHaveProperty('refresh_token');
  });

  it('F12 D-05: accepts one step of drift on either side, and not two', async () => {
    for (const [drift, accepted] of [
      [-2, false],
      [2, false],
      [-1, true],
      [1, true],
    ] as const) {
      const { user, authenticator } = await withOtp();
      nextStep(service);
      await first(user);
      const answer = second(user, authenticator.code(drift));
      if (accepted) expect(await answer).toHaveProperty('access_token');
      else expect(await refusal(answer)).toMatchObject(wrong);
    }
  });

  it('D-05: accepts no code twice, nor one that is older than an accepted one', async () => {
    const { user, authenticator } = await withOtp();
    nextStep(service);
    await first(user);
    await second(user, authenticator.code());
    for (const steps of [0, -1]) {
      await first(user);
      expect(await refusal(second(user, authenticator.code(steps)))).toMatchObject(wrong);
    }
    nextStep(service);
    expect(await second(user, authenticator.code())).toHaveProperty('access_token');
  });

  it('D-05: takes one code once, however many try at once', async () => {
    const { user, authenticator } = await withOtp();
    await first(user);
    const code = authenticator.code();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => second(user, code)));
    expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
  });

  it('D-05: gives up after five wrong codes', async () => {
    const { user, authenticator } = await withOtp();
    await first(user);
    for (let guess = 0; guess < 5; guess++)
      expect(await refusal(second(user, authenticator.wrongCode()))).toMatchObject(wrong);
    expect(await refusal(second(user, authenticator.code()))).toMatchObject(wrong);
  });

  it('gives an authenticator more time without a mail', async () => {
    const { user, authenticator } = await withOtp();
    await first(user);
    service.clock.advance(200);
    expect((await refusal(second(user))).reason).toBe('ERROR_NOT_AUTHENTICATED');
    service.clock.advance(200);
    expect(await second(user, authenticator.code())).toHaveProperty('access_token');
  });
});

describe('The second factor', () => {
  it('is worth nothing without a checked password before it', async () => {
    const { user, authenticator } = await withOtp();
    expect(await refusal(second(user, authenticator.code()))).toMatchObject(invalid);
    expect(await refusal(second(user))).toMatchObject(invalid);
  });

  it('is asked of nobody who has none', async () => {
    const user = await aUser(service, tenant);
    expect(await refusal(second(user, '123456'))).toMatchObject(invalid);
  });

  it('P12 D-02: does not sign in without the password, nor with the code of another purpose', async () => {
    const { user, address } = await withEmail();
    await first(user);
    const { access_token } = await second(user, await mailedCode(service, address));
    await service.call('UserProfile.disable_mfa', {}, access_token);
    const code = await mailedCode(service, address);
    const credentials = { user_id: user, domain_id: tenant.domain_id };
    expect(await refusal(second(user, code, { credentials }))).toMatchObject(invalid);
    expect(await refusal(second(user, code))).toMatchObject(invalid);
    await first(user);
    const login = await mailedCode(service, address);
    if (login !== code) {
      expect(await refusal(second(user, code))).toMatchObject(wrong);
      const confirm = service.call('UserProfile.confirm_mfa', { verify_code: login }, access_token);
      expect(await refusal(confirm)).toMatchObject(wrong);
    }
    const bad = { credentials: { user_id: user, password: 'Wrong0pass' } };
    expect(await refusal(second(user, login, bad))).toMatchObject(invalid);
    expect(await second(user, login)).toHaveProperty('access_token');
  });

  it('D-01: signs in to the domain whose user proved it, and to no other', async () => {
    const victims = await aTenant(service);
    const { user, address } = await withEmail();
    await aUser(service, victims, { user_id: user });
    await first(user);
    const code = await mailedCode(service, address);
    for (const domain_id of [victims.domain_id, 'domain-root', 'domain-000000000000']) {
      const { code: answered } = await refusal(second(user, code, { domain_id }));
      expect([status.UNAUTHENTICATED, status.NOT_FOUND]).toContain(answered);
    }
    const { access_token } = await second(user, code);
    expect(await service.call('UserProfile.get', {}, access_token)).toMatchObject({
      domain_id: tenant.domain_id,
    });
  });

  it('P12: is asked for after a password reset too', async () => {
    const { user } = await withOtp();
    const temporary = await service.another({ RESET_PASSWORD_TYPE: 'PASSWORD' });
    await temporary.call('UserProfile.reset_password', { user_id: user, domain_id: tenant.domain_id });
    const password = await mailedPassword(service, user);
    expect((await refusal(signIn(service, tenant, user, password))).reason).toBe('ERROR_MFA_REQUIRED');
    await temporary.close();
  });

  it('may be told by a stricter status', async () => {
    const strict = await service.another({ STRICT_MFA_STATUS: 'true' });
    const { user } = await withOtp();
    expect(await refusal(signIn(strict, tenant, user))).toMatchObject({
      code: status.FAILED_PRECONDITION,
      reason: 'ERROR_MFA_REQUIRED',
    });
    await strict.close();
  });
});
