import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedCode, mailsTo } from '../../mailed.js';

let service: Service;
let tenant: Tenant;
let user: string;
let token: string;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

async function someone(given: object = {}): Promise<{ user: string; token: string }> {
  const made = await aUser(service, tenant, given);
  return { user: made, token: (await signIn(service, tenant, made)).access_token };
}
const update = (request: object, as = token) => service.call('UserProfile.update', request, as);
const get = (as = token) => service.call('UserProfile.get', {}, as);

describe('UserProfile.update', () => {
  beforeAll(async () => {
    ({ user, token } = await someone({ tags: { team: 'one' } }));
  });

  it('changes the given fields and answers the profile', async () => {
    const tags = { a: 1, b: { c: [true, null, 1.5] } };
    const changed = await update({ name: ' Uma U. ', language: 'ko', timezone: 'Asia/Seoul', tags });
    expect(changed).toMatchObject({
      user_id: user,
      name: 'Uma U.',
      language: 'ko',
      timezone: 'Asia/Seoul',
      tags,
    });
    expect(changed).not.toHaveProperty('password');
    expect(await get()).toEqual(changed);
  });

  it('changes nothing when nothing is given, or only empty values', async () => {
    const before = await get();
    expect(await update({})).toEqual(before);
    expect(await update({ name: '', email: '', language: '', timezone: '' })).toEqual(before);
  });

  it('keeps a time zone in the letter case of its database', async () => {
    expect((await update({ timezone: 'asia/seoul' })).timezone).toBe('Asia/Seoul');
    expect((await update({ timezone: 'utc' })).timezone).toBe('UTC');
  });

  it('replaces tags as a whole, by none as well', async () => {
    await update({ tags: { a: 'x', b: 'y' } });
    expect((await update({ tags: { ' c ': ' z ' } })).tags).toEqual({ c: 'z' });
    expect((await update({ tags: {} })).tags).toEqual({});
  });

  it.each([
    ['timezone', 'Mars/Base', 'Timezone is invalid.'],
    ['timezone', 'Asia/../etc', 'Timezone is invalid.'],
    ['name', 'n'.repeat(129), 'must be at most 128 characters long'],
    ['name', 'two\nlines', 'must not hold control or invisible characters'],
    ['language', 'x'.repeat(20), 'must be at most 7 characters long'],
    ['language', 'e', 'must be a language tag such as en or pt-BR'],
    ['tags', { 'a.b': 1 }, expect.stringContaining('a.b')],
    ['tags', { deep: { $x: 2 } }, expect.stringContaining('$x')],
  ])('refuses a wrong %s: %j', async (key, value, reason) => {
    const refused = await refusal(update({ [key]: value }));
    expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
    expect(refused.text).toMatch(new RegExp(`^Parameter is invalid\\. \\(key = ${key}, reason = `));
    if (typeof reason === 'string') expect(refused.text).toContain(reason);
  });

  it.each([['en'], ['ko'], ['xx'], ['pt-BR'], ['zh-Hans']])(
    'D-29: accepts the language %s',
    async (language) => {
      expect((await update({ language })).language).toBe(language);
    },
  );

  it.each([
    ['not-an-email'],
    ['a@x.io,b@y.io'],
    ['a@x.io b@y.io'],
    ['a@x.io\nbcc: b@y.io'],
    ['Name <a@x.io>'],
    ['a@@x.io'],
    ['a@localhost'],
    [`${'a'.repeat(250)}@x.io`],
  ])('D-21: refuses an address that is not one plain address: %j', async (email) => {
    expect(await refusal(update({ email }))).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect((await get()).email).toBe(user);
  });

  it('names the rule that an address breaks', async () => {
    expect(await refusal(update({ email: 'not-an-email' }))).toMatchObject({
      reason: 'ERROR_INCORRECT_EMAIL_FORMAT',
      text: expect.stringContaining('rule = Email format required'),
    });
  });

  it('refuses a call without a token', async () => {
    expect(await refusal(service.call('UserProfile.update', { name: 'x' }))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATE_FAILURE',
      text: 'Authenticate failure. (message = empty token provided.)',
    });
  });

  it('cannot be called with the token of a mailed link', async () => {
    const key = { user_id: user, domain_id: tenant.domain_id };
    await service.call('UserProfile.reset_password', key);
    const mail = await service.sink.waitFor(user);
    const link = new URL(/https?:\/\/\S+sso_access_token=\S+/.exec(mail.text)![0]);
    const refused = await refusal(update({ name: 'x' }, link.searchParams.get('sso_access_token')!));
    expect(refused).toMatchObject({ code: status.PERMISSION_DENIED, reason: 'ERROR_PERMISSION_DENIED' });
  });
});

