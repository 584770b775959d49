import type { ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedCode, mailedLink, mailedPassword, mailsTo } from '../../mailed.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService({ CONSOLE_URL: 'https://{domain_name}.console.acme.example/login?from=mail' });
  tenant = await aTenant(service);
});
afterAll(() => service.close());

const NEW = 'Resetpw1!';
const request = (user_id: string, at = service, domain_id = tenant.domain_id) =>
  at.call('UserProfile.reset_password', { user_id, domain_id });
const setPassword = (token: string, new_password = NEW) =>
  service.call('UserProfile.update_password', { new_password }, token);
const ended = { code: status.UNAUTHENTICATED, reason: 'ERROR_AUTHENTICATE_FAILURE' };

/** Asks and waits until the work behind the answer is done. */
async function asked(user_id: string, at = service): Promise<void> {
  expect(await request(user_id, at)).toEqual({});
  await at.app.rooms.reset.settled();
}

describe('UserProfile.reset_password', () => {
  it('mails a link to the stored address, with which the password is set', async () => {
    const user = await aUser(service, tenant, { email: 'elsewhere@example.com' });
    expect(await request(user)).toEqual({});
    const { link, token } = await mailedLink(service, 'elsewhere@example.com');
    expect(link.origin).toBe(`https://${tenant.name}.console.acme.example`);
    expect(link.searchParams.get('from')).toBe('mail');
    expect(await service.call('UserProfile.get', {}, token)).toMatchObject({ user_id: user });
    expect(await setPassword(token)).toMatchObject({ user_id: user });
    expect(await signIn(service, tenant, user, NEW)).toHaveProperty('refresh_token');
  });

  it('D-10: mails a token for an hour that can set the password and nothing else', async () => {
    const user = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    await request(user);
    const { token } = await mailedLink(service, user);
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({
      typ: 'ACCESS_TOKEN',
      rol: 'USER',
      aud: user,
      permissions: ['identity:UserProfile.get', 'identity:UserProfile.update_password'],
      injected_params: { required_actions: ['UPDATE_PASSWORD'] },
    });
    expect(claims.exp! - claims.iat!).toBe(3600);
    for (const [method, message] of [
      ['UserProfile.update', { name: 'x' }],
      ['UserProfile.verify_email', {}],
      ['UserProfile.enable_mfa', { mfa_type: 'OTP' }],
      ['UserProfile.get_workspaces', {}],
      ['WorkspaceUser.list', {}],
    ] as const) {
      expect(await refusal(service.call(method, message, token))).toMatchObject({
        code: status.PERMISSION_DENIED,
        reason: 'ERROR_PERMISSION_DENIED',
      });
    }
    const grant = { grant_type: 'REFRESH_TOKEN', token, scope: 'USER' };
    expect(await refusal(service.call('Token.grant', grant))).toMatchObject(ended);
  });

  it('P10 D-10: mails a link that works once, and ends all sessions', async () => {
    const user = await aUser(service, tenant);
    const session = await tokenOf(service, tenant, user);
    await request(user);
    const { token } = await mailedLink(service, user);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => setPassword(token, `Resetpw${index}!`)),
    );
    expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    expect(await refusal(setPassword(token, 'Another1!'))).toMatchObject(ended);
    expect(await refusal(service.call('UserProfile.get', {}, token))).toMatchObject(ended);
    expect(await refusal(service.call('UserProfile.get', {}, session))).toMatchObject(ended);
  });

  it('P10 D-10: mails a link that dies after an hour', async () => {
    const user = await aUser(service, tenant);
    await request(user);
    const { token } = await mailedLink(service, user);
    service.clock.advance(3600 + 61);
    expect(await refusal(setPassword(token))).toMatchObject(ended);
  });

  it('P10 D-10: mails a link that dies when the password is changed', async () => {
    const user = await aUser(service, tenant);
    await request(user);
    const { token } = await mailedLink(service, user);
    const change = { current_password: PASSWORD, new_password: NEW };
    const session = await tokenOf(service, tenant, user);
    await service.call('UserProfile.update_password', change, session);
    expect(await refusal(setPassword(token, 'Another1!'))).toMatchObject(ended);
  });

  it('D-10: mails a link that takes the place of the one before', async () => {
    const user = await aUser(service, tenant);
    await request(user);
    const first = await mailedLink(service, user);
    await request(user);
    const second = await mailedLink(service, user);
    expect(await refusal(setPassword(first.token))).toMatchObject(ended);
    expect(await setPassword(second.token)).toHaveProperty('user_id');
  });

  it('mails one link to all who ask for it at once', async () => {
    const user = await aUser(service, tenant);
    await Promise.all(Array.from({ length: 5 }, () => request(user)));
    await service.app.rooms.reset.settled();
    expect(await mailsTo(service, user)).toBe(1);
    expect(await setPassword((await mailedLink(service, user)).token)).toHaveProperty('user_id');
  });

  it('D-10: mails a link that a user who signed in meanwhile is not held up by', async () => {
    const user = await aUser(service, tenant);
    await request(user);
    const { token } = await mailedLink(service, user);
    expect(await signIn(service, tenant, user)).toHaveProperty('access_token');
    expect(await setPassword(token)).toHaveProperty('user_id');
  });

  it('P09 D-06: mails to the proven address until a new one is proven', async () => {
    const user = await aUser(service, tenant);
    const { access_token } = await signIn(service, tenant, user);
    const [first, second] = [`first-${user}`, `second-${user}`];
    for (const email of [first, second])
      expect(await service.call('UserProfile.update', { email }, access_token)).toMatchObject({ email });
    await asked(user);
    await mailedLink(service, user);
    for (const email of [first, second]) expect(await mailsTo(service, email)).toBe(0);
    await service.call('UserProfile.verify_email', {}, access_token);
    const verify_code = await mailedCode(service, second);
    await service.call('UserProfile.confirm_email', { verify_code }, access_token);
    await asked(user);
    const { token } = await mailedLink(service, second);
    expect(await setPassword(token)).toMatchObject({ user_id: user, email: second, email_verified: true });
  });

  it('P09 D-07: answers alike whoever is asked for, and mails to proven addresses alone', async () => {
    const disabled = await aUser(service, tenant, { state: 'DISABLED' });
    const external = await aUser(service, tenant, { auth_type: 'EXTERNAL' });
    const unverified = await aUser(service, tenant, { email_verified: false });
    const addressless = await aUser(service, tenant, { user_id: 'nobody-at-home', email: '' });
    const before = service.sink.mails.length;
    for (const user of ['nobody@example.com', disabled, external, unverified, addressless]) await asked(user);
    expect(await request(tenant.admin, service, 'domain-000000000000')).toEqual({});
    await service.app.rooms.reset.settled();
    for (const user of [disabled, external, unverified]) expect(await mailsTo(service, user)).toBe(0);
    expect(service.sink.mails.length).toBe(before);
  });

  it('P09: knows nobody by an id that only looks like theirs, and mails to neither', async () => {
    const user = await aUser(service, tenant, { user_id: 'mike.fish@example.com' });
    const before = service.sink.mails.length;
    const alike = [
      'MIKE.FISH@EXAMPLE.COM',
      // Kelvin sign, dotless i, ligature, full width, zero width, turned around, from another alphabet, one more dot.
      'mi\u212ae.fish@example.com',
      'm\u0131ke.fish@example.com',
      'mike.\ufb01sh@example.com',
      '\uff4dike.fish@example.com',
      'mike\u200b.fish@example.com',
      '\u202emike.fish@example.com',
      'm\u0456ke.fish@example.com',
      'mike.fish@example.com.',
      'mike.fish@example.com,eve@example.com',
      'mike.fish@example.com\r\nBcc: eve@example.com',
    ];
    for (const user_id of alike)
      await service
        .call('UserProfile.reset_password', { user_id, domain_id: tenant.domain_id })
        .catch((error: ServiceError) => expect(error.code).toBe(status.INVALID_ARGUMENT));
    await service.app.rooms.reset.settled();
    expect(await mailsTo(service, user)).toBe(0);
    expect(service.sink.mails.length).toBe(before);
    for (const user_id of alike) await expect(signIn(service, tenant, user_id)).rejects.toThrow(/ERROR_/);
  });

  it('D-09: sends nothing in a disabled domain', async () => {
    const other = await aTenant(service);
    const user = await aUser(service, other);
    const domains = service.app.rooms.mongo.connection.collection('domain');
    await domains.updateOne({ domain_id: other.domain_id }, { $set: { state: 'DISABLED' } });
    expect(await request(user, service, other.domain_id)).toEqual({});
    await service.app.rooms.reset.settled();
    expect(await mailsTo(service, user)).toBe(0);
  });

  it('D-09: sends no flood, and does not tell', async () => {
    const limited = await service.another({ MAIL_LIMIT_PER_HOUR: '2' });
    const user = await aUser(service, tenant);
    for (let index = 0; index < 4; index++) await asked(user, limited);
    expect(await mailsTo(service, user)).toBe(2);
    await limited.close();
  });

  it('D-08: limits what one address asks for', async () => {
    const limited = await service.another({ SIGN_IN_ATTEMPTS_PER_PEER: '3' });
    const ask = (peer: string) =>
      limited.call(
        'UserProfile.reset_password',
        { user_id: 'whoever@example.com', domain_id: tenant.domain_id },
        undefined,
        { 'x-forwarded-for': peer },
      );
    for (let index = 0; index < 3; index++) await ask('203.0.113.1');
    expect(await refusal(ask('203.0.113.1'))).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: 'ERROR_TOO_MANY_REQUESTS',
    });
    expect(await ask('203.0.113.2')).toEqual({});
    await limited.close();
  });

  it.each([
    ['user_id', { domain_id: 'domain-x' }],
    ['domain_id', { user_id: 'user@example.com' }],
  ])('asks for %s', async (key, message) => {
    expect(await refusal(service.call('UserProfile.reset_password', message))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: `Required parameter. (key = ${key})`,
    });
  });
});

