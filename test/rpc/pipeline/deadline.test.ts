import { randomUUID } from 'node:crypto';
import { Metadata, credentials, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { UserProfileClient } from '../../../src/gen/spaceone/api/identity/v2/user_profile.js';
import { DatabaseProxy } from '../../database-proxy.js';
import { databaseServer, isHeartbeat } from '../../database.js';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { WireClient } from '../../wire-client.js';

let proxy: DatabaseProxy;
let service: Service;
let tenant: Tenant;
let token: string;
let client: WireClient;

beforeAll(async () => {
  proxy = new DatabaseProxy(databaseServer());
  await proxy.up();
  service = await startService({
    MONGODB_URI: `${proxy.uri(`test-${randomUUID()}`)}&monitorCommands=true`,
    REQUEST_TIMEOUT_MS: '700',
    // Every call asks the database, nothing is answered from memory.
    USER_CACHE_MS: '0',
    DOMAIN_CACHE_MS: '0',
  });
  tenant = await aTenant(service);
  token = await tokenOf(service, tenant, await aUser(service, tenant));
  client = new WireClient(service.address);
});
afterEach(() => proxy.resume());
afterAll(async () => {
  client.close();
  await service.close();
  await proxy.down();
});

const get = (deadline?: number) =>
  client.call('UserProfile.get', {}, token, {}, deadline ? { deadline } : {});
const lines = () => service.logs.map((text) => JSON.parse(text));

describe('a call to a database that does not answer', () => {
  it('F03: ends at the limit of the service, with a reason', async () => {
    proxy.stall();
    const refused = await refusal(get());
    expect(refused).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: 'ERROR_REQUEST_TIMEOUT' });
  });

  it('F03 F06: ends at the deadline of the caller when that is earlier', async () => {
    proxy.stall();
    const before = service.logs.length;
    const refused = await refusal(get(Date.now() + 200));
    expect(refused.code).toBe(status.DEADLINE_EXCEEDED);
    await expect
      .poll(() => lines().slice(before).at(-1))
      .toMatchObject({
        msg: 'refused',
        reason: expect.stringMatching(/^ERROR_REQUEST_(TIMEOUT|CANCELLED)$/),
      });
    // Well before the limit of the service.
    expect(lines().at(-1).ms).toBeLessThan(600);
  });

  it('F03: does not hold up others: all end together, and all are answered once the database does', async () => {
    proxy.stall();
    const refused = await Promise.all(Array.from({ length: 50 }, () => refusal(get())));
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set([status.DEADLINE_EXCEEDED]));
    proxy.resume();
    await expect.poll(() => get().then(() => 'answered', String), { timeout: 10_000 }).toBe('answered');
  });

  it('is given up when the caller hangs up', async () => {
    proxy.stall();
    const before = service.logs.length;
    expect(await hungUp(50)).toMatchObject({ code: status.CANCELLED });
    await expect
      .poll(() => lines().slice(before).at(-1))
      .toMatchObject({
        msg: 'refused',
        reason: 'ERROR_REQUEST_CANCELLED',
      });
  });
});

describe('The time that a call has left', () => {
  /** What the service sent to the database meanwhile: name, limit of time and comment of each command. */
  async function commandsOf(work: () => Promise<unknown>): Promise<{ name: string; maxTimeMS?: number }[]> {
    const seen: { name: string; maxTimeMS?: number }[] = [];
    const database = service.app.rooms.mongo.connection.getClient();
    const note = ({ commandName, command }: { commandName: string; command: { maxTimeMS?: number } }) => {
      if (!isHeartbeat(command)) seen.push({ name: commandName, maxTimeMS: command.maxTimeMS });
    };
    database.on('commandStarted', note);
    await work().finally(() => database.off('commandStarted', note));
    return seen;
  }

  it('F06: bounds every command that the database gets for it', async () => {
    const seen = await commandsOf(() => get(Date.now() + 600));
    expect(seen.length).toBeGreaterThan(0);
    for (const { maxTimeMS } of seen) {
      expect(maxTimeMS).toBeGreaterThan(0);
      expect(maxTimeMS).toBeLessThanOrEqual(600);
    }
  });

  it('F06: is that of the service when the caller gives more', async () => {
    const seen = await commandsOf(() => get(Date.now() + 60_000));
    for (const { maxTimeMS } of seen) expect(maxTimeMS).toBeLessThanOrEqual(700);
  });

  it('F07: ends with the call: the database gets nothing more for a caller who hangs up', async () => {
    proxy.stall();
    const seen = await commandsOf(async () => {
      const calls = Array.from({ length: 20 }, () => hungUp(50));
      await Promise.all(calls);
      const before = service.logs.length;
      proxy.resume();
      await expect.poll(() => get().then(() => 'answered', String), { timeout: 10_000 }).toBe('answered');
      expect(service.logs.length).toBeGreaterThan(before);
    });
    // The first step of each call that hung up was on its way; none of them took a second step.
    expect(seen.filter(({ name }) => name === 'find' || name === 'aggregate').length).toBeLessThan(20 * 2);
  });
});

/** A call whose caller hangs up after that many milliseconds. */
function hungUp(milliseconds: number): Promise<unknown> {
  const impatient = new UserProfileClient(service.address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('token', token);
  return new Promise((resolve) => {
    const call = impatient.get({ workspace_group_id: '' }, metadata, resolve);
    setTimeout(() => call.cancel(), milliseconds);
  }).finally(() => impatient.close());
}
