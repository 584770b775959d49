import { status } from '@grpc/grpc-js';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let service: Service;
let tenant: Tenant;
let user_id: string;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  user_id = await aUser(service, tenant);
});
afterAll(() => service.close());

const issue = (given: object = {}) =>
  service.call('Token.issue', {
    credentials: { user_id, password: PASSWORD },
    auth_type: 'LOCAL',
    domain_id: tenant.domain_id,
    ...given,
  });
const credentials = (given: object) => issue({ credentials: { user_id, password: PASSWORD, ...given } });
const seconds = (token: string) => {
  const { iat, exp } = decodeJwt(token);
  return exp! - iat!;
};
const change = (id: string, set: object) =>
  service.app.rooms.mongo.connection
    .collection('user')
    .updateOne({ domain_id: tenant.domain_id, user_id: id }, { $set: set });

describe('Token.issue', () => {
  it('answers an access token and a refresh token with the documented claims', async () => {
    const { access_token, refresh_token } = await issue();
    const access = decodeJwt(access_token);
    expect(access).toMatchObject({
      iss: 'spaceone.identity',
      typ: 'ACCESS_TOKEN',
      own: 'USER',
      did: tenant.domain_id,
      aud: user_id,
      jti: expect.stringMatching(/^[0-9a-f]{32}$/),
      ver: '2.0',
      rol: 'USER',
    });
    expect(access).not.toHaveProperty('wid');
    expect(access).not.toHaveProperty('permissions');
    expect(seconds(access_token)).toBe(1800);
    const refresh = decodeJwt(refresh_token);
    expect(refresh).toMatchObject({ typ: 'REFRESH_TOKEN', did: tenant.domain_id, aud: user_id, ver: '2.0' });
    expect(refresh).not.toHaveProperty('rol');
    expect(seconds(refresh_token)).toBe(10_800);
  });

  it('D-13: gives each token an id of its own', async () => {
    const { access_token, refresh_token } = await issue();
    expect(decodeJwt(access_token).jti).not.toBe(decodeJwt(refresh_token).jti);
  });

  it('D-17: names the key that signed in the header', async () => {
    const { access_token, refresh_token } = await issue();
    const [access, refresh] = [access_token, refresh_token].map(decodeProtectedHeader);
    expect(access).toEqual({ alg: 'RS256', kid: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(refresh!.kid).not.toBe(access!.kid);
  });

  it('remembers when the user was last seen', async () => {
    const { access_token } = await issue();
    const { last_accessed_at } = await service.call('UserProfile.get', {}, access_token);
    expect(Math.abs(Date.parse(last_accessed_at) - service.clock.now().getTime())).toBeLessThan(10_000);
  });

  it('enables a user who signs in for the first time', async () => {
    const fresh = await aUser(service, tenant, { state: 'PENDING' });
    const { access_token } = await signIn(service, tenant, fresh);
    expect((await service.call('UserProfile.get', {}, access_token)).state).toBe('ENABLED');
  });

  it('takes the timeout of the caller, up to a week, and the default for one that is no time', async () => {
    expect(seconds((await issue({ timeout: 60 })).access_token)).toBe(60);
    expect(seconds((await issue({ timeout: 2_147_483_647 })).access_token)).toBe(604_800);
    expect(seconds((await issue({ timeout: -5 })).access_token)).toBe(1800);
  });

  it('lets an administrator with a refresh timeout stay longer, and nobody else', async () => {
    await change(tenant.admin, { refresh_timeout: 86_400 });
    await change(user_id, { refresh_timeout: 86_400 });
    expect(seconds((await signIn(service, tenant, tenant.admin)).refresh_token)).toBe(86_400);
    expect(seconds((await issue()).refresh_token)).toBe(10_800);
    await change(tenant.admin, { refresh_timeout: 4_000_000 });
    expect(seconds((await signIn(service, tenant, tenant.admin)).refresh_token)).toBe(2_419_200);
  });

  it.each([
    ['credentials', { credentials: undefined }],
    ['auth_type', { auth_type: undefined }],
    ['domain_id', { domain_id: undefined }],
  ])('asks for %s', async (key, given) => {
    const request = JSON.parse(JSON.stringify({ ...requestOf(), ...given })) as object;
    expect(await refusal(service.call('Token.issue', request))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: `Required parameter. (key = ${key})`,
    });
  });

  it.each([
    ['no user id', { user_id: undefined }],
    ['no password', { password: undefined }],
    ['an empty password', { password: '' }],
    ['nothing at all', { user_id: undefined, password: undefined }],
    ['a user id longer than any', { user_id: `${'a'.repeat(60)}@` }],
  ])('refuses credentials with %s', async (_, given) => {
    const refused = await refusal(
      issue({ credentials: { ...clean({ user_id, password: PASSWORD, ...given }) } }),
    );
    expect(refused).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_INVALID_CREDENTIALS',
    });
  });

  it.each([
    ['an operator', { user_id: { $gt: '' } }],
    ['a regular expression', { user_id: { $regex: '.*' } }],
    ['a list', { user_id: ['user@example.com'] }],
    ['a number', { user_id: 5 }],
    ['true', { user_id: true }],
    ['null', { user_id: null }],
  ])('D-45: takes no user id that is %s', async (_, given) => {
    expect(await refusal(credentials(given))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_INVALID_CREDENTIALS',
    });
  });

  it.each([[{ $ne: '' }], [['Passw0rd!']], [12345678], [true]])(
    'D-45: takes no password that is not text: %j',
    async (password) => {
      expect(await refusal(credentials({ password }))).toMatchObject({
        code: status.UNAUTHENTICATED,
        reason: 'ERROR_AUTHENTICATION_FAILURE',
      });
    },
  );

  it('P01 D-07: answers alike for an unknown user, an external one and a wrong password', async () => {
    const external = await aUser(service, tenant, { auth_type: 'EXTERNAL' });
    for (const [id, password] of [
      [user_id, 'Wrong0pass'],
      ['nobody@example.com', PASSWORD],
      [external, PASSWORD],
      [user_id.toUpperCase(), PASSWORD],
    ]) {
      expect(await refusal(credentials({ user_id: id, password }))).toMatchObject({
        code: status.UNAUTHENTICATED,
        reason: 'ERROR_AUTHENTICATION_FAILURE',
        text: `Authenticate failure: the user does not exist or the password is wrong. (user_id = ${id})`,
      });
    }
  });

  it('P01 D-07: tells of a disabled user after the right password alone', async () => {
    const disabled = await aUser(service, tenant, { state: 'DISABLED' });
    expect(await refusal(credentials({ user_id: disabled, password: 'Wrong0pass' }))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATION_FAILURE',
    });
    expect(await refusal(credentials({ user_id: disabled }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_USER_STATE_DISABLED',
      text: `The user is disabled. (user_id = ${disabled})`,
    });
  });

  it('P21 D-20: never compares only the beginning of a password', async () => {
    const long = `Aa1${'x'.repeat(69)}`;
    const holder = await aUser(service, tenant, { password: long });
    expect(await signIn(service, tenant, holder, long)).toHaveProperty('access_token');
    expect(await refusal(signIn(service, tenant, holder, `${long}y`))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATION_FAILURE',
    });
  });

  it('D-28: refuses an external sign-in while no provider is connected', async () => {
    expect(await refusal(issue({ auth_type: 'EXTERNAL', credentials: { code: 'abc' } }))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATION_FAILURE',
    });
  });

  it('does not know a domain that does not exist', async () => {
    expect(await refusal(issue({ domain_id: 'domain-000000000000' }))).toMatchObject({
      code: status.NOT_FOUND,
      reason: 'ERROR_NOT_FOUND',
      text: 'Resource cannot be found or access is denied. (domain_id = domain-000000000000)',
    });
  });

  it('refuses everybody in a disabled domain', async () => {
    const other = await aTenant(service);
    const domains = service.app.rooms.mongo.connection.collection('domain');
    await domains.updateOne({ domain_id: other.domain_id }, { $set: { state: 'DISABLED' } });
    expect(await refusal(signIn(service, other, other.admin))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_DOMAIN_STATE',
      text: `Domain is disabled. (domain_id = ${other.domain_id})`,
    });
  });

  it('keeps users of one domain out of another', async () => {
    const other = await aTenant(service);
    expect(await refusal(issue({ domain_id: other.domain_id }))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATION_FAILURE',
    });
  });
});

