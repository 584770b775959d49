import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HealthClient } from '../../src/gen/health/v1/health.js';
import { ServerReflectionClient } from '../../src/gen/grpc/reflection/v1/reflection.js';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import { WireClient } from '../wire-client.js';
import type { RunningService } from './running-service.js';
import { servingState, startProcess } from './running-service.js';

/** What SIGTERM is promised to take at most (checks F08). */
const LIMIT_MS = 10_000;

let service: Service;
let tenant: Tenant;
let token: string;
let settings: Record<string, string>;
const running: RunningService[] = [];

beforeAll(async () => {
  const SERVICE_KEY = randomBytes(32).toString('base64');
  // Only fills the database that the processes use.
  service = await startService({ SERVICE_KEY, BCRYPT_COST: '10' });
  tenant = await aTenant(service);
  token = await tokenOf(service, tenant, await aUser(service, tenant, { user_id: 'load@x.io' }));
  settings = {
    MONGODB_URI: service.databaseUri,
    SERVICE_KEY,
    BCRYPT_COST: '10',
    // However slow the machine is, nobody is refused for the length of the queue.
    HASH_QUEUE_MS: '60000',
    SMTP_URL: service.sink.url,
  };
});
afterEach(() => {
  for (const { process } of running.splice(0)) process.kill('SIGKILL');
});
afterAll(() => service.close());

async function start(more: Record<string, string> = {}): Promise<RunningService> {
  const one = await startProcess({ ...settings, ...more });
  running.push(one);
  return one;
}

async function serving(address: string): Promise<HealthClient> {
  const health = new HealthClient(address, credentials.createInsecure());
  await expect.poll(() => servingState(health), { timeout: 15_000 }).toBe('SERVING');
  return health;
}

const signIn = {
  credentials: { user_id: 'load@x.io', password: PASSWORD },
  auth_type: 'LOCAL',
};

/** All calls that the client made before have reached the service: it takes those of one connection in their order. */
const arrived = (client: WireClient) => client.call('spaceone.api.core.v1.ServerInfo.get_version');

/** What a stream of health answers said, and that it has ended. */
function watched(health: HealthClient): { states: string[]; ended: Promise<void> } {
  const stream = health.watch({ service: '' });
  const states: string[] = [];
  stream.on('data', (answer: { status: string }) => states.push(answer.status));
  const ended = new Promise<void>(
    (resolve) => void stream.on('error', () => resolve()).on('end', () => resolve()),
  );
  return { states, ended };
}

