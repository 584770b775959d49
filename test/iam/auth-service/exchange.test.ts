import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aRole, aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedLink } from '../../mailed.js';
import { initialise } from '../../system.js';
import { UNAUTHENTICATED, ask, byName, iamToken, refused, withPassword, withToken } from '../tokens.js';

let service: Service;
let tenant: Tenant;
let systemToken: string;

beforeAll(async () => {
  service = await startService({ USER_CACHE_MS: '0', DOMAIN_CACHE_MS: '0' });
  ({ systemToken } = await initialise(service));
  tenant = await aTenant(service);
});
afterAll(() => service.close());

const member = (given: object = {}) =>
  aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' }, ...given });
const alpha = () => ({ project: { id: tenant.alpha } });
const exchange = (token: string, scope?: unknown) => ask(service, 'CreateToken', withToken(token, scope));
const denied = (token: string, scope?: unknown) => refused(service, 'CreateToken', withToken(token, scope));
/** As long as may be. */
const REMEMBERING = { USER_CACHE_MS: '5000', DOMAIN_CACHE_MS: '5000' };
const FORBIDDEN = {
  status: '403',
  text: 'You are not authorized to perform the requested action: identity:create_token.',
};

describe('A token as the proof of iam.v3.AuthService.CreateToken', () => {
  it('gives one for another scope, of the same sign-in', async () => {
    const user = await member();
    const first = await iamToken(service, withPassword(byName(tenant, user), 'unscoped'));
    service.clock.advance(600);
    const { status, headers, body } = await exchange(first, alpha());
    expect(status).toBe('201');
    expect(body.token).toMatchObject({ methods: ['token', 'password'], project: { id: tenant.alpha } });
    const [old, made] = [decodeJwt(first), decodeJwt(headers['x-subject-token']!)];
    for (const claim of ['sid', 'auth_time', 'gen', 'exp', 'amr']) expect(made[claim]).toEqual(old[claim]);
    expect(made).toMatchObject({ wid: tenant.alpha, sgn: true });
    const again = await exchange(headers['x-subject-token']!, 'unscoped');
    expect(again.body.token).not.toHaveProperty('project');
    expect(again.body.token.audit_ids[1]).toBe(body.token.audit_ids[1]);
    expect(again.body.token.audit_ids[0]).not.toBe(body.token.audit_ids[0]);
  });

  it('may come from Token.issue', async () => {
    const { access_token } = await signIn(service, tenant, tenant.admin);
    const { body } = await exchange(access_token, { domain: { id: tenant.domain_id } });
    expect(body.token.domain.id).toBe(tenant.domain_id);
  });

  it('makes none that lasts longer, and none when its time is over', async () => {
    const first = await iamToken(service, withPassword(byName(tenant, await member())));
    service.clock.advance(1790);
    const { headers } = await exchange(first);
    expect(decodeJwt(headers['x-subject-token']!).exp).toBe(decodeJwt(first).exp);
    service.clock.advance(15);
    expect(await denied(first)).toMatchObject(UNAUTHENTICATED);
  });

  it('must stand for all of its sign-in', async () => {
    const user = await member();
    const { refresh_token } = await signIn(service, tenant, user);
    const granted = [
      await tokenOf(service, tenant, user),
      await tokenOf(service, tenant, user, 'WORKSPACE', tenant.alpha),
      await tokenOf(service, tenant, tenant.admin, 'DOMAIN'),
      systemToken,
    ];
    for (const token of granted) expect(await denied(token)).toMatchObject(FORBIDDEN);
    expect(await denied(refresh_token)).toMatchObject(UNAUTHENTICATED);
  });

  it('must not be narrowed: by a role, a pending password, a mailed link or an MFA to set up', async () => {
    const role_id = await aRole(service, tenant, { permissions: ['inventory:Server'] });
    const user = await member();
    const key = { domain_id: tenant.domain_id, user_id: user };
    const users = service.app.rooms.models.users;
    const reach = { deadline: Date.now() + 20_000 };
    await users.update(reach, key, { $set: { 'memberships.0.role_id': role_id } });
    const limited = await iamToken(service, withPassword(byName(tenant, user), alpha()));
    expect(await denied(limited)).toMatchObject(FORBIDDEN);
    const pending = await member({ required_actions: ['UPDATE_PASSWORD'] });
    expect(await denied(await iamToken(service, withPassword(byName(tenant, pending))))).toMatchObject(
      FORBIDDEN,
    );
    await service.call('UserProfile.reset_password', { user_id: user, domain_id: tenant.domain_id });
    expect(await denied((await mailedLink(service, user)).token)).toMatchObject(FORBIDDEN);
    await users.update(reach, key, { $set: { required_actions: ['ENFORCE_MFA'] } });
    const { text } = await refusal(signIn(service, tenant, user));
    const enrolment = /access_token = (\S+)\)/.exec(text)![1]!;
    expect(await denied(enrolment)).toMatchObject(FORBIDDEN);
  });

  it('must be good', async () => {
    const user = await member();
    const token = await iamToken(service, withPassword(byName(tenant, user)));
    expect(await denied(`${token.slice(0, -3)}abc`)).toMatchObject(UNAUTHENTICATED);
    expect(await denied('nonsense')).toMatchObject(UNAUTHENTICATED);
    expect(await denied(token, { project: { id: tenant.beta } })).toMatchObject(UNAUTHENTICATED);
    const headers = { 'x-auth-token': token, 'x-subject-token': token };
    await ask(service, 'RevokeToken', {}, headers);
    expect(await denied(token)).toMatchObject(UNAUTHENTICATED);
    const other = await iamToken(service, withPassword(byName(tenant, user)));
    const { access_token } = await signIn(service, tenant, user);
    const change = { current_password: PASSWORD, new_password: 'An0therPassword' };
    await service.call('UserProfile.update_password', change, access_token);
    expect(await denied(other)).toMatchObject(UNAUTHENTICATED);
  });
});

