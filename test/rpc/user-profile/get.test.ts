import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aBinding, aRole, aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

describe('UserProfile.get', () => {
  it('answers the account of the caller without any secret', async () => {
    const user_id = await aUser(service, tenant, { name: 'Uma User', tags: { team: 'one' } });
    const token = await tokenOf(service, tenant, user_id);
    const profile = await service.call('UserProfile.get', {}, token);
    expect(profile).toEqual({
      user_id,
      name: 'Uma User',
      state: 'ENABLED',
      email: user_id,
      email_verified: true,
      auth_type: 'LOCAL',
      role_type: 'USER',
      language: 'en',
      timezone: 'UTC',
      tags: { team: 'one' },
      domain_id: tenant.domain_id,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      last_accessed_at: expect.stringMatching(/Z$/),
    });
  });

  it('shows role, MFA and required actions of an account that has them', async () => {
    const mfa = {
      state: 'ENABLED' as const,
      mfa_type: 'EMAIL' as const,
      options: { email: 'f@example.com' },
    };
    const admin = {
      role_type: 'DOMAIN_ADMIN' as const,
      role_id: 'managed-domain-admin',
      refresh_timeout: 86_400,
    };
    const user_id = await aUser(service, tenant, { ...admin, required_actions: ['UPDATE_PASSWORD'] });
    const { access_token } = await signIn(service, tenant, user_id);
    const users = service.app.rooms.mongo.connection.collection('user');
    await users.updateOne({ domain_id: tenant.domain_id, user_id }, { $set: { mfa } });
    expect(await service.call('UserProfile.get', {}, access_token)).toMatchObject({
      ...admin,
      mfa,
      required_actions: ['UPDATE_PASSWORD'],
    });
  });

  it('answers in every scope, and ignores a workspace group', async () => {
    for (const [scope, workspace] of [['USER'], ['DOMAIN'], ['WORKSPACE', tenant.alpha]] as const) {
      const token = await tokenOf(service, tenant, tenant.admin, scope, workspace);
      const request = { workspace_group_id: 'wg-000000000000' };
      expect(await service.call('UserProfile.get', request, token)).toMatchObject({
        user_id: tenant.admin,
        role_type: 'DOMAIN_ADMIN',
        role_id: 'managed-domain-admin',
      });
    }
  });

  it('has no account to show for the system and its administrators', async () => {
    const account = { user_id: 'root@example.com', name: 'Root', password: PASSWORD };
    const { system_token, domain_id } = await service.call('System.init', { admin: account });
    expect(await refusal(service.call('UserProfile.get', {}, system_token))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: 'Required parameter. (key = user_id)',
    });
    const root = await tokenOf(service, { ...tenant, domain_id }, 'root@example.com', 'SYSTEM');
    expect(await refusal(service.call('UserProfile.get', {}, root))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: 'Required parameter. (key = domain_id)',
    });
  });

  it('is not for tokens whose permissions leave it out', async () => {
    const role_id = await aRole(service, tenant, { permissions: ['identity:WorkspaceUser'] });
    const user_id = await aUser(service, tenant);
    const binding = { workspace_id: tenant.alpha, role_type: 'WORKSPACE_MEMBER' as const, role_id };
    await aBinding(service, tenant, user_id, binding);
    const token = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    expect(await refusal(service.call('UserProfile.get', {}, token))).toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'ERROR_PERMISSION_DENIED',
      text: 'Permission denied.',
    });
  });

  it('refuses a call without a token', async () => {
    const refused = await refusal(service.call('UserProfile.get'));
    expect(refused).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'ERROR_AUTHENTICATE_FAILURE' });
  });

  it('takes the token from authorization: Bearer as well', async () => {
    const token = await tokenOf(service, tenant, tenant.admin);
    const profile = await service.call('UserProfile.get', {}, undefined, {
      authorization: `Bearer ${token}`,
    });
    expect(profile.role_type).toBe('DOMAIN_ADMIN');
  });
});