describe('SIGTERM', () => {
  it('F08: lets every running call be answered, says NOT_SERVING at once and ends with 0', async () => {
    const one = await start();
    const watcher = watched(await serving(one.address));
    const client = new WireClient(one.address);
    const request = { ...signIn, domain_id: tenant.domain_id };
    await client.call('Token.issue', request);
    // Passwords are checked as many at a time as there are cores, so most of these wait when the signal comes.
    const calls = Promise.all(Array.from({ length: 8 }, () => client.call('Token.issue', request)));
    // Looked at further down.
    calls.catch(() => undefined);
    await arrived(client);
    const stopped = one.stop('SIGTERM');
    await expect.poll(() => watcher.states.at(-1), { timeout: 5000 }).toBe('NOT_SERVING');
    const answers = await calls;
    expect(answers.every(({ access_token }) => access_token)).toBe(true);
    const { code, milliseconds } = await stopped;
    expect(code).toBe(0);
    expect(milliseconds).toBeLessThan(LIMIT_MS);
    await watcher.ended;
    client.close();
  });

  it('fails no call of clients that know another instance, under load and again and again', async () => {
    const stays = await start();
    (await serving(stays.address)).close();
    for (let round = 0; round < 2; round += 1) {
      const goes = await start();
      (await serving(goes.address)).close();
      const load = startLoad(`ipv4:${goes.address},${stays.address}`);
      await sleep(700);
      const { code } = await goes.stop('SIGTERM');
      await sleep(300);
      const { answered, failed } = await load.stop();
      expect(failed).toEqual([]);
      expect(answered).toBeGreaterThan(50);
      expect(code).toBe(0);
    }
  }, 90_000);

  it('turns new calls away without having begun them', async () => {
    const one = await start();
    (await serving(one.address)).close();
    const load = startLoad(`ipv4:${one.address}`);
    await sleep(500);
    await one.stop('SIGTERM');
    const { failed } = await load.stop();
    for (const error of failed) {
      expect(error.code).toBe(status.UNAVAILABLE);
      expect(error.details).toContain('No connection established');
    }
  });

  it('does not wait for streams that nobody ends', async () => {
    const one = await start();
    const health = await serving(one.address);
    const watchers = [watched(health), watched(health)];
    const reflection = new ServerReflectionClient(one.address, credentials.createInsecure());
    const stream = reflection.serverReflectionInfo();
    stream.on('error', () => undefined).on('data', () => undefined);
    stream.write({ host: '', list_services: '*' });
    await expect.poll(() => watchers.map(({ states }) => states.length)).toEqual([1, 1]);
    const { code, milliseconds } = await one.stop('SIGTERM');
    expect(code).toBe(0);
    expect(milliseconds).toBeLessThan(LIMIT_MS / 2);
    reflection.close();
    health.close();
  });

  it('ends a service that still waits for its database, and so does SIGINT', async () => {
    const away = { MONGODB_URI: `mongodb://127.0.0.1:1/${randomUUID()}?directConnection=true` };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const one = await start(away);
      const { code, milliseconds } = await one.stop(signal);
      expect(code).toBe(0);
      expect(milliseconds).toBeLessThan(LIMIT_MS);
    }
  });

  it('F08: cuts off what lasts longer than the time to stop, and still ends with 0', async () => {
    const slow = await start({ DRAIN_SECONDS: '1', BCRYPT_COST: '15' });
    (await serving(slow.address)).close();
    const client = new WireClient(slow.address);
    // An unknown user costs one hash of the configured cost: far longer than a second.
    const request = { credentials: { user_id: 'nobody', password: PASSWORD }, auth_type: 'LOCAL' };
    const call = client
      .call('Token.issue', { ...request, domain_id: tenant.domain_id })
      .catch((error: ServiceError) => error.code);
    await arrived(client);
    const { code, milliseconds } = await slow.stop('SIGTERM');
    expect([status.CANCELLED, status.UNAVAILABLE]).toContain(await call);
    expect(code).toBe(0);
    expect(milliseconds).toBeLessThan(LIMIT_MS);
    client.close();
  }, 90_000);
});

describe('the settings', () => {
  it('are all named when they are wrong, and the service ends with 1', async () => {
    await expect(startProcess({ SERVICE_KEY: 'short' })).rejects.toThrow(
      /code 1[^]*MONGODB_URI is not set[^]*SERVICE_KEY must be 32 bytes/,
    );
  });
});

/** Reads and sign-ins without a pause over several connections, until stopped. */
function startLoad(target: string): { stop(): Promise<{ answered: number; failed: ServiceError[] }> } {
  const failed: ServiceError[] = [];
  let answered = 0;
  let over = false;
  const work = async (client: WireClient, lane: number): Promise<void> => {
    while (!over) {
      const call =
        lane === 0
          ? client.call('Token.issue', { ...signIn, domain_id: tenant.domain_id })
          : client.call('UserProfile.get', {}, token);
      await call.then(
        () => (answered += 1),
        async (error: ServiceError) => {
          failed.push(error);
          await sleep(20);
        },
      );
    }
  };
  const clients = Array.from(
    { length: 3 },
    () =>
      new WireClient(target, {
        'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
        'grpc.use_local_subchannel_pool': 1,
      }),
  );
  const workers = clients.flatMap((client) => [0, 1, 2, 3].map((lane) => work(client, lane)));
  return {
    stop: async () => {
      over = true;
      await Promise.all(workers);
      for (const client of clients) client.close();
      return { answered, failed };
    },
  };
}