describe('UserProfile.reset_password in the mode that mails a password', () => {
  let mailing: Service;
  beforeAll(async () => {
    mailing = await service.another({ RESET_PASSWORD_TYPE: 'PASSWORD' });
  });
  afterAll(() => mailing.close());

  it('D-09: keeps the old password until the mailed one is used, which has to be changed then', async () => {
    const user = await aUser(service, tenant);
    await asked(user, mailing);
    const temporary = await mailedPassword(service, user);
    const old = await signIn(service, tenant, user);
    const { access_token } = await signIn(service, tenant, user, temporary);
    expect(decodeJwt(access_token)['permissions']).toEqual(['identity:UserProfile']);
    expect(await refusal(service.call('UserProfile.get', {}, old.access_token))).toMatchObject(ended);
    expect((await refusal(signIn(service, tenant, user))).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
    expect(await setPassword(access_token)).not.toHaveProperty('required_actions');
    expect((await refusal(signIn(service, tenant, user, temporary))).reason).toBe(
      'ERROR_AUTHENTICATION_FAILURE',
    );
    expect(await signIn(service, tenant, user, NEW)).toHaveProperty('access_token');
  });

  it('D-09: mails a password that dies after an hour', async () => {
    const user = await aUser(service, tenant);
    await asked(user, mailing);
    const temporary = await mailedPassword(service, user);
    service.clock.advance(3601);
    expect((await refusal(signIn(service, tenant, user, temporary))).reason).toBe(
      'ERROR_AUTHENTICATION_FAILURE',
    );
    expect(await signIn(service, tenant, user)).toHaveProperty('access_token');
  });

  it('mails a password that takes the place of the one before, and dies when another is set', async () => {
    const user = await aUser(service, tenant);
    await asked(user, mailing);
    const first = await mailedPassword(service, user);
    await asked(user, mailing);
    const second = await mailedPassword(service, user);
    expect((await refusal(signIn(service, tenant, user, first))).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
    const { access_token } = await signIn(service, tenant, user);
    await service.call(
      'UserProfile.update_password',
      { current_password: PASSWORD, new_password: NEW },
      access_token,
    );
    expect((await refusal(signIn(service, tenant, user, second))).reason).toBe(
      'ERROR_AUTHENTICATION_FAILURE',
    );
  });

  it('takes a mailed password once when it is used many times at once', async () => {
    const user = await aUser(service, tenant);
    const users = service.app.rooms.mongo.connection.collection('user');
    const before = await users.findOne({ user_id: user });
    await asked(user, mailing);
    const temporary = await mailedPassword(service, user);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => signIn(service, tenant, user, temporary)),
    );
    expect(answers.every(({ refresh_token }) => refresh_token)).toBe(true);
    expect(await users.findOne({ user_id: user })).toMatchObject({
      generation: before!['generation'] + 1,
      required_actions: ['UPDATE_PASSWORD'],
    });
  });
});

