import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { hold } from './fault.js';
import type { Fault } from './fault.js';
import type { Stack } from './stack.js';
import type { Ended } from './work.js';

const ROUNDS = 2;
/** The edge looks after its instances every one to two seconds. */
const NOTICED_MS = 3000;

const killed: Fault = {
  name: 'service-kill',
  done: 'one of two instances is killed (-9) under load with mails queued, again and again, and started after 1 s',
  stack: { instances: 2 },
  work: { invited: 0.5 },
  mayDouble: true,
  happen: async (stack) => {
    let mended = 0;
    for (let round = 0; round < ROUNDS * 2; round += 1) {
      const at = round % 2;
      const { port, child } = stack.instances[at]!;
      child.process.kill('SIGKILL');
      await child.exit;
      await sleep(1000);
      await stack.untilServing(await stack.startInstance(port, at));
      mended = Date.now();
      await sleep(NOTICED_MS);
    }
    return mended;
  },
  judge: (ledger, outcome) => {
    // What was under way on the killed instance is lost to its caller, at worst in the middle of an answer, which the
    // edge then breaks off. A write may wait for what that instance had begun, until the others have ended it.
    const expected = ({ code, reason }: Ended) =>
      code === status.UNAVAILABLE ||
      code === status.DEADLINE_EXCEEDED ||
      (code === status.INTERNAL && !reason.startsWith('ERROR_'));
    const others = ledger.refused.filter((one) => !expected(one));
    if (others.length > 0)
      outcome.broken.push(`${others.length} x ${status[others[0]!.code]} ${others[0]!.reason}`);
  },
};

const rolling: Fault = {
  name: 'rolling-restart',
  done: 'both of two instances are stopped (SIGTERM) and started again, one after the other, twice, under load',
  stack: { instances: 2 },
  happen: async (stack) => {
    for (let round = 0; round < ROUNDS * 2; round += 1) await restart(stack, round % 2);
    return undefined;
  },
  judge: (ledger, outcome) => {
    if (ledger.refused.length > 0) outcome.broken.push(`${ledger.refused.length} calls failed`);
  },
};

async function restart(stack: Stack, at: number): Promise<void> {
  const { port, child } = stack.instances[at]!;
  const ended = once(child.process, 'exit') as Promise<[number | null]>;
  child.process.kill('SIGTERM');
  const [code] = await ended;
  if (code !== 0) throw new Error(`an instance ended with ${code} after SIGTERM`);
  await stack.untilServing(await stack.startInstance(port, at));
  await sleep(NOTICED_MS);
}

/** Drills in which instances of the service end. */
export const serviceDrills = {
  'service-kill': () => hold(killed),
  'rolling-restart': () => hold(rolling),
};
