import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { seed } from '../bench/seed.js';
import { HealthClient } from '../src/gen/health/v1/health.js';
import { servingState } from '../test/process/running-service.js';
import { WireClient } from '../test/wire-client.js';
import { hold } from './fault.js';
import type { Fault } from './fault.js';
import type { Outcome } from './outcome.js';
import { Stack } from './stack.js';
import type { Ledger } from './work.js';

const STALL_MS = 10_000;
const DEADLINE_MS = 2000;
/** Scheduling on a busy machine and the way back. */
const SLACK_MS = 500;
/** While the database is away a call may be told so, or that there was no time to find out. */
const AWAY: readonly status[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED];

/** Refusals that say something else than that the database is away. */
function onlyAway(ledger: Ledger, outcome: Outcome): void {
  const others = ledger.refused.filter(({ code }) => !AWAY.includes(code));
  if (others.length > 0)
    outcome.broken.push(`${others.length} x ${status[others[0]!.code]} ${others[0]!.reason}`);
}

const killed: Fault = {
  name: 'database-kill',
  done: 'the database is killed (-9) in the middle of writes and started again after 2 s',
  happen: async (stack) => {
    await stack.databaseDown('SIGKILL');
    await sleep(2000);
    await stack.databaseUp();
    return Date.now();
  },
  judge: onlyAway,
};

const restarted: Fault = {
  name: 'database-restart',
  done: 'the database is stopped (SIGTERM) under load and started again',
  happen: async (stack) => {
    await stack.databaseDown('SIGTERM');
    await stack.databaseUp();
    return Date.now();
  },
  judge: onlyAway,
};

const stalled: Fault = {
  name: 'database-stall',
  done: `nothing goes between the services and the database for ${STALL_MS / 1000} s; every call has ${DEADLINE_MS / 1000} s`,
  stack: { badWay: true, instances: 2 },
  work: { deadlineMs: DEADLINE_MS },
  happen: async (stack) => {
    await stack.way!.stall();
    await sleep(STALL_MS);
    await stack.way!.heal();
    return Date.now();
  },
  judge: (ledger, outcome) => {
    onlyAway(ledger, outcome);
    const slowest = ledger.slowestMs(0, Infinity);
    outcome.notes.push(`slowest answer ${slowest} ms`);
    if (slowest > DEADLINE_MS + SLACK_MS) outcome.broken.push(`an answer took ${slowest} ms`);
  },
};

/** The service is there before its database (checks F05). */
async function absent(): Promise<Outcome> {
  const stack = await Stack.start('database-absent', { withoutDatabase: true });
  const { address } = stack.instances[0]!;
  const health = new HealthClient(address, credentials.createInsecure());
  const client = new WireClient(stack.edge);
  const outcome: Outcome = {
    done: 'the service is started before its database; the database comes after 5 s',
    notes: [],
    broken: [],
  };
  try {
    await sleep(5000);
    const before = await servingState(health);
    const refused = await client
      .call('Token.issue', aSignIn('domain-none'))
      .catch((error: ServiceError) => error);
    outcome.notes.push(`before: ${before}, calls ${status[refused.code as status]}`);
    if (before !== 'NOT_SERVING') outcome.broken.push(`health was ${before}`);
    if (refused.code !== status.UNAVAILABLE) outcome.broken.push('calls were not UNAVAILABLE');
    await stack.databaseUp();
    const since = Date.now();
    await stack.untilServing(...stack.instances);
    outcome.recoveryMs = Date.now() - since;
    outcome.notes.push('then SERVING by itself');
    if (outcome.recoveryMs > 30_000) outcome.broken.push('not SERVING within 30 s');
    // The first call, on indexes that the service has made.
    const environment = { MONGODB_URI: stack.uri, SERVICE_KEY: stack.serviceKey, BCRYPT_COST: '4' };
    const { domain_id, member } = await seed(environment, 10);
    await client.call('Token.issue', aSignIn(domain_id, member));
    return outcome;
  } finally {
    client.close();
    health.close();
    await stack.stop();
  }
}

function aSignIn(domain_id: string, user_id = 'nobody'): object {
  return { credentials: { user_id, password: 'Passw0rd!' }, auth_type: 'LOCAL', domain_id };
}

/** Drills in which the database fails. */
export const databaseDrills = {
  'database-kill': () => hold(killed),
  'database-restart': () => hold(restarted),
  'database-stall': () => hold(stalled),
  'database-absent': absent,
};
