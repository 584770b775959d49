import { randomUUID } from 'node:crypto';
import { credentials, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ServerReflectionClient } from '../../../src/gen/grpc/reflection/v1/reflection.js';
import { HealthClient } from '../../../src/gen/health/v1/health.js';
import { DatabaseProxy } from '../../database-proxy.js';
import { databaseServer } from '../../database.js';
import { errorDetail } from '../../error-details.js';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import type { Refusal, Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { servingState } from '../../process/running-service.js';
import { WireClient } from '../../wire-client.js';

const times = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

function tally(refused: readonly Refusal[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of refused) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

describe('More sign-ins than there is time to hash', () => {
  let service: Service;
  let tenant: Tenant;

  beforeAll(async () => {
    // A hash takes far longer than it takes all of these calls to arrive; none may wait.
    service = await startService({ HASH_QUEUE_MS: '0', BCRYPT_COST: '12' });
    tenant = await aTenant(service);
  });
  afterAll(() => service.close());

  const guess = (user_id: string) => {
    const credentials = { user_id, password: 'Wrong0pass' };
    const request = { credentials, auth_type: 'LOCAL', domain_id: tenant.domain_id };
    return refusal(service.call('Token.issue', request));
  };
  const attempts = (user_id: string) =>
    service.app.rooms.mongo.connection
      .collection('sign_in_attempt')
      .findOne({ _id: { $regex: `/${user_id}$` } } as object);

  it('are refused at once and told when to try again; the others are answered', async () => {
    const refused = await times(30, (index) => guess(`nobody${index}@example.com`));
    const { ERROR_AUTHENTICATION_FAILURE: answered, ERROR_TOO_BUSY: busy, ...others } = tally(refused);
    expect(others).toEqual({});
    expect(answered).toBeGreaterThan(0);
    expect(busy).toBeGreaterThan(0);
    const one = refused.find(({ reason }) => reason === 'ERROR_TOO_BUSY')!;
    expect(one.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(errorDetail(one, 'RetryInfo').retryDelay).toMatch(/^[1-9][0-9]*s$/);
    expect(errorDetail(one, 'ErrorInfo')).toMatchObject({ reason: 'ERROR_TOO_BUSY' });
  });

  it('are never counted as wrong ones', async () => {
    const user_id = await aUser(service, tenant);
    const refused = await times(9, () => guess(user_id));
    const { ERROR_AUTHENTICATION_FAILURE: wrong = 0, ERROR_TOO_BUSY: busy } = tally(refused);
    expect(busy).toBeGreaterThan(0);
    expect(await attempts(user_id)).toMatchObject({ wrong, held: [] });
    expect(await signIn(service, tenant, user_id)).toHaveProperty('access_token');
  });

  it('do not keep those who are known from making users', async () => {
    const token = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.alpha);
    const account = { user_id: 'made@example.com', auth_type: 'LOCAL', password: 'An0therPass!' };
    const create = { ...account, role_id: 'managed-workspace-member' };
    const flood = times(10, (index) => guess(`nobody${index}@example.com`));
    expect(await service.call('WorkspaceUser.create', create, token)).toMatchObject({ state: 'PENDING' });
    await flood;
  });
});

describe('More calls than may be in work', () => {
  const MAX = 12;
  let proxy: DatabaseProxy;
  let service: Service;
  let token: string;

  beforeAll(async () => {
    proxy = new DatabaseProxy(databaseServer());
    await proxy.up();
    service = await startService({
      MONGODB_URI: proxy.uri(`test-${randomUUID()}`),
      MAX_CALLS: String(MAX),
      LOOP_DELAY_MS: '60000',
      CALL_TIME_MS: '60000',
      REQUEST_TIMEOUT_MS: '500',
      USER_CACHE_MS: '0',
      DOMAIN_CACHE_MS: '0',
    });
    const tenant = await aTenant(service);
    token = await tokenOf(service, tenant, await aUser(service, tenant));
  });
  afterEach(() => proxy.resume());
  afterAll(async () => {
    await service.close();
    await proxy.down();
  });

  const get = () => service.call('UserProfile.get', {}, token);
  const answeredAgain = () =>
    expect.poll(() => get().then(() => 'answered', String), { timeout: 10_000 }).toBe('answered');

  it('are refused at once, whatever becomes of those in work', async () => {
    proxy.stall();
    const refused = await times(MAX + 20, () => refusal(get()));
    expect(tally(refused)).toEqual({ ERROR_REQUEST_TIMEOUT: MAX, ERROR_TOO_BUSY: 20 });
    const busy = refused.find(({ reason }) => reason === 'ERROR_TOO_BUSY')!;
    expect(busy.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(errorDetail(busy, 'RetryInfo')).toMatchObject({ retryDelay: '1s' });
    proxy.resume();
    await answeredAgain();
  });

  it('are refused before anything of them is read', async () => {
    proxy.stall();
    const inWork = times(MAX, () => refusal(get()));
    const huge = { name: 'x'.repeat(5 * 1_048_576) };
    await expect
      .poll(() => refusal(service.call('UserProfile.update', huge, token)).then(({ reason }) => reason))
      .toBe('ERROR_TOO_BUSY');
    await inWork;
    proxy.resume();
    await answeredAgain();
  });

  it('count until their work ends, not until nobody waits for them', async () => {
    proxy.stall();
    await times(MAX, () => refusal(get()));
    expect(await refusal(get())).toMatchObject({ reason: 'ERROR_TOO_BUSY' });
    proxy.resume();
    await answeredAgain();
  });

  it('F07: do not come from callers who hang up: 2,000 of them leave no place taken', async () => {
    const client = new WireClient(service.address);
    for (let round = 0; round < 200; round += 1) {
      // Their deadline is over before, while or after they are answered.
      const deadline = () => Date.now() + Math.random() * 20;
      const call = () => client.call('UserProfile.get', {}, token, {}, { deadline: deadline() });
      await Promise.allSettled(Array.from({ length: 10 }, call));
    }
    client.close();
    // The last of them may be in work for a little longer.
    const allTaken = () => times(MAX, get).then((answers) => answers.length, String);
    await expect.poll(allTaken, { timeout: 10_000 }).toBe(MAX);
  });

  it('do not touch health and reflection', async () => {
    proxy.stall();
    const inWork = times(MAX, () => refusal(get()));
    await expect.poll(() => refusal(get()).then(({ reason }) => reason)).toBe('ERROR_TOO_BUSY');
    const health = new HealthClient(service.address, credentials.createInsecure());
    expect(await servingState(health)).toBe('SERVING');
    const reflection = new ServerReflectionClient(service.address, credentials.createInsecure());
    const stream = reflection.serverReflectionInfo();
    const answer = new Promise((resolve) => stream.on('data', resolve));
    stream.write({ host: '', list_services: '*' });
    expect(await answer).toHaveProperty('list_services_response');
    stream.end();
    await inWork;
    reflection.close();
    health.close();
  });
});

describe('An event loop that is late', () => {
  it.each([
    ['again and again', 90],
    ['so long that nothing measures it', 400],
  ])('%s lets fewer calls in, and all again when it is not', async (_how, heldMs) => {
    const proxy = new DatabaseProxy(databaseServer());
    await proxy.up();
    const service = await startService({
      MONGODB_URI: proxy.uri(`test-${randomUUID()}`),
      MAX_CALLS: '40',
      // More than it is late by itself when the machine has other things to do.
      LOOP_DELAY_MS: '50',
      CALL_TIME_MS: '60000',
      REQUEST_TIMEOUT_MS: '500',
      USER_CACHE_MS: '0',
    });
    try {
      const tenant = await aTenant(service);
      const token = await tokenOf(service, tenant, await aUser(service, tenant));
      const get = () => service.call('UserProfile.get', {}, token);
      const taken = async () => {
        proxy.stall();
        const refused = await times(40, () => refusal(get()));
        proxy.resume();
        return tally(refused)['ERROR_REQUEST_TIMEOUT'] ?? 0;
      };
      await blockLoop(2000, heldMs);
      expect(await taken()).toBeLessThan(20);
      await expect.poll(taken, { timeout: 20_000, interval: 1000 }).toBe(40);
    } finally {
      proxy.resume();
      await service.close();
      await proxy.down();
    }
  });
});

/** The service runs in this process: holds its event loop up, again and again, for that long. */
async function blockLoop(milliseconds: number, heldMs: number): Promise<void> {
  const end = Date.now() + milliseconds;
  const held = new Int32Array(new SharedArrayBuffer(4));
  while (Date.now() < end) {
    Atomics.wait(held, 0, 0, heldMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