describe('UserProfile.reset_password when it is configured to tell', () => {
  it('names the reason for sending nothing, like the reference', async () => {
    const strict = await service.another({ RESET_PASSWORD_STRICT: 'true' });
    const external = await aUser(service, tenant, { auth_type: 'EXTERNAL' });
    const unverified = await aUser(service, tenant, { email_verified: false });
    const addressless = await aUser(service, tenant, { user_id: 'no-address', email: '' });
    for (const [user, code, reason] of [
      ['nobody@example.com', status.NOT_FOUND, 'ERROR_NOT_FOUND'],
      [external, status.INVALID_ARGUMENT, 'ERROR_UNABLE_TO_RESET_PASSWORD_IN_EXTERNAL_AUTH'],
      [addressless, status.INVALID_ARGUMENT, 'ERROR_UNABLE_TO_RESET_PASSWORD_WITHOUT_EMAIL'],
      [unverified, status.INVALID_ARGUMENT, 'ERROR_VERIFICATION_UNAVAILABLE'],
    ] as const) {
      expect(await refusal(request(user, strict))).toMatchObject({ code, reason });
    }
    const proven = await aUser(service, tenant);
    expect(await request(proven, strict)).toEqual({});
    expect(await mailedLink(service, proven)).toHaveProperty('token');
    await strict.close();
  });
});
