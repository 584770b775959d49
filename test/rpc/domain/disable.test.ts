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

const disable = (domain_id: string, token: string | undefined = systemAdmin) =>
  service.call('Domain.disable', { domain_id }, token);

describe('Domain.disable', () => {
  it('is for system administrators', async () => {
    const token = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    expect((await refusal(disable(tenant.domain_id, token))).code).toBe(status.PERMISSION_DENIED);
    const anonymous = service.call('Domain.disable', { domain_id: tenant.domain_id });
    expect((await refusal(anonymous)).code).toBe(status.UNAUTHENTICATED);
  });

  it('stops sign-ins and tokens of the domain at once', async () => {
    const { access_token, refresh_token } = await signIn(service, tenant, tenant.admin);
    expect(await disable(tenant.domain_id)).toMatchObject({ domain_id: tenant.domain_id, state: 'DISABLED' });
    const stopped = { code: status.INVALID_ARGUMENT, reason: 'ERROR_DOMAIN_STATE' };
    expect(await refusal(signIn(service, tenant, tenant.admin))).toMatchObject(stopped);
    const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token, scope: 'USER' };
    expect(await refusal(service.call('Token.grant', grant))).toMatchObject(stopped);
    expect((await refusal(service.call('UserProfile.get', {}, access_token))).code).toBe(
      status.UNAUTHENTICATED,
    );
    expect((await disable(tenant.domain_id)).state).toBe('DISABLED');
  });
  it('never touches the root domain', async () => {
    expect(await refusal(disable('domain-root'))).toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'ERROR_PERMISSION_DENIED',
    });
  });

  it('asks for the id, and does not know a domain that does not exist', async () => {
    expect((await refusal(disable(''))).reason).toBe('ERROR_REQUIRED_PARAMETER');
    expect(await refusal(disable('domain-000000000000'))).toMatchObject({
      code: status.NOT_FOUND,
      reason: 'ERROR_NOT_FOUND',
    });
  });
});
