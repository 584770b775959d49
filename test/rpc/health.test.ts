import { randomBytes, randomUUID } from 'node:crypto';
import { credentials, status } from '@grpc/grpc-js';
import type { ClientReadableStream } from '@grpc/grpc-js';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp } from '../../src/app.js';
import type { App } from '../../src/app.js';
import { systemClock } from '../../src/clock.js';
import { readConfig } from '../../src/config.js';
import { HealthClient } from '../../src/gen/health/v1/health.js';
import type { HealthCheckResponse } from '../../src/gen/health/v1/health.js';
import { DatabaseProxy } from '../database-proxy.js';
import { databaseServer } from '../database.js';
import { refusal } from '../harness.js';
import { WireClient } from '../wire-client.js';

const NAMES = [
  '',
  'identity',
  'spaceone.api.identity.v2.System',
  'spaceone.api.identity.v2.Domain',
  'spaceone.api.identity.v2.Token',
  'spaceone.api.identity.v2.UserProfile',
  'spaceone.api.identity.v2.WorkspaceUser',
  'spaceone.api.core.v1.ServerInfo',
];
const ADMIN = { admin: { user_id: 'root@example.com', name: 'Root', password: 'Passw0rd!' } };

let proxy: DatabaseProxy;
let app: App;
let health: HealthClient;
let client: WireClient;

beforeAll(async () => {
  proxy = new DatabaseProxy(databaseServer());
  // Keeps a port, on which nobody answers yet.
  await proxy.up();
  await proxy.down();
  const config = readConfig({
    GRPC_PORT: '0',
    MONGODB_URI: proxy.uri(`test-${randomUUID()}`),
    SERVICE_KEY: randomBytes(32).toString('base64'),
    BCRYPT_COST: '4',
  });
  app = await startApp(config, systemClock, pino({ level: 'silent' }));
  health = new HealthClient(`127.0.0.1:${app.port}`, credentials.createInsecure());
  client = new WireClient(`127.0.0.1:${app.port}`);
});
afterAll(async () => {
  client.close();
  health.close();
  await app.close();
  await proxy.down();
});

const check = (service: string) =>
  new Promise<string>((resolve, reject) => {
    health.check({ service }, (error, answer) => (error ? reject(error) : resolve(answer.status)));
  });
const allChecks = async () => [...new Set(await Promise.all(NAMES.map(check)))];

/** What a watcher has been told so far. */
function watch(service: string): {
  states: string[];
  stream: ClientReadableStream<HealthCheckResponse>;
  ended: boolean;
} {
  const stream = health.watch({ service });
  const watcher = { states: [] as string[], stream, ended: false };
  stream.on('data', (answer: HealthCheckResponse) => watcher.states.push(answer.status));
  stream.on('end', () => (watcher.ended = true));
  stream.on('error', () => (watcher.ended = true));
  return watcher;
}

describe('health', () => {
  it('F05: is NOT_SERVING for every name while the database is away, and calls are UNAVAILABLE', async () => {
    expect(await allChecks()).toEqual(['NOT_SERVING']);
    const refused = await refusal(client.call('System.init', ADMIN));
    expect(refused).toMatchObject({ code: status.UNAVAILABLE, reason: 'ERROR_UNAVAILABLE' });
    expect(refused.text).not.toMatch(/mongo|127\.0\.0\.1/i);
    expect((await client.call('spaceone.api.core.v1.ServerInfo.get_version')).version).toMatch(
      /^\d+\.\d+\.\d+/,
    );
  });

  it('F04 F05: follows the database: there, gone, there again', async () => {
    const watcher = watch('spaceone.api.identity.v2.Token');
    await expect.poll(() => watcher.states).toEqual(['NOT_SERVING']);
    await proxy.up();
    await app.ready;
    await expect.poll(() => watcher.states, { timeout: 10_000 }).toEqual(['NOT_SERVING', 'SERVING']);
    expect(await allChecks()).toEqual(['SERVING']);
    expect((await client.call('System.init', ADMIN)).domain_id).toBe('domain-root');

    await proxy.down();
    await expect.poll(() => watcher.states.at(-1), { timeout: 15_000 }).toBe('NOT_SERVING');
    expect((await refusal(client.call('System.init', ADMIN))).code).toBe(status.UNAVAILABLE);

    await proxy.up();
    await expect.poll(() => watcher.states.at(-1), { timeout: 15_000 }).toBe('SERVING');
    const again = await refusal(client.call('System.init', ADMIN));
    expect(again.reason).toBe('ERROR_SYSTEM_ALREADY_INITIALIZED');
    watcher.stream.cancel();
  });

  it('says of a name that it does not know that it does not know it', async () => {
    await expect(check('spaceone.api.identity.v2.Nothing')).rejects.toMatchObject({ code: status.NOT_FOUND });
    const watcher = watch('spaceone.api.identity.v2.Nothing');
    await expect.poll(() => watcher.states).toEqual(['SERVICE_UNKNOWN']);
    watcher.stream.cancel();
  });

  it('lists every name at once', async () => {
    const { statuses } = await client.call('grpc.health.v1.Health.List');
    for (const name of NAMES) expect(statuses[name]).toEqual({ status: 'SERVING' });
  });

  it('refuses bytes that are no message, and lives on', async () => {
    for (const method of ['Check', 'Watch']) {
      const answer = client.callPath(`/grpc.health.v1.Health/${method}`, Buffer.from([10, 200, 1]));
      expect((await refusal(answer)).code, method).toBe(status.INVALID_ARGUMENT);
    }
    expect(await check('')).toBe('SERVING');
  });

  it('tells those who watch that the service stops, and lets them go', async () => {
    const watchers = [watch(''), watch('identity'), watch('unknown')];
    await expect.poll(() => watchers.map(({ states }) => states.length)).toEqual([1, 1, 1]);
    await app.close();
    expect(watchers[0]!.states).toEqual(['SERVING', 'NOT_SERVING']);
    await expect.poll(() => watchers.map(({ ended }) => ended)).toEqual([true, true, true]);
  });
});
