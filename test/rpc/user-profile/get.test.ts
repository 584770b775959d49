import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, tokenOf } from '../../fixtures.js';
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
