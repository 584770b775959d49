import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseProxy } from '../../database-proxy.js';
import { databaseServer } from '../../database.js';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aWorkspace, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let proxy: DatabaseProxy;
let service: Service;
let tenant: Tenant;
let workspace_id: string;
let token: string;
let count = 0;

beforeAll(async () => {
  proxy = new DatabaseProxy(databaseServer());
  await proxy.up();
  service = await startService({
    MONGODB_URI: proxy.uri(`test-${randomUUID()}`),
    // Enough for the retries of the driver, not more.
    REQUEST_TIMEOUT_MS: '4000',
  });
  tenant = await aTenant(service);
});
// What is left of a transaction holds its workspace until the database gives it up, so each test has one of its own.
beforeEach(async () => {
  workspace_id = await aWorkspace(service, tenant.domain_id, `workspace-${(count += 1)}`);
  token = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', workspace_id);
});
afterEach(async () => {
  await proxy.down();
  await proxy.up();
  await expect.poll(() => service.app.rooms.mongo.available, { timeout: 15_000 }).toBe(true);
});
afterAll(async () => {
  await service.close();
  await proxy.down();
});

function invite(): { user_id: string; answer: Promise<object> } {
  const user_id = `lost${count}@example.com`;
  const account = { user_id, email: user_id, auth_type: 'LOCAL', reset_password: true };
  const request = { ...account, role_id: 'managed-workspace-member' };
  return { user_id, answer: service.call('WorkspaceUser.create', request, token) };
}

/** How much of a user there is: every part of what a create writes. */
async function parts(user_id: string): Promise<Record<string, number>> {
  await proxy.up();
  await expect.poll(() => service.app.rooms.mongo.available, { timeout: 15_000 }).toBe(true);
  const of = (name: string) => service.app.rooms.mongo.connection.collection(name);
  const workspace = await of('workspace').findOne({ workspace_id });
  const members = await of('user').countDocuments({ 'memberships.workspace_id': workspace_id });
  return {
    user: await of('user').countDocuments({ user_id }),
    role: await of('role_binding').countDocuments({ user_id }),
    audit: await of('audit_record').countDocuments({ target_id: user_id, action: 'user.create' }),
    uncounted: members - Number(workspace?.['user_count']),
  };
}

const NOTHING = { user: 0, role: 0, audit: 0, uncounted: 0 };
const ALL = { user: 1, role: 1, audit: 1, uncounted: 0 };

describe('D-22: a database that is lost while a user is made', () => {
  // mail_count is written with the mail, and, unlike the outbox, nobody looks into it in between.
  it.each(['role_binding', 'mail_count', 'audit_record', 'commitTransaction'])(
    'before it got %s leaves nothing of the user, and the caller is told that it is away',
    async (word) => {
      proxy.downAt(word, false);
      const { user_id, answer } = invite();
      const refused = await refusal(answer);
      expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(refused.code);
      expect(await parts(user_id)).toEqual(NOTHING);
    },
  );

  it.each(['role_binding', 'audit_record'])('F09: before it answered to %s leaves nothing', async (word) => {
    proxy.downAt(word, true);
    const { user_id, answer } = invite();
    const refused = await refusal(answer);
    expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(refused.code);
    await expect.poll(() => parts(user_id), { timeout: 20_000 }).toEqual(NOTHING);
  });

  it('before it answered to the commit leaves the whole user', async () => {
    proxy.downAt('commitTransaction', true);
    const { user_id, answer } = invite();
    // Nobody can know; the caller finds out by asking.
    await answer.catch(() => undefined);
    expect(await parts(user_id)).toEqual(ALL);
  });
});
