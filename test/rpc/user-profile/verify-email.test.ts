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

  it('P07 D-06: mails a code to a new address, which changes nothing before it comes back', async () => {
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

  const flood = { code: status.RESOURCE_EXHAUSTED, reason: 'ERROR_TOO_MANY_REQUESTS' };

  it('D-08: limits the mails of one user in an hour, wherever they go', async () => {
    const limited = await service.another({ MAIL_LIMIT_PER_HOUR: '2' });
    const { user, token } = await someone();
    const ask = (email: string, as = token) => limited.call('UserProfile.verify_email', { email }, as);
    await ask('flood1@example.com');
    await ask('flood2@example.com');
    expect(await refusal(ask('flood3@example.com'))).toMatchObject(flood);
    expect(await mailsTo(service, 'flood3@example.com')).toBe(0);
    service.clock.advance(3601);
    const { access_token } = await signIn(limited, tenant, user);
    expect(await ask('flood3@example.com', access_token)).toEqual({});
    await limited.close();
  });

  it('D-08: limits the mails that many users have sent to an address that is not theirs', async () => {
    const limited = await service.another({ MAIL_LIMIT_PER_HOUR: '1' });
    const ask = async (email: string) =>
      limited.call('UserProfile.verify_email', { email }, (await someone()).token);
    for (let index = 0; index < 5; index++) await ask(index % 2 ? 'many@example.com' : 'MANY@example.com');
    expect(await refusal(ask('many@example.com'))).toMatchObject(flood);
    expect(await ask('others@example.com')).toEqual({});
    await limited.close();
  });

  it('D-08: counts the spellings of an international address as one', async () => {
    const limited = await service.another({ MAIL_LIMIT_PER_HOUR: '1' });
    const ask = async (email: string) =>
      limited.call('UserProfile.verify_email', { email }, (await someone()).token);
    const spellings = ['many@bücher.example', 'many@xn--bcher-kva.example', 'MANY@XN--bcher-kva.EXAMPLE'];
    for (let index = 0; index < 5; index++) await ask(spellings[index % 3]!);
    for (const spelling of spellings) expect(await refusal(ask(spelling))).toMatchObject(flood);
    expect(await ask('many@bucher.example')).toEqual({});
    await limited.close();
  });

  it('D-08: does not let strangers use up the codes of a user', async () => {
    const limited = await service.another({ MAIL_LIMIT_PER_HOUR: '2' });
    const ask = (as: string, email: string) => limited.call('UserProfile.verify_email', { email }, as);
    const [unproven, proven] = [await someone({ email_verified: false }), await someone()];
    for (const { user } of [unproven, proven]) {
      const { token } = await someone();
      for (let mail = 0; mail < 2; mail++) await ask(token, user);
      expect(await refusal(ask(token, user))).toMatchObject(flood);
    }
    expect(await ask(unproven.token, unproven.user)).toEqual({});
    // Many strangers together cannot do it either, once the address is proven.
    for (let index = 0; index < 8; index++) await ask((await someone()).token, proven.user);
    expect(await refusal(ask((await someone()).token, proven.user))).toMatchObject(flood);
    expect(await ask(proven.token, proven.user)).toEqual({});
    await limited.close();
  });

  it('refuses a call without a token', async () => {
    expect(await refusal(verify(undefined))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATE_FAILURE',
    });
  });
});