describe('D-06: a new address set by UserProfile.update', () => {
  it('P07: is not verified, and the old address is told', async () => {
    const { user: mover, token: own } = await someone();
    const changed = await update({ email: 'elsewhere@example.com' }, own);
    expect(changed).toMatchObject({ email: 'elsewhere@example.com' });
    expect(changed).not.toHaveProperty('email_verified');
    const notice = await service.sink.waitFor(mover);
    expect(notice.subject).toMatch(/^\[Identity\] /);
    expect(notice.text).toContain('e***@\u200bexample.\u200bcom');
    expect(await mailsTo(service, 'elsewhere@example.com')).toBe(0);
  });

  it('gets no reset link before it is proven', async () => {
    const { user: mover, token: own } = await someone();
    await update({ email: 'unproven@example.com' }, own);
    await service.call('UserProfile.reset_password', { user_id: mover, domain_id: tenant.domain_id });
    await service.app.rooms.reset.settled();
    expect(await mailsTo(service, 'unproven@example.com')).toBe(0);
  });

  it('makes a code that was on its way to another address worthless', async () => {
    const { token: own } = await someone();
    await service.call('UserProfile.verify_email', { email: 'candidate@example.com' }, own);
    const verify_code = await mailedCode(service, 'candidate@example.com');
    await update({ email: 'another@example.com' }, own);
    const confirm = service.call('UserProfile.confirm_email', { verify_code }, own);
    expect((await refusal(confirm)).reason).toBe('ERROR_INVALID_VERIFY_CODE');
    expect((await get(own)).email).toBe('another@example.com');
  });

  it('stays verified when it is the one that was there', async () => {
    const { user: same, token: own } = await someone();
    expect(await update({ email: same }, own)).toMatchObject({ email: same, email_verified: true });
  });
});

describe('The password field of UserProfile.update', () => {
  it('sets the password soon after the sign-in, together with other fields', async () => {
    const { user: holder, token: own } = await someone();
    const changed = await update({ password: 'Newpass1!', name: 'New' }, own);
    expect(changed.name).toBe('New');
    expect(await signIn(service, tenant, holder, 'Newpass1!')).toHaveProperty('access_token');
    expect((await refusal(signIn(service, tenant, holder))).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
    expect((await service.sink.waitFor(holder)).subject).toMatch(/password/i);
  });

  it('asks for the current password when the sign-in is older than ten minutes, and names the way', async () => {
    const { user: holder } = await someone();
    const { refresh_token } = await signIn(service, tenant, holder);
    service.clock.advance(601);
    const request = { grant_type: 'REFRESH_TOKEN', token: refresh_token, scope: 'USER' };
    const { access_token: own } = await service.call('Token.grant', request);
    const refused = await refusal(update({ password: 'Newpass1!', name: 'Not stored' }, own));
    expect(refused).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
    });
    expect(refused.text).toContain('key = current_password');
    expect(refused.text).toContain('update_password');
    expect(await get(own)).not.toHaveProperty('name');
    expect(await signIn(service, tenant, holder, PASSWORD)).toHaveProperty('access_token');
  });

  it('sets the password whenever it has to be changed', async () => {
    const { user: holder, token: own } = await someone({ required_actions: ['UPDATE_PASSWORD'] });
    service.clock.advance(700);
    expect(await update({ password: 'Newpass1!' }, own)).not.toHaveProperty('required_actions');
    expect(await signIn(service, tenant, holder, 'Newpass1!')).toHaveProperty('refresh_token');
  });

  it('keeps the rules for passwords', async () => {
    const { token: own } = await someone();
    expect(await refusal(update({ password: 'short' }, own))).toMatchObject({
      reason: 'ERROR_INCORRECT_PASSWORD_FORMAT',
      text: 'The password breaks a rule. (rule = At least 8 characters long)',
    });
    expect((await refusal(update({ password: PASSWORD }, own))).reason).toBe('ERROR_PASSWORD_NOT_CHANGED');
  });

  it('is refused for a user whose password is kept elsewhere', async () => {
    const { user: external, token: own } = await someone();
    const users = service.app.rooms.mongo.connection.collection('user');
    await users.updateOne(
      { domain_id: tenant.domain_id, user_id: external },
      { $set: { auth_type: 'EXTERNAL' } },
    );
    expect((await refusal(update({ password: 'Newpass1!' }, own))).reason).toBe(
      'ERROR_UNABLE_TO_RESET_PASSWORD_IN_EXTERNAL_AUTH',
    );
  });
});
