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

const remove = (domain_id: string, token: string | undefined = systemAdmin) =>
  service.call('Domain.delete', { domain_id }, token);

describe('Domain.delete', () => {
  it('is for system administrators', async () => {
    const token = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    expect((await refusal(remove(tenant.domain_id, token))).code).toBe(status.PERMISSION_DENIED);
    const anonymous = service.call('Domain.delete', { domain_id: tenant.domain_id });
    expect((await refusal(anonymous)).code).toBe(status.UNAUTHENTICATED);
  });

  it('makes a domain and its tokens vanish, and its name free', async () => {
    const { access_token } = await signIn(service, tenant, tenant.admin);
    expect(await service.call('UserProfile.get', {}, access_token)).toHaveProperty('user_id');
    expect(await remove(tenant.domain_id)).toEqual({});
    expect((await refusal(service.call('UserProfile.get', {}, access_token))).code).toBe(
      status.UNAUTHENTICATED,
    );
    expect((await refusal(signIn(service, tenant, tenant.admin))).code).toBe(status.NOT_FOUND);
    const key = { domain_id: tenant.domain_id };
    expect((await refusal(service.call('Domain.get', key, systemAdmin))).code).toBe(status.NOT_FOUND);
    expect((await refusal(service.call('Domain.get_auth_info', { name: tenant.name }))).code).toBe(
      status.NOT_FOUND,
    );
    expect((await refusal(remove(tenant.domain_id))).code).toBe(status.NOT_FOUND);
    const domains = service.app.rooms.mongo.connection.collection('domain');
    expect(await domains.findOne(key)).toMatchObject({ state: 'DELETED', deleted_at: expect.any(Date) });
    const admin = { user_id: 'next@example.com', name: 'Next', password: 'Passw0rd!' };
    const next = await service.call('Domain.create', { name: tenant.name, admin }, systemAdmin);
    expect(next.domain_id).not.toBe(tenant.domain_id);
  });

  it('never touches the root domain', async () => {
    expect(await refusal(remove('domain-root'))).toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'ERROR_PERMISSION_DENIED',
    });
  });

  it('asks for the id', async () => {
    expect((await refusal(remove(''))).reason).toBe('ERROR_REQUIRED_PARAMETER');
  });
});
