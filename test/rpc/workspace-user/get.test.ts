import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aBinding, aRole, aTenant, aUser, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let service: Service;
let tenant: Tenant;
let ownerId: string;
let memberId: string;
let owner: string;
let member: string;
let admin: string;

beforeAll(async () => {
  service = await startService({ USER_CACHE_MS: '0' });
  tenant = await aTenant(service);
  ownerId = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
  memberId = await aUser(service, tenant, {
    name: 'Max Member',
    language: 'ko',
    timezone: 'Asia/Seoul',
    tags: { team: 'one' },
    mfa: { state: 'ENABLED', mfa_type: 'EMAIL', options: { email: 'second@example.com' } },
    refresh_timeout: 3600,
    roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' },
  });
  owner = await tokenOf(service, tenant, ownerId, 'WORKSPACE', tenant.alpha);
  const plain = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
  member = await tokenOf(service, tenant, plain, 'WORKSPACE', tenant.alpha);
  admin = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
});
afterAll(() => service.close());

const get = (user_id: string, token: string | undefined = owner, workspace_id?: string) =>
  service.call('WorkspaceUser.get', { user_id, ...(workspace_id ? { workspace_id } : {}) }, token);

async function expectNotFound(answer: Promise<unknown>, user_id: string): Promise<void> {
  const refused = await refusal(answer);
  expect(refused).toMatchObject({ code: status.NOT_FOUND, reason: 'ERROR_NOT_FOUND' });
  expect(refused.text).toContain(`(user_id = ${user_id})`);
}

