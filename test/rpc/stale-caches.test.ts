import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { initialise } from '../system.js';

let service: Service;
let other: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  other = await service.another();
  tenant = await aTenant(service);
});
afterAll(async () => {
  await other.close();
  await service.close();
});

describe('D-34 what is remembered', () => {
  it('of a role is not older than the next grant', async () => {
    const member = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const before = await tokenOf(service, tenant, member, 'WORKSPACE', tenant.alpha);
    expect(await service.call('WorkspaceUser.list', {}, before)).toHaveProperty('total_count');
    await service.app.rooms.mongo.connection
      .collection('role')
      .updateOne(
        { domain_id: tenant.domain_id, role_id: 'managed-workspace-member' },
        { $set: { permissions: ['identity:UserProfile'] } },
      );
    const after = await tokenOf(service, tenant, member, 'WORKSPACE', tenant.alpha);
    const refused = await refusal(service.call('WorkspaceUser.list', {}, after));
    expect(refused.code).toBe(status.PERMISSION_DENIED);
  });

  it('of the root keys is found to be old by the other instance without a hand', async () => {
    const { systemToken } = await initialise(service);
    const read = (token: string) => other.call('Domain.get', { domain_id: tenant.domain_id }, token);
    expect(await read(systemToken)).toMatchObject({ domain_id: tenant.domain_id });
    const admin = { user_id: 'root@example.com', name: 'Rita Root', password: 'Passw0rd!' };
    const anew = await service.call('System.init', { admin, force: true }, systemToken);
    await expect.poll(() => read(systemToken).catch(() => 'refused'), { timeout: 8000 }).toBe('refused');
    await expect
      .poll(() => read(anew.system_token).catch(() => 'refused'), { timeout: 8000 })
      .not.toBe('refused');
    expect(
      (await refusal(service.call('Domain.get', { domain_id: tenant.domain_id }, systemToken))).code,
    ).toBe(status.UNAUTHENTICATED);
  });
});
