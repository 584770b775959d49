import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isServing, until } from '../../scripts/launch/wait.mjs';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import type { Edge } from '../rest/edge.js';
import { startEdge } from '../rest/edge.js';
import { WireClient } from '../wire-client.js';
import type { RunningService } from './running-service.js';
import { startProcess } from './running-service.js';

let service: Service;
let tenant: Tenant;
let token: string;
let settings: Record<string, string>;
let instances: [RunningService, RunningService];
let edge: Edge;

beforeAll(async () => {
  const SERVICE_KEY = randomBytes(32).toString('base64');
  // Only fills the database that the processes use.
  service = await startService({ SERVICE_KEY });
  tenant = await aTenant(service);
  token = await tokenOf(service, tenant, await aUser(service, tenant, { user_id: 'load@x.io' }));
  settings = {
    MONGODB_URI: service.databaseUri,
    SERVICE_KEY,
    BCRYPT_COST: '4',
    SMTP_URL: service.sink.url,
    // The sign-ins of the load are one user's.
    SIGN_IN_ATTEMPTS: '100',
  };
  instances = await Promise.all([start(), start()]);
  edge = await startEdge(instances.map(({ address }) => address).join(','));
});
afterAll(async () => {
  await edge.close();
  for (const { process } of instances) process.kill('SIGKILL');
  await service.close();
});

/** Starts one and waits until it serves. */
async function start(port?: string): Promise<RunningService> {
  const one = await startProcess({ ...settings, ...(port ? { GRPC_PORT: port } : {}) });
  if (!(await until(() => isServing(one.address), 15_000))) throw new Error('the instance does not serve');
  return one;
}

const signIn = () => ({
  domain_id: tenant.domain_id,
  auth_type: 'LOCAL',
  credentials: { user_id: 'load@x.io', password: PASSWORD },
});

/** What callers do all the time: reads and writes, over REST and native gRPC. */
type Work = () => Promise<unknown>;

async function overRest(method: string, path: string, body?: object): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'x-auth-token': token };
  const answer = await edge.send(method, path, body, headers);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** Does all of it without a pause until stopped; answers how many calls were answered, and what failed. */
function load(works: Work[]): { stop(): Promise<{ answered: number; failed: string[] }> } {
  const failed: string[] = [];
  let answered = 0;
  let over = false;
  const lanes = works.map(async (work) => {
    while (!over) {
      await work().then(
        () => (answered += 1),
        (error: Error) => failed.push(error.message),
      );
      // Leaves the machine to the instances.
      await sleep(5);
    }
  });
  return {
    stop: async () => {
      over = true;
      await Promise.all(lanes);
      return { answered, failed };
    },
  };
}

function everything(native: WireClient): Work[] {
  return [
    () => overRest('POST', '/identity/v2/user-profile/get', {}),
    () => overRest('POST', '/identity/v2/user-profile/get-workspaces', {}),
    () => overRest('POST', '/identity/v2/user-profile/update', { timezone: 'UTC' }),
    () => overRest('POST', '/identity/v2/token/issue', signIn()),
    () => overRest('GET', '/v3'),
    () => native.call('UserProfile.get', {}, token),
    () => native.call('UserProfile.update', { timezone: 'UTC' }, token),
    () => native.call('Token.issue', signIn()),
  ];
}

describe('two instances behind the edge', () => {
  it('lose no call, read or write, when both are restarted under load, one after the other', async () => {
    const native = new WireClient(edge.address);
    const callers = load([...everything(native), ...everything(native)]);
    await sleep(500);
    for (const index of [0, 1] as const) {
      const going = instances[index];
      expect((await going.stop('SIGTERM')).code).toBe(0);
      instances[index] = await start(going.address.split(':')[1]);
    }
    const { answered, failed } = await callers.stop();
    native.close();
    expect(failed).toEqual([]);
    expect(answered).toBeGreaterThan(100);
  }, 60_000);
});
