import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal } from '../../harness.js';
import { startDomains } from './domains.js';

let service: Service;
let tenant: Tenant;
let systemAdmin: string;

beforeAll(async () => {
  ({ service, tenant, systemAdmin } = await startDomains());
});
afterAll(() => service.close());

const enable = (domain_id: string, token: string | undefined = systemAdmin) =>
  service.call('Domain.enable', { domain_id }, token);

describe('Domain.enable', () => {
  it('is for system administrators', async () => {
    const token = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    expect((await refusal(enable(tenant.domain_id, token))).code).toBe(status.PERMISSION_DENIED);
    const anonymous = service.call('Domain.enable', { domain_id: tenant.domain_id });
    expect((await refusal(anonymous)).code).toBe(status.UNAUTHENTICATED);
  });

  it('lets the users of a disabled domain in again, with the tokens that they had', async () => {
    const { access_token } = await signIn(service, tenant, tenant.admin);
    await service.call('Domain.disable', { domain_id: tenant.domain_id }, systemAdmin);
    expect((await refusal(service.call('UserProfile.get', {}, access_token))).code).toBe(
      status.UNAUTHENTICATED,
    );
    expect(await enable(tenant.domain_id)).toMatchObject({ domain_id: tenant.domain_id, state: 'ENABLED' });
    expect(await service.call('UserProfile.get', {}, access_token)).toHaveProperty('user_id');
    expect(await signIn(service, tenant, tenant.admin)).toHaveProperty('access_token');
  });
  it('never touches the root domain', async () => {
    expect(await refusal(enable('domain-root'))).toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'ERROR_PERMISSION_DENIED',
    });
  });

  it('asks for the id, and does not know a domain that does not exist', async () => {
    expect((await refusal(enable(''))).reason).toBe('ERROR_REQUIRED_PARAMETER');
    expect(await refusal(enable('domain-000000000000'))).toMatchObject({
      code: status.NOT_FOUND,
      reason: 'ERROR_NOT_FOUND',
    });
  });
});
