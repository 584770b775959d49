import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { HealthClient } from '../../src/gen/health/v1/health.js';
import { DatabaseProxy } from '../database-proxy.js';
import { databaseServer } from '../database.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import type { RunningService } from './running-service.js';
import { servingState, startProcess } from './running-service.js';

const KEYS = [randomBytes(32), randomBytes(32)].map((key) => key.toString('base64'));
const [SERVICE_KEY, OTHER_KEY] = KEYS as [string, string];
/** One sentence, and no stack. */
const REFUSED = /^The data of this database are sealed with another SERVICE_KEY: [^\n]+\n$/;

let service: Service;
let proxy: DatabaseProxy;
const running: RunningService[] = [];

beforeAll(async () => {
  service = await startService({ SERVICE_KEY });
  proxy = new DatabaseProxy(databaseServer());
  await proxy.up();
});
afterEach(() => {
  for (const { process } of running.splice(0)) process.kill('SIGKILL');
});
afterAll(async () => {
  await proxy.down();
  await service.close();
});

async function start(MONGODB_URI: string, key: string): Promise<RunningService> {
  const settings = { MONGODB_URI, SERVICE_KEY: key, SMTP_URL: service.sink.url, BCRYPT_COST: '4' };
  const one = await startProcess(settings);
  running.push(one);
  return one;
}

/** What its health answers until nobody answers any more, without repetitions. */
async function statesOf({ address }: RunningService): Promise<string[]> {
  const health = new HealthClient(address, credentials.createInsecure());
  const states = new Set<string>();
  for (let state; (state = await servingState(health)); await sleep(20)) states.add(state);
  health.close();
  return [...states];
}

it('an instance with another key than the database was begun with never serves, says so and ends with 1', async () => {
  await proxy.down();
  const other = await start(proxy.uri(new URL(service.databaseUri).pathname.slice(1)), OTHER_KEY);
  const states = statesOf(other);
  // A mail that is due, and that nobody else takes.
  const { delivery, mongo, models } = service.app.rooms;
  await delivery.stop();
  const mail = {
    _id: randomUUID(),
    template: 'password_changed',
    domain_id: 'domain-1',
    created_at: new Date(),
  };
  await mongo.transaction({ deadline: Date.now() + 5000 }, (tx) => models.outbox.put(tx, mail));
  await proxy.up();
  const { code, said } = await other.ended;
  expect({ code, said }).toEqual({ code: 1, said: expect.stringMatching(REFUSED) as string });
  expect(await states).toEqual(['NOT_SERVING']);
  const left = await mongo.connection.collection('outbox').find().toArray();
  expect(left).toMatchObject([{ state: 'QUEUED', attempts: 0 }]);
});

it('of instances that begin a database together, those with one key serve and those with another do not', async () => {
  const database = `test-${randomUUID()}`;
  const uri = proxy.uri(database);
  await proxy.down();
  const starting = [SERVICE_KEY, OTHER_KEY, SERVICE_KEY, OTHER_KEY].map((key) => start(uri, key));
  const [one, two, same, sameAsTwo] = (await Promise.all(starting)) as [
    RunningService,
    RunningService,
    RunningService,
    RunningService,
  ];
  await proxy.up();
  const first = await Promise.race([one, two].map(async (each) => (await each.ended, each)));
  const [lost, kept] =
    first === one
      ? [
          [one, same],
          [two, sameAsTwo],
        ]
      : [
          [two, sameAsTwo],
          [one, same],
        ];
  for (const { ended } of lost)
    expect(await ended).toMatchObject({ code: 1, said: expect.stringMatching(REFUSED) });
  for (const { address } of kept) {
    const health = new HealthClient(address, credentials.createInsecure());
    await expect.poll(() => servingState(health), { timeout: 15_000 }).toBe('SERVING');
    health.close();
  }
  const client = await MongoClient.connect(databaseServer());
  expect(await client.db(database).collection('key_check').countDocuments()).toBe(1);
  await client.close();
}, 60_000);
