import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal } from '../../harness.js';
import { startDomains } from './domains.js';

let service: Service;
let tenant: Tenant;
let systemAdmin: string;
let systemToken: string;

beforeAll(async () => {
  ({ service, tenant, systemAdmin, systemToken } = await startDomains());
});
afterAll(() => service.close());

const get = (domain_id: string, token?: string) => service.call('Domain.get', { domain_id }, token);

describe('Domain.get', () => {
  it('answers a domain to a system administrator, and to the system', async () => {
    for (const token of [systemAdmin, systemToken]) {
      expect(await get(tenant.domain_id, token)).toEqual({
        domain_id: tenant.domain_id,
        name: tenant.name,
        state: 'ENABLED',
        created_at: expect.stringMatching(/Z$/),
      });
    }
  });

  it('asks for the id', async () => {
    expect(await refusal(get('', systemAdmin))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: 'Required parameter. (key = domain_id)',
    });
  });

  it('does not know a domain that does not exist', async () => {
    expect(await refusal(get('domain-000000000000', systemAdmin))).toMatchObject({
      code: status.NOT_FOUND,
      reason: 'ERROR_NOT_FOUND',
      text: 'Resource cannot be found or access is denied. (domain_id = domain-000000000000)',
    });
  });

  it('is not for administrators of a domain, not even for their own', async () => {
    const token = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    expect(await refusal(get(tenant.domain_id, token))).toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'ERROR_PERMISSION_DENIED',
    });
  });

  it('refuses a call without a token', async () => {
    expect(await refusal(get(tenant.domain_id))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATE_FAILURE',
    });
  });
});
