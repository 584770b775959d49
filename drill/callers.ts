import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import { memoryMiB } from '../bench/load.js';
import { WorkspaceUserSearchQuery } from '../src/gen/spaceone/api/identity/v2/workspace_user.js';
import { WireClient } from '../test/wire-client.js';
import type { Outcome } from './outcome.js';
import { Stack } from './stack.js';
import { Work, issue, workspaceToken } from './work.js';

const HANG_UPS = 10_000;
const LANES = 50;
const STORMS = 8;
/**
 * What a process may have more of at best after the second half of the storms than after the first, of which the very first
 * fills the heap. Nine storms gave 198 to 302 MiB up and down; a kilobyte kept of every caller would be a fifth more.
 */
const LEAK = 1.2;
const BACK_MS = 30_000;
const LIST = { query: { page: { start: 1, limit: 20 } } };

/** 10,000 callers hang up in the middle of their calls (checks F07). */
async function cancelStorm(): Promise<Outcome> {
  const stack = await Stack.start('cancel-storm', { users: 2000 });
  const client = new WireClient(stack.edge);
  try {
    const session = await issue(client, stack, stack.seeded.owner);
    const token = await workspaceToken(client, stack, session.refresh_token);
    const pid = stack.instances[0]!.child.process.pid!;
    const memory: number[] = [];
    let answeredMs = 0;
    for (let round = 0; round < STORMS; round += 1) {
      await storm(stack, token, HANG_UPS);
      answeredMs = Math.max(answeredMs, await untilAnswered(client, token));
      memory.push(await leastMemory(pid));
    }
    const [before, after] = [memory.slice(1, STORMS / 2), memory.slice(STORMS / 2)];
    const notes = [
      `memory ${memory.map((one) => one.toFixed(0)).join(', ')} MiB after each`,
      `100 calls at once answered ${(answeredMs / 1000).toFixed(1)} s after at most`,
    ];
    const broken = [
      ...(Math.min(...after) > Math.min(...before) * LEAK ? ['memory grew'] : []),
      ...(answeredMs > BACK_MS ? ['calls were not answered afterwards'] : []),
    ];
    return { done: `${STORMS} times ${HANG_UPS} callers hang up within 20 ms of their call`, notes, broken };
  } finally {
    client.close();
    await stack.stop();
  }
}

/** The database still works on what nobody waits for. */
async function untilAnswered(client: WireClient, token: string): Promise<number> {
  const started = Date.now();
  for (;;) {
    const calls = Array.from({ length: 100 }, () => client.call('WorkspaceUser.list', LIST, token));
    const answers = await Promise.allSettled(calls);
    const milliseconds = Date.now() - started;
    if (answers.every((one) => one.status === 'fulfilled') || milliseconds > BACK_MS) return milliseconds;
    await sleep(500);
  }
}

const SERVICES = '/spaceone.api.identity.v2';