describe('WorkspaceUser.get', () => {
  it('answers owner and member alike, with the role there and without second factor or secrets', async () => {
    const answer = await get(memberId);
    expect(answer).toEqual({
      user_id: memberId,
      name: 'Max Member',
      state: 'ENABLED',
      email: memberId,
      email_verified: true,
      auth_type: 'LOCAL',
      role_type: 'USER',
      language: 'ko',
      timezone: 'Asia/Seoul',
      tags: { team: 'one' },
      role_binding_info: {
        role_binding_id: expect.stringMatching(/^rb-[0-9a-f]{12}$/),
        role_type: 'WORKSPACE_MEMBER',
        resource_group: 'WORKSPACE',
        domain_id: tenant.domain_id,
        workspace_id: tenant.alpha,
        role_id: 'managed-workspace-member',
        user_id: memberId,
        created_at: expect.stringMatching(/Z$/),
      },
      domain_id: tenant.domain_id,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(await get(memberId, member)).toEqual(answer);
    expect((await get(ownerId, member)).role_binding_info.role_type).toBe('WORKSPACE_OWNER');
  });

  it('takes the workspace of the token, whatever the request says', async () => {
    expect((await get(memberId, owner, tenant.beta)).role_binding_info.workspace_id).toBe(tenant.alpha);
  });

  it('answers a domain administrator for the workspace of the request', async () => {
    expect((await get(memberId, admin, tenant.alpha)).user_id).toBe(memberId);
    await expectNotFound(get(memberId, admin, tenant.beta), memberId);
    await expectNotFound(get(memberId, admin, 'workspace-000000000000'), memberId);
  });

  it('looks through all workspaces for a domain administrator who names none', async () => {
    expect((await get(memberId, admin)).role_binding_info.workspace_id).toBe(tenant.alpha);
    const homeless = await aUser(service, tenant);
    await expectNotFound(get(homeless, admin), homeless);
    await expectNotFound(get(tenant.admin, admin), tenant.admin);
  });

  it('P16: finds nobody who is unknown, in another workspace or in another domain', async () => {
    const other = await aTenant(service);
    const stranger = await aUser(service, other, { roles: { [other.alpha]: 'WORKSPACE_OWNER' } });
    const neighbour = await aUser(service, tenant, { roles: { [tenant.beta]: 'WORKSPACE_MEMBER' } });
    for (const user_id of ['nobody@example.com', stranger, neighbour, tenant.admin]) {
      await expectNotFound(get(user_id), user_id);
    }
    const foreign = await tokenOf(service, other, other.admin, 'DOMAIN');
    await expectNotFound(get(memberId, foreign, tenant.alpha), memberId);
  });

  it('trims the id and keeps its letter case', async () => {
    expect((await get(` ${memberId} `)).user_id).toBe(memberId);
    await expectNotFound(get(memberId.toUpperCase()), memberId.toUpperCase());
  });

  it('D-31 counts a role for all workspaces', async () => {
    const everywhere = await aUser(service, tenant);
    const { role_binding_id } = await aBinding(service, tenant, everywhere, {
      workspace_id: '*',
      role_type: 'WORKSPACE_MEMBER',
    });
    const { role_binding_info } = await get(everywhere);
    expect(role_binding_info).toMatchObject({ role_binding_id, workspace_id: '*' });
    expect((await get(everywhere, admin, tenant.beta)).role_binding_info.workspace_id).toBe('*');
    const token = await tokenOf(service, tenant, everywhere, 'WORKSPACE', tenant.alpha);
    expect((await get(memberId, token)).user_id).toBe(memberId);
  });

  it('D-32 shows the role that counts: this workspace, then owner, then the oldest', async () => {
    const user_id = await aUser(service, tenant);
    const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1, 0, minutes));
    const bind = (
      workspace_id: string,
      role_type: 'WORKSPACE_OWNER' | 'WORKSPACE_MEMBER',
      group: string,
      minute: number,
    ) =>
      aBinding(service, tenant, user_id, {
        workspace_id,
        role_type,
        workspace_group_id: group,
        created_at: at(minute),
      });
    const shown = async () => (await get(user_id)).role_binding_info.role_binding_id;

    const everywhere = await bind('*', 'WORKSPACE_OWNER', 'wg-0', 0);
    expect(await shown()).toBe(everywhere.role_binding_id);
    const late = await bind(tenant.alpha, 'WORKSPACE_MEMBER', 'wg-1', 9);
    expect(await shown()).toBe(late.role_binding_id);
    const early = await bind(tenant.alpha, 'WORKSPACE_MEMBER', 'wg-2', 5);
    expect(await shown()).toBe(early.role_binding_id);
    const ownership = await bind(tenant.alpha, 'WORKSPACE_OWNER', 'wg-3', 20);
    expect((await get(user_id)).role_binding_info).toMatchObject({
      role_binding_id: ownership.role_binding_id,
      role_type: 'WORKSPACE_OWNER',
      workspace_group_id: 'wg-3',
    });
    await bind(tenant.beta, 'WORKSPACE_OWNER', 'wg-4', 1);
    expect(await shown()).toBe(ownership.role_binding_id);
  });

  it('wants a user id', async () => {
    for (const user_id of ['', '  ']) {
      const refused = await refusal(get(user_id));
      expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_REQUIRED_PARAMETER' });
      expect(refused.text).toContain('(key = user_id)');
    }
  });

  it('refuses an id that is too long or holds control characters', async () => {
    for (const user_id of ['u'.repeat(61), 'a\u0000b', '{"$gt":\u0007""}']) {
      const refused = await refusal(get(user_id));
      expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
    }
  });

  it('refuses a call without a token', async () => {
    const refused = await refusal(service.call('WorkspaceUser.get', { user_id: memberId }));
    expect(refused).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'ERROR_AUTHENTICATE_FAILURE' });
  });

  it('refuses a token without a workspace role, and a role without the permission', async () => {
    const role_id = await aRole(service, tenant, { permissions: ['identity:WorkspaceUser.write'] });
    const limited = await aUser(service, tenant);
    await aBinding(service, tenant, limited, {
      workspace_id: tenant.alpha,
      role_type: 'WORKSPACE_MEMBER',
      role_id,
    });
    const tokens = [
      await tokenOf(service, tenant, ownerId, 'USER'),
      await tokenOf(service, tenant, limited, 'WORKSPACE', tenant.alpha),
    ];
    for (const token of tokens) {
      const refused = await refusal(get(memberId, token));
      expect(refused).toMatchObject({ code: status.PERMISSION_DENIED, reason: 'ERROR_PERMISSION_DENIED' });
    }
  });

  it('lets a role with exactly the read permission pass', async () => {
    const role_id = await aRole(service, tenant, { permissions: ['identity:WorkspaceUser.read'] });
    const reader = await aUser(service, tenant);
    await aBinding(service, tenant, reader, {
      workspace_id: tenant.alpha,
      role_type: 'WORKSPACE_MEMBER',
      role_id,
    });
    const token = await tokenOf(service, tenant, reader, 'WORKSPACE', tenant.alpha);
    expect((await get(memberId, token)).user_id).toBe(memberId);
  });
});
