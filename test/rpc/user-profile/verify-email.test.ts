import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedCode, mailsTo } from '../../mailed.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService({ BRAND_NAME: 'Acme Accounts', SUPPORT_URL: 'https://help.acme.example/' });
  tenant = await aTenant(service);
});
afterAll(() => service.close());

async function someone(given: object = {}): Promise<{ user: string; token: string }> {
  const user = await aUser(service, tenant, given);
  return { user, token: (await signIn(service, tenant, user)).access_token };
}
const verify = (token: string | undefined, request: object = {}) =>
  service.call('UserProfile.verify_email', request, token);

describe('UserProfile.verify_email', () => {
  it('mails a code to the stored address and answers nothing', async () => {
    const { user, token } = await someone({ email_verified: false });
    expect(await verify(token)).toEqual({});
    const mail = await service.sink.waitFor(user);
    expect(mail.subject).toMatch(/^\[Acme Accounts\] /);
    expect(mail.text).toMatch(/^\s*[1-9]\d{5}\s*$/m);
    expect(mail.text).toContain('10 minutes');
    expect(mail.to).toEqual([user]);
  });

  it('D-06: mails a code to a new address, which changes nothing before it comes back', async () => {
    const { user, token } = await someone();
    await verify(token, { email: 'new-one@example.com' });
    await mailedCode(service, 'new-one@example.com');
    expect(await service.call('UserProfile.get', {}, token)).toMatchObject({
      email: user,
      email_verified: true,
    });
    expect(await mailsTo(service, user)).toBe(0);
  });

  it('D-29: falls back to English in a language without a template, and knows Korean and Japanese', async () => {
    for (const [language, word] of [
      ['fr', 'code'],
      ['xx', 'code'],
      ['ko', '코드'],
      ['ja', 'コード'],
      ['ja-JP', 'コード'],
    ] as const) {
      const { user, token } = await someone({ language });
      await verify(token);
      const mail = await service.sink.waitFor(user);
      expect(mail.subject + mail.text).toContain(word);
    }
  });

  it('D-35: puts the configured brand and links into the mail', async () => {
    const { user, token } = await someone();
    await verify(token);
    const mail = await service.sink.waitFor(user);
    expect(mail.html).toContain('Acme Accounts');
    expect(mail.html).toContain('https://help.acme.example/');
    expect(mail.text).toContain('https://help.acme.example/');
  });

  it('D-35: is answered while the mail server is away, and the code comes when it is back', async () => {
    const { user, token } = await someone();
    await service.sink.down();
    expect(await verify(token)).toEqual({});
    await service.sink.up();
    expect(await mailedCode(service, user)).toMatch(/^\d{6}$/);
  });

  it.each([
    ['nope'],
    ['a@x.io,b@y.io'],
    ['a@x.io;b@y.io'],
    ['a@x.io\r\nBcc: b@y.io'],
    ['"a@x.io,b"@y.io'],
    ['a@x.io '.repeat(2)],
    [`a@${'x'.repeat(250)}.io`],
  ])('D-21: mails to one plain address alone, not to %j', async (email) => {
    const { token } = await someone();
    const before = service.sink.mails.length;
    const refused = await refusal(verify(token, { email }));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(['ERROR_INCORRECT_EMAIL_FORMAT', 'ERROR_INVALID_PARAMETER']).toContain(refused.reason);
    expect(service.sink.mails.length).toBe(before);
  });

  it('D-43: asks for an address when there is none', async () => {
    const { token } = await someone({ user_id: 'plain', email: '' });
    expect(await refusal(verify(token))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: 'Required parameter. (key = email)',
    });
  });

  it('D-08: limits the mails of one user, and to one address, in an hour', async () => {
    const limited = await service.another({ MAIL_LIMIT_PER_HOUR: '2' });
    const { token } = await someone();
    const other = await someone();
    const ask = (as: string, email: string) => limited.call('UserProfile.verify_email', { email }, as);
    await ask(token, 'flood1@example.com');
    await ask(token, 'flood2@example.com');
    const flood = { code: status.RESOURCE_EXHAUSTED, reason: 'ERROR_TOO_MANY_REQUESTS' };
    expect(await refusal(ask(token, 'flood3@example.com'))).toMatchObject(flood);
    await ask(other.token, 'FLOOD2@example.com');
    expect(await refusal(ask(other.token, 'flood2@example.com'))).toMatchObject(flood);
    expect(await mailsTo(service, 'flood3@example.com')).toBe(0);
    service.clock.advance(3601);
    const { access_token } = await signIn(limited, tenant, other.user);
    expect(await ask(access_token, 'flood2@example.com')).toEqual({});
    await limited.close();
  });

  it('refuses a call without a token', async () => {
    expect(await refusal(verify(undefined))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATE_FAILURE',
    });
  });
});
