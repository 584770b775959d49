import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DatabaseProxy } from '../database-proxy.js';
import { databaseServer } from '../database.js';
import type { Tenant } from '../fixtures.js';
import { aTenant, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import { WireClient } from '../wire-client.js';
import { startProcess } from './running-service.js';

/** In which everything works again without a hand (checks F09). */
const RECOVERY_MS = 30_000;

let service: Service;
let tenant: Tenant;
let token: string;
let proxy: DatabaseProxy;
const SERVICE_KEY = randomBytes(32).toString('base64');

beforeAll(async () => {
  service = await startService({ SERVICE_KEY });
  tenant = await aTenant(service);
  token = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.alpha);
  proxy = new DatabaseProxy(databaseServer());
  await proxy.up();
});
afterAll(async () => {
  await proxy.down();
  await service.close();
});

const account = (user_id: string) => ({
  user_id,
  email: user_id,
  auth_type: 'LOCAL',
  reset_password: true,
  role_id: 'managed-workspace-member',
});

it('F09: what an instance had begun when it was killed (-9) does not hold up the others', async () => {
  const database = new URL(service.databaseUri).pathname.slice(1);
  const settings = { MONGODB_URI: proxy.uri(database), SERVICE_KEY, SMTP_URL: service.sink.url };
  const doomed = await startProcess(settings);
  const client = new WireClient(doomed.address);
  // A first user, so that it serves; the second one gets as far as the audit record.
  const create = (to: WireClient | Service, user_id: string) =>
    to.call('WorkspaceUser.create', account(user_id), token);
  await expect
    .poll(() => create(client, 'first@example.com').then(() => 'made', String), { timeout: 15_000 })
    .toBe('made');
  proxy.downAt('audit_record', true);
  const lost = create(client, 'half@example.com').catch(() => 'lost');
  await expect.poll(() => proxy.isDown, { timeout: 15_000 }).toBe(true);
  doomed.process.kill('SIGKILL');
  expect(await lost).toBe('lost');
  client.close();
  await expect
    .poll(() => create(service, 'next@example.com').then(() => 'made', String), { timeout: RECOVERY_MS })
    .toBe('made');
  const users = service.app.rooms.mongo.connection.collection('user');
  expect(await users.countDocuments({ user_id: 'half@example.com' })).toBe(0);
}, 90_000);

it('an instance that ends by itself leaves no trace', async () => {
  const instances = service.app.rooms.mongo.connection.collection('service_instance');
  const before = await instances.countDocuments();
  const other = await service.another();
  expect(await instances.countDocuments()).toBe(before + 1);
  await other.close();
  expect(await instances.countDocuments()).toBe(before);
});
