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

beforeAll(async () => {
  ({ service, tenant, systemAdmin } = await startDomains());
});
afterAll(() => service.close());

const update = (request: object, token: string | undefined = systemAdmin) =>
  service.call('Domain.update', { domain_id: tenant.domain_id, ...request }, token);

describe('Domain.update', () => {
  it('changes the given fields and answers the domain', async () => {
    const changed = await update({ name: ' renamed ', tags: { region: 'eu' } });
    expect(changed).toMatchObject({ name: 'renamed', tags: { region: 'eu' }, state: 'ENABLED' });
    expect(await service.call('Domain.get', { domain_id: tenant.domain_id }, systemAdmin)).toEqual(changed);
    expect(await service.call('Domain.get_auth_info', { name: 'renamed' })).toMatchObject({
      domain_id: tenant.domain_id,
    });
    expect((await update({ tags: {} })).tags).toEqual({});
    expect((await update({})).name).toBe('renamed');
  });

  it.each([[{ name: 'n'.repeat(256) }], [{ tags: { $x: 1 } }]])(
    'refuses what breaks a rule: %#',
    async (given) => {
      expect(await refusal(update(given))).toMatchObject({
        code: status.INVALID_ARGUMENT,
        reason: 'ERROR_INVALID_PARAMETER',
      });
    },
  );

  it('refuses the name of another living domain', async () => {
    expect(await refusal(update({ name: 'root' }))).toMatchObject({
      code: status.ALREADY_EXISTS,
      reason: 'ERROR_NOT_UNIQUE',
      text: 'The value is taken. (name = root)',
    });
  });

  it('does not know a domain that does not exist', async () => {
    for (const given of [{}, { name: 'x' }]) {
      expect(await refusal(update({ domain_id: 'domain-000000000000', ...given }))).toMatchObject({
        code: status.NOT_FOUND,
        reason: 'ERROR_NOT_FOUND',
      });
    }
  });

  it('is for system administrators', async () => {
    const token = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    expect((await refusal(update({ name: 'x' }, token))).code).toBe(status.PERMISSION_DENIED);
    const anonymous = service.call('Domain.update', { domain_id: tenant.domain_id, name: 'x' });
    expect((await refusal(anonymous)).code).toBe(status.UNAUTHENTICATED);
  });
});
