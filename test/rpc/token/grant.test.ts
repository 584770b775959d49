import { status } from '@grpc/grpc-js';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aBinding, aRole, aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let service: Service;
let tenant: Tenant;
let owner: string;
let user: string;
let refresh: { admin: string; owner: string; user: string };

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  owner = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
  user = await aUser(service, tenant);
  refresh = {
    admin: await refreshOf(tenant.admin),
    owner: await refreshOf(owner),
    user: await refreshOf(user),
  };
});
afterAll(() => service.close());

const refreshOf = async (id: string, where: Tenant = tenant) =>
  (await signIn(service, where, id)).refresh_token;
const grant = (token: string, scope: string, given: object = {}) =>
  service.call('Token.grant', { grant_type: 'REFRESH_TOKEN', token, scope, ...given });
const into = (token: string, workspace_id: string) => grant(token, 'WORKSPACE', { workspace_id });
const stored = (name: string) => service.app.rooms.mongo.connection.collection(name);
const denied = { code: status.PERMISSION_DENIED, reason: 'ERROR_PERMISSION_DENIED' };

describe('Token.grant', () => {
  it('grants the USER scope to anybody', async () => {
    const granted = await grant(refresh.user, 'USER');
    expect(granted).toEqual({
      access_token: expect.any(String),
      role_type: 'USER',
      domain_id: tenant.domain_id,
    });
    const claims = decodeJwt(granted.access_token);
    expect(claims).toMatchObject({ typ: 'ACCESS_TOKEN', own: 'USER', rol: 'USER', aud: user, ver: '2.0' });
    expect(claims).not.toHaveProperty('wid');
    expect(claims.exp! - claims.iat!).toBe(1800);
  });

  it('tells an administrator the role also in the USER scope', async () => {
    const granted = await grant(refresh.admin, 'USER');
    expect(granted).toMatchObject({ role_type: 'DOMAIN_ADMIN', role_id: 'managed-domain-admin' });
    expect(decodeJwt(granted.access_token)['rol']).toBe('USER');
  });

  it('grants the WORKSPACE scope with the role that the user has there', async () => {
    const granted = await into(refresh.owner, tenant.alpha);
    expect(granted).toEqual({
      access_token: expect.any(String),
      role_type: 'WORKSPACE_OWNER',
      role_id: 'managed-workspace-owner',
      domain_id: tenant.domain_id,
      workspace_id: tenant.alpha,
    });
    expect(decodeJwt(granted.access_token)).toMatchObject({ rol: 'WORKSPACE_OWNER', wid: tenant.alpha });
  });

  it('makes an administrator an owner of every workspace, and still tells the role as it is', async () => {
    const granted = await into(refresh.admin, tenant.beta);
    expect(granted).toMatchObject({ role_type: 'DOMAIN_ADMIN', role_id: 'managed-domain-admin' });
    expect(decodeJwt(granted.access_token)).toMatchObject({ rol: 'WORKSPACE_OWNER', wid: tenant.beta });
  });

  it('D-31: takes a role for every workspace as a role in each', async () => {
    const everywhere = await aUser(service, tenant);
    await aBinding(service, tenant, everywhere, { workspace_id: '*', role_type: 'WORKSPACE_MEMBER' });
    const granted = await into(await refreshOf(everywhere), tenant.beta);
    expect(granted).toMatchObject({ role_type: 'WORKSPACE_MEMBER', workspace_id: tenant.beta });
  });

  it('D-32: takes the better of two roles in a workspace', async () => {
    const both = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    await aBinding(service, tenant, both, {
      workspace_id: tenant.alpha,
      role_type: 'WORKSPACE_OWNER',
      workspace_group_id: 'wg-000000000001',
    });
    expect((await into(await refreshOf(both), tenant.alpha)).role_type).toBe('WORKSPACE_OWNER');
  });

  it('grants the DOMAIN scope to administrators alone', async () => {
    const granted = await grant(refresh.admin, 'DOMAIN');
    expect(granted).toEqual({
      access_token: expect.any(String),
      role_type: 'DOMAIN_ADMIN',
      role_id: 'managed-domain-admin',
      domain_id: tenant.domain_id,
    });
    expect(decodeJwt(granted.access_token)['rol']).toBe('DOMAIN_ADMIN');
    expect(await refusal(grant(refresh.user, 'DOMAIN'))).toMatchObject(denied);
    expect(await refusal(grant(refresh.owner, 'DOMAIN'))).toMatchObject(denied);
  });

  it('grants the SYSTEM scope to administrators of the root domain alone, and that alone', async () => {
    const account = { user_id: 'root@example.com', name: 'Root', password: 'Passw0rd!' };
    await service.call('System.init', { admin: account });
    const root = await refreshOf('root@example.com', { ...tenant, domain_id: 'domain-root' });
    const granted = await grant(root, 'SYSTEM');
    expect(granted).toMatchObject({ role_type: 'DOMAIN_ADMIN', domain_id: 'domain-root' });
    expect(decodeJwt(granted.access_token)['rol']).toBe('SYSTEM_ADMIN');
    expect(await refusal(grant(root, 'DOMAIN'))).toMatchObject(denied);
    expect(await refusal(grant(root, 'USER'))).toMatchObject(denied);
    expect(await refusal(grant(refresh.admin, 'SYSTEM'))).toMatchObject(denied);
  });

  it('drops a workspace id that the scope does not need', async () => {
    const granted = await grant(refresh.owner, 'USER', { workspace_id: tenant.alpha });
    expect(granted).not.toHaveProperty('workspace_id');
    expect(decodeJwt(granted.access_token)).not.toHaveProperty('wid');
  });

  it('takes the timeout of the caller up to a week', async () => {
    const life = async (timeout: number) => {
      const { iat, exp } = decodeJwt((await grant(refresh.user, 'USER', { timeout })).access_token);
      return exp! - iat!;
    };
    expect(await life(90)).toBe(90);
    expect(await life(2_147_483_647)).toBe(604_800);
    expect(await life(-1)).toBe(1800);
  });

  it('works again with the same refresh token, and notes when the user was seen', async () => {
    await grant(refresh.user, 'USER');
    service.clock.advance(30);
    const { access_token } = await grant(refresh.user, 'USER');
    const { last_accessed_at } = await service.call('UserProfile.get', {}, access_token);
    expect(service.clock.now().getTime() - Date.parse(last_accessed_at)).toBeLessThan(10_000);
  });

  it('puts the permissions of the role into the token, and D-15: matches them by whole segments', async () => {
    const role_id = await aRole(service, tenant, {
      permissions: ['identity:User', 'identity:WorkspaceUser.read'],
    });
    const limited = await aUser(service, tenant);
    await aBinding(service, tenant, limited, {
      workspace_id: tenant.alpha,
      role_type: 'WORKSPACE_MEMBER',
      role_id,
    });
    const { access_token } = await into(await refreshOf(limited), tenant.alpha);
    expect(decodeJwt(access_token)['permissions']).toEqual(['identity:User', 'identity:WorkspaceUser.read']);
    expect(await service.call('WorkspaceUser.get', { user_id: limited }, access_token)).toHaveProperty(
      'user_id',
    );
    expect(await refusal(service.call('UserProfile.get', {}, access_token))).toMatchObject(denied);
  });

  it('D-33: grants nothing through a disabled role', async () => {
    const role_id = await aRole(service, tenant, { state: 'DISABLED' });
    const holder = await aUser(service, tenant);
    const role = { workspace_id: tenant.alpha, role_type: 'WORKSPACE_MEMBER' as const, role_id };
    await aBinding(service, tenant, holder, role);
    expect(await refusal(into(await refreshOf(holder), tenant.alpha))).toMatchObject(denied);
  });

  it.each([
    ['grant_type', { token: 'x', scope: 'USER' }],
    ['token', { grant_type: 'REFRESH_TOKEN', scope: 'USER' }],
    ['scope', { grant_type: 'REFRESH_TOKEN', token: 'x' }],
    ['workspace_id', { grant_type: 'REFRESH_TOKEN', token: 'x', scope: 'WORKSPACE' }],
  ])('asks for %s', async (key, request) => {
    expect(await refusal(service.call('Token.grant', request))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: `Required parameter. (key = ${key})`,
    });
  });

  it('does not offer the PROJECT scope', async () => {
    const refused = await refusal(grant(refresh.user, 'PROJECT'));
    expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
    expect(refused.text).toContain('key = scope');
  });

  it('refuses a refresh token under another grant type', async () => {
    expect(await refusal(grant(refresh.user, 'USER', { grant_type: 'SYSTEM_TOKEN' }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_INVALID_GRANT_TYPE',
      text: 'Grant type is invalid. (grant_type = SYSTEM_TOKEN)',
    });
  });

  it('P03: refuses what is no living refresh token', async () => {
    const { access_token } = await signIn(service, tenant, user);
    const short = await service.another({ REFRESH_TOKEN_SECONDS: '60' });
    const { refresh_token: expired } = await signIn(short, tenant, user);
    await short.close();
    service.clock.advance(121);
    for (const token of ['not.a.jwt', 'garbage', access_token, expired, `${refresh.user}x`]) {
      expect(await refusal(grant(token, 'USER'))).toMatchObject({
        code: status.UNAUTHENTICATED,
        reason: 'ERROR_AUTHENTICATE_FAILURE',
      });
    }
  });

  it('refuses a user without a role in the workspace', async () => {
    expect(await refusal(into(refresh.user, tenant.alpha))).toMatchObject(denied);
    expect(await refusal(into(refresh.owner, tenant.beta))).toMatchObject(denied);
  });

  it('does not know a workspace that does not exist, nor one of another domain', async () => {
    const other = await aTenant(service);
    for (const workspace_id of ['workspace-000000000000', other.alpha]) {
      expect(await refusal(into(refresh.owner, workspace_id))).toMatchObject({
        code: status.NOT_FOUND,
        reason: 'ERROR_NOT_FOUND',
        text: `Resource cannot be found or access is denied. (('domain_id', 'workspace_id') = ('${tenant.domain_id}', '${workspace_id}'))`,
      });
    }
  });

  it('refuses a disabled workspace', async () => {
    await stored('workspace').updateOne({ workspace_id: tenant.beta }, { $set: { state: 'DISABLED' } });
    expect(await refusal(into(refresh.admin, tenant.beta))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_WORKSPACE_STATE',
      text: `Workspace is disabled. (workspace_id = ${tenant.beta})`,
    });
  });

  it('refuses a user who has to change the password, is disabled or gone', async () => {
    const holder = await aUser(service, tenant);
    const token = await refreshOf(holder);
    const key = { domain_id: tenant.domain_id, user_id: holder };
    await stored('user').updateOne(key, { $set: { required_actions: ['UPDATE_PASSWORD'] } });
    expect(await refusal(grant(token, 'USER'))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_UPDATE_PASSWORD_REQUIRED',
      text: `The password has to be changed first. (user_id = ${holder})`,
    });
    await stored('user').updateOne(key, { $set: { required_actions: [], state: 'DISABLED' } });
    expect((await refusal(grant(token, 'USER'))).reason).toBe('ERROR_USER_STATE_DISABLED');
    await stored('user').deleteOne(key);
    expect((await refusal(grant(token, 'USER'))).reason).toBe('ERROR_AUTHENTICATE_FAILURE');
  });

  it('refuses everybody of a disabled domain', async () => {
    const other = await aTenant(service);
    const token = await refreshOf(other.admin, other);
    const second = await service.another();
    await stored('domain').updateOne({ domain_id: other.domain_id }, { $set: { state: 'DISABLED' } });
    const request = { grant_type: 'REFRESH_TOKEN', token, scope: 'USER' };
    expect((await refusal(second.call('Token.grant', request))).reason).toBe('ERROR_DOMAIN_STATE');
    await second.close();
  });
});
