import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedCode, mailsTo, wrongCode } from '../../mailed.js';

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
const confirm = (token: string | undefined, verify_code: string) =>
  service.call('UserProfile.confirm_email', { verify_code }, token);
const wrong = { code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_VERIFY_CODE' };

async function asked(token: string, email: string): Promise<string> {
  await service.call('UserProfile.verify_email', { email }, token);
  return mailedCode(service, email);
}

describe('UserProfile.confirm_email', () => {
  it('marks the stored address as verified', async () => {
    const { user, token } = await someone({ email_verified: false });
    const confirmed = await confirm(token, ` ${await asked(token, user)} `);
    expect(confirmed).toMatchObject({ user_id: user, email: user, email_verified: true });
    expect(await service.call('UserProfile.get', {}, token)).toEqual(confirmed);
    expect(await mailsTo(service, user)).toBe(1);
  });

  it('P07 D-06: stores the address that the code was mailed to, and tells the old one', async () => {
    const { user, token } = await someone();
    const confirmed = await confirm(token, await asked(token, 'proven@example.com'));
    expect(confirmed).toMatchObject({ email: 'proven@example.com', email_verified: true });
    const notice = await service.sink.waitFor(user);
    expect(notice.text).toContain('p***@\u200bexample.\u200bcom');
    expect(notice.text).not.toContain('proven@');
  });

  it('P06 D-05: takes a code once', async () => {
    const { token } = await someone();
    const code = await asked(token, 'once@example.com');
    await confirm(token, code);
    expect(await refusal(confirm(token, code))).toMatchObject(wrong);
  });

  it('P06 F10 D-05: takes one code once, however many try at once, over two instances', async () => {
    const { user, token } = await someone();
    const second = await service.another();
    const verify_code = await asked(token, 'parallel@example.com');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? second : service).call('UserProfile.confirm_email', { verify_code }, token),
      ),
    );
    expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    expect(await signIn(service, tenant, user)).toHaveProperty('access_token');
    await second.close();
  });

  it('P06 D-05: gives a code up after five wrong ones', async () => {
    const { user, token } = await someone();
    const code = await asked(token, 'guessed@example.com');
    for (let guess = 0; guess < 5; guess++) {
      expect(await refusal(confirm(token, wrongCode(code)))).toMatchObject({
        ...wrong,
        text: `Verify code is wrong or has expired. (verify_code = ${wrongCode(code)})`,
      });
    }
    expect(await refusal(confirm(token, code))).toMatchObject(wrong);
    expect((await service.call('UserProfile.get', {}, token)).email).toBe(user);
  });

  it('P06 D-05: forgets a code after ten minutes', async () => {
    const { token } = await someone();
    const code = await asked(token, 'late@example.com');
    service.clock.advance(601);
    expect(await refusal(confirm(token, code))).toMatchObject(wrong);
  });

  it('P06: takes the newest code alone', async () => {
    const { token } = await someone();
    const first = await asked(token, 'first@example.com');
    const second = await asked(token, 'second@example.com');
    if (first !== second) expect(await refusal(confirm(token, first))).toMatchObject(wrong);
    expect((await confirm(token, second)).email).toBe('second@example.com');
  });

  it('takes no code of another user, even for the same address', async () => {
    const [one, two] = [await someone(), await someone()];
    const code = await asked(one.token, 'shared@example.com');
    const other = await asked(two.token, 'shared@example.com');
    if (code === other) return;
    expect(await refusal(confirm(two.token, code))).toMatchObject(wrong);
    expect((await confirm(two.token, other)).email).toBe('shared@example.com');
  });

  it('takes no code that was made for MFA', async () => {
    const { token } = await someone();
    const request = { mfa_type: 'EMAIL', options: { email: 'purpose@example.com' } };
    await service.call('UserProfile.enable_mfa', request, token);
    const code = await mailedCode(service, 'purpose@example.com');
    expect(await refusal(confirm(token, code))).toMatchObject(wrong);
    const email = await asked(token, 'purpose@example.com');
    if (email !== code) {
      const mfa = service.call('UserProfile.confirm_mfa', { verify_code: email }, token);
      expect(await refusal(mfa)).toMatchObject(wrong);
    }
  });

  it('refuses a code that nobody asked for', async () => {
    const { token } = await someone();
    expect(await refusal(confirm(token, '123456'))).toMatchObject({
      ...wrong,
      text: 'Verify code is wrong or has expired. (verify_code = 123456)',
    });
  });

  it.each([[''], ['   ']])('asks for the code: %j', async (code) => {
    const { token } = await someone();
    expect(await refusal(confirm(token, code))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: 'Required parameter. (key = verify_code)',
    });
  });

  it('refuses a code that is too long to be one', async () => {
    const { token } = await someone();
    expect(await refusal(confirm(token, '1'.repeat(33)))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_INVALID_PARAMETER',
    });
  });

  it('refuses a call without a token', async () => {
    expect(await refusal(confirm(undefined, '123456'))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATE_FAILURE',
    });
  });
});
