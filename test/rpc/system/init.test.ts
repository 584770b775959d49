import { status } from '@grpc/grpc-js';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyOf, resigned, startForgeableService } from '../../forge.js';
import type { ForgeableService } from '../../forge.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal } from '../../harness.js';
import { ROOT_ADMIN } from '../../system.js';

let forge: ForgeableService;
let service: Service;

beforeEach(async () => {
  forge = await startForgeableService({ BOOTSTRAP_SECRET: 'open sesame' });
  service = forge.service;
});
afterEach(() => service.close());

const root: Tenant = {
  domain_id: 'domain-root',
  name: 'root',
  admin: ROOT_ADMIN.user_id,
  alpha: '',
  beta: '',
};
const init = (given: object = {}, token?: string, metadata?: Record<string, string>) =>
  service.call('System.init', { admin: ROOT_ADMIN, ...given }, token, metadata);
const stored = (name: string) => service.app.rooms.mongo.connection.collection(name);
const stranger = { 'x-forwarded-for': '198.51.100.1' };
const unauthenticated = { code: status.UNAUTHENTICATED, reason: 'ERROR_AUTHENTICATE_FAILURE' };

describe('System.init', () => {
  it('makes the root domain, its administrator and a system token', async () => {
    const answer = await init();
    expect(answer).toEqual({ domain_id: 'domain-root', name: 'root', system_token: expect.any(String) });
    const claims = decodeJwt(answer.system_token);
    expect(claims).toMatchObject({
      iss: 'spaceone.identity',
      typ: 'SYSTEM_TOKEN',
      own: 'SYSTEM',
      did: 'domain-root',
      aud: ROOT_ADMIN.user_id,
      ver: '2.0',
    });
    expect(claims).not.toHaveProperty('exp');
    expect(claims).not.toHaveProperty('rol');
    const token = await tokenOf(service, root, root.admin, 'SYSTEM');
    expect((await service.call('Domain.get', { domain_id: 'domain-root' }, token)).name).toBe('root');
  });

  it('gives a token that may do everything, for the domain named beside it', async () => {
    const tenant = await aTenant(service);
    const { system_token } = await init();
    const scope = { x_domain_id: tenant.domain_id, x_workspace_id: tenant.alpha };
    expect(await service.call('WorkspaceUser.list', {}, system_token, scope)).toEqual({});
    expect(await service.call('Domain.get', { domain_id: tenant.domain_id }, system_token)).toMatchObject({
      name: tenant.name,
    });
    const refused = await refusal(service.call('WorkspaceUser.list', {}, system_token));
    expect(refused).toMatchObject({
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: expect.stringContaining('domain_id'),
    });
  });

  it('keeps all that is given of the administrator, who has a domain role with every part', async () => {
    const more = { email: 'rita@example.com', language: 'ko', timezone: 'Asia/Seoul', tags: { a: 'b' } };
    await init({ admin: { ...ROOT_ADMIN, ...more, reset_password: true } });
    expect(await stored('user').findOne({ domain_id: 'domain-root' })).toMatchObject({
      user_id: ROOT_ADMIN.user_id,
      state: 'PENDING',
      auth_type: 'LOCAL',
      role_type: 'DOMAIN_ADMIN',
      role_id: 'managed-domain-admin',
      required_actions: [],
      ...more,
    });
    expect(await signIn(service, root, root.admin)).toHaveProperty('access_token');
    expect(await stored('role_binding').findOne({ domain_id: 'domain-root' })).toMatchObject({
      role_type: 'DOMAIN_ADMIN',
      resource_group: 'DOMAIN',
      workspace_id: '*',
    });
  });

  it('is done once', async () => {
    const { system_token } = await init();
    const refused = { code: status.INVALID_ARGUMENT, reason: 'ERROR_SYSTEM_ALREADY_INITIALIZED' };
    expect(await refusal(init())).toMatchObject(refused);
    expect(await refusal(init({}, system_token))).toMatchObject(refused);
  });

  it('is done once, however many ask at the same time', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 3 }, () =>
        init().then(
          () => 'done',
          (error: Error) => error.message,
        ),
      ),
    );
    expect(outcomes.filter((one) => one === 'done')).toHaveLength(1);
    for (const one of outcomes.filter((text) => text !== 'done'))
      expect(one).toContain('ERROR_SYSTEM_ALREADY_INITIALIZED');
    expect(await stored('user').countDocuments()).toBe(1);
  });

  it.each([
    ['admin', {}],
    ['admin.user_id', { admin: { ...ROOT_ADMIN, user_id: '' } }],
    ['admin.user_id', { admin: { ...ROOT_ADMIN, user_id: '  ' } }],
    ['admin.password', { admin: { ...ROOT_ADMIN, password: '' } }],
    ['admin.name', { admin: { ...ROOT_ADMIN, name: '' } }],
  ])('asks for %s', async (key, request) => {
    expect(await refusal(service.call('System.init', request))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: `Required parameter. (key = ${key})`,
    });
  });

  it('keeps the rules for new users', async () => {
    for (const [given, reason] of [
      [{ password: 'short' }, 'ERROR_INCORRECT_PASSWORD_FORMAT'],
      [{ email: 'nope' }, 'ERROR_INCORRECT_EMAIL_FORMAT'],
      [{ timezone: 'Mars/Base' }, 'ERROR_INVALID_PARAMETER'],
      [{ user_id: 'a\nb' }, 'ERROR_INVALID_PARAMETER'],
    ] as const) {
      expect(await refusal(init({ admin: { ...ROOT_ADMIN, ...given } }))).toMatchObject({
        code: status.INVALID_ARGUMENT,
        reason,
      });
    }
    expect(await stored('domain').countDocuments()).toBe(0);
  });
});