describe('Token.issue while an action is required', () => {
  it('gives tokens for the own profile alone while the password has to be changed', async () => {
    const holder = await aUser(service, tenant, { required_actions: ['UPDATE_PASSWORD'] });
    const { access_token } = await signIn(service, tenant, holder);
    expect(decodeJwt(access_token)['permissions']).toEqual(['identity:UserProfile']);
    expect((await service.call('UserProfile.get', {}, access_token)).required_actions).toEqual([
      'UPDATE_PASSWORD',
    ]);
  });

  it('D-11: answers enforced MFA with a token that can set MFA up and nothing else, for ten minutes', async () => {
    const holder = await aUser(service, tenant, {
      mfa: { state: 'DISABLED', mfa_type: 'EMAIL', options: { enforce: true } },
      required_actions: ['ENFORCE_MFA'],
    });
    const refused = await refusal(signIn(service, tenant, holder));
    expect(refused).toMatchObject({ code: status.INTERNAL, reason: 'ERROR_MFA_NOT_ACTIVATED' });
    const parsed =
      /^MFA is not activated\. \(user_id = (\S+)\), \(mfa_type = (\w+)\), \(mfa_state = (\w+)\), \(access_token = ([\w.-]+)\)$/.exec(
        refused.text,
      );
    expect(parsed?.slice(1, 4)).toEqual([holder, 'EMAIL', 'DISABLED']);
    const token = parsed![4]!;
    expect(seconds(token)).toBe(600);
    expect((await service.call('UserProfile.get', {}, token)).required_actions).toEqual(['ENFORCE_MFA']);
    for (const method of ['UserProfile.update', 'UserProfile.disable_mfa', 'UserProfile.get_workspaces']) {
      expect(await refusal(service.call(method, {}, token))).toMatchObject({
        code: status.PERMISSION_DENIED,
      });
    }
    expect(service.logs.join('')).not.toContain(token);
  });
});

function requestOf() {
  return {
    credentials: { user_id, password: PASSWORD },
    auth_type: 'LOCAL',
    domain_id: tenant.domain_id,
  };
}

/** Without the keys that have no value. */
function clean(given: object): object {
  return JSON.parse(JSON.stringify(given)) as object;
}