describe('A token that ended on another instance', () => {
  it('gives no other, though it is remembered as good', async () => {
    const [here, there] = [await service.another(REMEMBERING), await service.another(REMEMBERING)];
    const user = await member();
    const token = await iamToken(here, withPassword(byName(tenant, user), 'unscoped'));
    const headers = { 'x-auth-token': token, 'x-subject-token': token };
    await ask(there, 'GetToken', {}, headers);
    await ask(here, 'RevokeToken', {}, headers);
    expect(await refused(there, 'CreateToken', withToken(token, alpha()))).toMatchObject(UNAUTHENTICATED);
    const next = await iamToken(here, withPassword(byName(tenant, user), 'unscoped'));
    await ask(there, 'GetToken', {}, { 'x-auth-token': next, 'x-subject-token': next });
    const key = { domain_id: tenant.domain_id, user_id: user };
    const reach = { deadline: Date.now() + 20_000 };
    await service.app.rooms.models.users.update(reach, key, { $set: { state: 'DISABLED' } });
    expect(await refused(there, 'CreateToken', withToken(next, alpha()))).toMatchObject(UNAUTHENTICATED);
    await Promise.all([here.close(), there.close()]);
  });
});

describe('A password that is too old', () => {
  it('has to be changed at both faces before anything else', async () => {
    const strict = await service.another({ PASSWORD_VALID_DAYS: '30' });
    const user = await member();
    const fresh = await ask(strict, 'CreateToken', withPassword(byName(tenant, user), alpha()));
    expect(fresh.body.token.user.password_expires_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}$/);
    service.clock.advance(30 * 86_400 - 600);
    const { refresh_token } = await signIn(strict, tenant, user);
    service.clock.advance(1200);
    const grant = strict.call('Token.grant', {
      grant_type: 'REFRESH_TOKEN',
      token: refresh_token,
      scope: 'WORKSPACE',
      workspace_id: tenant.alpha,
    });
    expect(await refusal(grant)).toMatchObject({ reason: 'ERROR_UPDATE_PASSWORD_REQUIRED' });
    const { access_token } = await signIn(strict, tenant, user);
    expect(decodeJwt(access_token)).toMatchObject({ permissions: ['identity:UserProfile'] });
    const scoped = await refused(strict, 'CreateToken', withPassword(byName(tenant, user), alpha()));
    expect(scoped.text).toMatch(/^The password is expired and needs to be changed for user: [0-9a-f]{32}\.$/);
    const change = { current_password: PASSWORD, new_password: 'An0therPassword' };
    await strict.call('UserProfile.update_password', change, access_token);
    const request = withPassword(byName(tenant, user), alpha(), 'An0therPassword');
    expect((await ask(strict, 'CreateToken', request)).status).toBe('201');
    await strict.close();
  });
});