describe('D-19: System.init', () => {
  it('is open to this machine, and to others with the bootstrap secret', async () => {
    expect(await refusal(init({}, undefined, stranger))).toMatchObject(unauthenticated);
    const wrong = { ...stranger, 'bootstrap-secret': 'open sesam' };
    expect(await refusal(init({}, undefined, wrong))).toMatchObject(unauthenticated);
    const right = { ...stranger, 'bootstrap-secret': 'open sesame' };
    expect(await init({}, undefined, right)).toHaveProperty('system_token');
  });

  it('is closed to others when no secret is configured', async () => {
    const plain = await service.another({ BOOTSTRAP_SECRET: '-' });
    const request = { admin: ROOT_ADMIN };
    const metadata = { ...stranger, 'bootstrap-secret': '-' };
    expect(await refusal(plain.call('System.init', request, undefined, metadata))).toMatchObject(
      unauthenticated,
    );
    await plain.close();
  });

  it('is repeated by force with a system token alone', async () => {
    const tenant = await aTenant(service);
    const { system_token } = await init();
    const tokens = await signIn(service, root, root.admin);
    const { key } = await keyOf(forge, 'domain-root', 'access');
    const tenantKey = await keyOf(forge, tenant.domain_id, 'access');
    for (const token of [
      undefined,
      'garbage',
      tokens.access_token,
      tokens.refresh_token,
      await tokenOf(service, root, root.admin, 'SYSTEM'),
      await tokenOf(service, tenant, tenant.admin, 'DOMAIN'),
      await resigned(system_token, key, { typ: 'ACCESS_TOKEN' }),
      await resigned(system_token, tenantKey.key, { did: tenant.domain_id }, { kid: tenantKey.kid }),
    ]) {
      expect(await refusal(init({ force: true }, token))).toMatchObject(unauthenticated);
    }
    expect(await init({ force: true }, system_token)).toHaveProperty('system_token');
  });

  it('makes the root domain anew by force: all its tokens and users before are dead', async () => {
    const { system_token } = await init();
    const before = await signIn(service, root, root.admin);
    const second = await service.another();
    const domain = { domain_id: 'domain-root' };
    expect(await second.call('Domain.get', domain, system_token)).toHaveProperty('name');
    const admin = { user_id: 'other@example.com', name: 'Otto Other', password: 'Newpass1!' };
    const { system_token: fresh } = await init({ admin, force: true }, system_token);
    for (const token of [system_token, before.access_token]) {
      expect(await refusal(service.call('Domain.get', domain, token))).toMatchObject(unauthenticated);
    }
    expect((await refusal(signIn(service, root, root.admin, PASSWORD))).reason).toBe(
      'ERROR_AUTHENTICATION_FAILURE',
    );
    expect(await signIn(service, root, 'other@example.com', 'Newpass1!')).toHaveProperty('access_token');
    expect(await service.call('Domain.get', domain, fresh)).toHaveProperty('name');
    expect(await stored('role_binding').countDocuments({ domain_id: 'domain-root' })).toBe(1);
    await second.close();
  });

  it('takes the administrator of before again by force', async () => {
    const { system_token } = await init();
    const again = await init({ force: true }, system_token);
    expect(again.domain_id).toBe('domain-root');
    expect(await signIn(service, root, root.admin)).toHaveProperty('access_token');
  });
});