async function storm(stack: Stack, token: string, count: number): Promise<void> {
  const bytes = Buffer.from(
    WorkspaceUserSearchQuery.encode(WorkspaceUserSearchQuery.fromPartial(LIST)).finish(),
  );
  const empty = Buffer.alloc(0);
  const metadata = new Metadata();
  metadata.set('token', token);
  const same = (value: Buffer) => value;
  let left = count;
  const lane = async () => {
    const client = new Client(stack.edge, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    while (left > 0) {
      left -= 1;
      const [path, message] =
        left % 2 ? [`${SERVICES}.WorkspaceUser/list`, bytes] : [`${SERVICES}.UserProfile/get`, empty];
      const ended = new Promise<void>((resolve) => {
        const call = client.makeUnaryRequest(path, same, same, message, metadata, () => resolve());
        setTimeout(() => call.cancel(), Math.random() * 20);
      });
      await ended;
    }
    client.close();
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

const IDLE = 1000;
const SLOW = 500;
const CUT_MS = 60_000;
const ANSWER_MS = 1000;

/** Callers who only connect, and callers who send a byte a second. */
async function connections(): Promise<Outcome> {
  const stack = await Stack.start('connections');
  const client = new WireClient(stack.edge);
  const sockets: Socket[] = [];
  try {
    const { access_token } = await issue(client, stack, stack.seeded.owner);
    const open = (begin: string) => openSocket(stack.edge, begin, sockets);
    const idle = await Promise.all(Array.from({ length: IDLE }, () => open('')));
    const slow = await Promise.all(Array.from({ length: SLOW }, (_, at) => open(SLOW_REQUESTS[at % 2]!)));
    const opened = Date.now();
    const drip = setInterval(() => slow.forEach((socket) => socket.writable && socket.write('a')), 1000);
    const fresh = new WireClient(stack.edge, { 'grpc.use_local_subchannel_pool': 1 });
    let slowest = 0;
    let cutAfter: number | undefined;
    while (Date.now() - opened < CUT_MS + 5000 && cutAfter === undefined) {
      const started = Date.now();
      await fresh.call('UserProfile.get', {}, access_token, {}, { deadline: started + 5000 });
      slowest = Math.max(slowest, Date.now() - started);
      if (slow.every(({ closed }) => closed)) cutAfter = Date.now() - opened;
      await sleep(250);
    }
    clearInterval(drip);
    fresh.close();
    const idleLeft = idle.filter(({ closed }) => !closed).length;
    const broken = [
      ...(slowest > ANSWER_MS ? [`a call took ${slowest} ms`] : []),
      ...(cutAfter === undefined || cutAfter > CUT_MS ? ['slow senders were not cut'] : []),
    ];
    const cut =
      cutAfter === undefined ? 'not all slow senders cut' : `all slow senders cut after ${seconds(cutAfter)}`;
    const notes = [`slowest other call ${slowest} ms`, cut, `${idleLeft} idle connections left then`];
    return { done: `${IDLE} connections without a word and ${SLOW} with a byte a second`, notes, broken };
  } finally {
    for (const socket of sockets) socket.destroy();
    client.close();
    await stack.stop();
  }
}

const HEAD = 'POST /identity/v2/token/issue HTTP/1.1\r\nhost: a\r\n';
/** Headers that never end, and a body that never ends. */
const SLOW_REQUESTS = [
  `${HEAD}x-a: `,
  `${HEAD}content-type: application/json\r\ncontent-length: 5000\r\n\r\n{"auth_type":"`,
];

function openSocket(address: string, begin: string, sockets: Socket[]): Promise<Socket> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  sockets.push(socket);
  // Being cut is what this is for.
  socket.on('error', () => undefined).resume();
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      socket.write(begin);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(0)} s`;
}

const WARM_UP = 0.3;
const GROWTH = 1.1;

/** Half load for a long time: what is kept does not grow (checks F11). */
async function soak(minutes: number): Promise<Outcome> {
  const stack = await Stack.start('soak', { users: 1000, settings: { BCRYPT_COST: '10' } });
  try {
    const pid = stack.instances[0]!.child.process.pid!;
    // New users make lists longer and the database larger; the service must not notice.
    const work = await new Work(stack, { pauseMs: 60 }).start();
    const whole = minutes * 60_000;
    await sleep(whole * WARM_UP);
    const before = await leastMemory(pid);
    await sleep(whole * (1 - WARM_UP) - 20_000);
    const after = await leastMemory(pid);
    const ledger = await work.stop();
    const notes = [
      `memory ${before.toFixed(0)} MiB after warm-up, ${after.toFixed(0)} MiB at the end`,
      `${ledger.calls.length} calls`,
      ledger.refusals,
    ];
    const broken = [
      ...(after > before * GROWTH ? [`memory grew by ${((after / before - 1) * 100).toFixed(0)} %`] : []),
      ...(ledger.refused.length > 0 ? [`${ledger.refused.length} calls failed`] : []),
    ];
    const { acknowledged } = ledger;
    return {
      done: `half load for ${minutes} min`,
      acknowledged,
      refused: ledger.refused.length,
      notes,
      broken,
    };
  } finally {
    await stack.stop();
  }
}

/** The least of ten seconds: what is not garbage. */
async function leastMemory(pid: number): Promise<number> {
  let least = Infinity;
  for (let look = 0; look < 20; look += 1) {
    least = Math.min(least, memoryMiB(pid));
    await sleep(500);
  }
  return least;
}

/** Drills in which callers behave badly, or for long. */
export const callerDrills = (minutes: number) => ({
  'cancel-storm': cancelStorm,
  connections,
  soak: () => soak(minutes),
});
