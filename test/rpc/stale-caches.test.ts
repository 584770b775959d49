import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseProxy } from '../database-proxy.js';
import { databaseServer } from '../database.js';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, tokenOf } from '../fixtures.js';
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
  it('of a user was not read before a change that this instance has made', async () => {
    const proxy = new DatabaseProxy(databaseServer());
    await proxy.up();
    const slow = await startService({
      MONGODB_URI: proxy.uri(`test-${randomUUID()}`),
      USER_CACHE_MS: '5000',
    });
    try {
      const home = await aTenant(slow);
      const member = await aUser(slow, home, { roles: { [home.alpha]: 'WORKSPACE_MEMBER' } });
      const token = await tokenOf(slow, home, member, 'WORKSPACE', home.alpha);
      const list = () => slow.call('WorkspaceUser.list', {}, token);
      const asked = proxy.holdAnswer(member);
      const before = list();
      await asked;
      const passwords = { current_password: PASSWORD, new_password: 'An0therPass!' };
      await slow.call('UserProfile.update_password', passwords, await tokenOf(slow, home, member));
      proxy.resume();
      expect(await before).toHaveProperty('total_count');
      expect((await refusal(list())).code).toBe(status.UNAUTHENTICATED);
    } finally {
      await slow.close();
      await proxy.down();
    }
  });
});
