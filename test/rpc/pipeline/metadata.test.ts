import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorDetail } from '../../error-details.js';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let service: Service;
let tenant: Tenant;
let user_id: string;
let token: string;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  user_id = await aUser(service, tenant);
  token = await tokenOf(service, tenant, user_id);
});
afterAll(() => service.close());

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** The line that was logged last. */
const lastLine = (from = service) => JSON.parse(from.logs.at(-1)!);

async function logged(metadata: Record<string, string>, from = service) {
  await from.call('UserProfile.get', {}, token, metadata);
  return lastLine(from);
}

describe('metadata of a call', () => {
  it('P22: reaches the one log line: request id, trace, caller, method and time', async () => {
    expect(await logged({ 'x-request-id': 'request-1', traceparent: TRACE })).toMatchObject({
      msg: 'answered',
      request_id: 'request-1',
      trace: TRACE,
      method: 'spaceone.api.identity.v2.UserProfile/get',
      peer: '127.0.0.1',
      domain_id: tenant.domain_id,
      user_id,
      code: 'OK',
      ms: expect.any(Number),
    });
  });

  it('is logged for refused calls as well, with the reason', async () => {
    const metadata = { 'x-request-id': 'request-2', traceparent: TRACE };
    await refusal(service.call('UserProfile.confirm_email', {}, token, metadata));
    expect(lastLine()).toMatchObject({
      level: 30,
      msg: 'refused',
      request_id: 'request-2',
      trace: TRACE,
      reason: 'ERROR_REQUIRED_PARAMETER',
      code: 'INVALID_ARGUMENT',
      user_id,
    });
  });

  it('gives the request id back, and makes one when there is none or none that is plain', async () => {
    const given = async (id: string) => {
      const metadata: Record<string, string> = id ? { 'x-request-id': id } : {};
      const refused = await refusal(service.call('UserProfile.get', {}, undefined, metadata));
      return errorDetail(refused, 'RequestInfo').requestId;
    };
    expect(await given('abc-1.2:3_4')).toBe('abc-1.2:3_4');
    for (const id of ['', 'two words', '"}{', 'x'.repeat(65), 'a@b', 'p$ssword', 'a/b']) {
      expect(await given(id)).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    }
  });

  it('leaves what is no trace out of the log', async () => {
    expect(await logged({ traceparent: 'x'.repeat(4000) })).not.toHaveProperty('trace');
  });

  it('names the caller that a trusted proxy saw, not the one that the caller claims to be', async () => {
    expect((await logged({ 'x-forwarded-for': '1.2.3.4, 203.0.113.9' })).peer).toBe('203.0.113.9');
    expect((await logged({ 'x-forwarded-for': '203.0.113.9' })).peer).toBe('203.0.113.9');
    expect((await logged({ 'x-forwarded-for': '::FFFF:203.0.113.9' })).peer).toBe('203.0.113.9');
    expect((await logged({ 'x-forwarded-for': '2001:DB8:0::9' })).peer).toBe('2001:db8::9');
  });

  it.each([
    'z'.repeat(500),
    'hunter2',
    '203.0.113.9, hunter2',
    '',
    '203.0.113.9,',
    '203.0.113.999',
    '0x7f.1',
    '203.0.113.9:80',
    'fe80::1%hunter2',
  ])('names the proxy when it names no address: %s', async (forwarded) => {
    expect((await logged({ 'x-forwarded-for': forwarded })).peer).toBe('127.0.0.1');
    const admin = { user_id: 'root@example.com', name: 'Root', password: 'Passw0rd!' };
    const init = service.call('System.init', { admin }, undefined, { 'x-forwarded-for': forwarded });
    expect((await refusal(init)).code).toBe(status.UNAUTHENTICATED);
  });

  it('does not listen to x-forwarded-for of anybody else', async () => {
    const exposed = await service.another({ TRUSTED_PROXIES: '10.0.0.1, 10.0.0.0/8' });
    expect((await logged({ 'x-forwarded-for': '203.0.113.9' }, exposed)).peer).toBe('127.0.0.1');
    await exposed.close();
  });

  it('takes every address of a range for a trusted proxy', async () => {
    const behind = await service.another({ TRUSTED_PROXIES: '10.0.0.1, 127.0.0.0/8' });
    expect((await logged({ 'x-forwarded-for': '203.0.113.9' }, behind)).peer).toBe('203.0.113.9');
    await behind.close();
  });

  it('carries the token as `token`, or as `authorization` with Bearer, the first before the second', async () => {
    const get = (metadata: Record<string, string>) =>
      service.call('UserProfile.get', {}, undefined, metadata);
    expect((await get({ token })).user_id).toBe(user_id);
    expect((await get({ authorization: `Bearer ${token}` })).user_id).toBe(user_id);
    expect((await get({ authorization: `bearer  ${token}` })).user_id).toBe(user_id);
    expect((await get({ token, authorization: 'Bearer nonsense' })).user_id).toBe(user_id);
    const wrong: Record<string, string>[] = [
      { token: 'nonsense', authorization: `Bearer ${token}` },
      { authorization: token },
      { authorization: `Basic ${token}` },
      { token: `Bearer ${token}` },
      { token: `${token}, ${token}` },
      {},
    ];
    for (const metadata of wrong) {
      const refused = await refusal(get(metadata));
      expect(refused).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'ERROR_AUTHENTICATE_FAILURE' });
    }
  });

  it('cannot choose domain or workspace for a user token', async () => {
    const other = await aTenant(service);
    const metadata = { x_domain_id: other.domain_id, x_workspace_id: other.alpha };
    expect((await service.call('UserProfile.get', {}, token, metadata)).domain_id).toBe(tenant.domain_id);
    const admin = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    const refused = await refusal(service.call('WorkspaceUser.list', {}, admin, metadata));
    expect(refused.text).toContain('(key = workspace_id)');
  });

  it('chooses domain and workspace for a system token, which does without none of them', async () => {
    const admin = { user_id: 'root@example.com', name: 'Root', password: 'Passw0rd!' };
    const { system_token } = await service.call('System.init', { admin });
    const member = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const get = (metadata: Record<string, string>) =>
      service.call('WorkspaceUser.get', { user_id: member }, system_token, metadata);
    expect((await get({ x_domain_id: tenant.domain_id, x_workspace_id: tenant.alpha })).user_id).toBe(member);
    expect((await get({ x_domain_id: tenant.domain_id })).user_id).toBe(member);
    const elsewhere = get({ x_domain_id: tenant.domain_id, x_workspace_id: tenant.beta });
    expect((await refusal(elsewhere)).reason).toBe('ERROR_NOT_FOUND');
    expect((await refusal(get({}))).text).toContain('(key = domain_id)');
    const nowhere = { x_domain_id: tenant.domain_id, x_workspace_id: 'workspace-000000000000' };
    const role_id = 'managed-workspace-member';
    const request = { user_id: 'new@x.io', auth_type: 'LOCAL', password: 'Passw0rd!', role_id };
    const create = (metadata: Record<string, string>) =>
      service.call('WorkspaceUser.create', request, system_token, metadata);
    expect((await refusal(create(nowhere))).reason).toBe('ERROR_NOT_FOUND');
    expect((await create({ ...nowhere, x_workspace_id: tenant.beta })).user_id).toBe('new@x.io');
  });
});
