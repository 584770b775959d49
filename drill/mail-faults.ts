import { setTimeout as sleep } from 'node:timers/promises';
import { hold } from './fault.js';
import type { Fault } from './fault.js';
import type { Ledger } from './work.js';
import type { Outcome } from './outcome.js';

const BAD_MS = 10_000;
const work = { invited: 0.5, pauseMs: 100 };

/** No call waits for a mail, and none fails with one. */
function nobodyNotices(ledger: Ledger, outcome: Outcome): void {
  if (ledger.refused.length > 0) outcome.broken.push(`${ledger.refused.length} calls were refused`);
  outcome.notes.push(`slowest answer ${ledger.slowestMs(0, Infinity)} ms`);
}

const down: Fault = {
  name: 'smtp-down',
  done: `the mail server is away for ${BAD_MS / 1000} s`,
  work,
  happen: async ({ sink }) => {
    await sink.down();
    await sleep(BAD_MS);
    await sink.up();
    return undefined;
  },
  judge: nobodyNotices,
};

const slow: Fault = {
  name: 'smtp-slow',
  done: `the mail server greets after 8 s, for ${BAD_MS / 1000} s`,
  work,
  happen: async ({ sink }) => {
    // Connections that stand would hide it.
    await sink.down();
    sink.greetAfter(8000);
    await sink.up();
    await sleep(BAD_MS);
    sink.greetAfter(0);
    return undefined;
  },
  judge: nobodyNotices,
};

const later: Fault = {
  name: 'smtp-451',
  done: `the mail server answers 451 to every message for ${BAD_MS / 1000} s`,
  work,
  happen: async ({ sink }) => {
    sink.refuse({ code: 451, atData: true });
    await sleep(BAD_MS);
    sink.refuse();
    return undefined;
  },
  judge: nobodyNotices,
};

/** Drills in which the mail server fails. */
export const mailDrills = {
  'smtp-down': () => hold(down),
  'smtp-slow': () => hold(slow),
  'smtp-451': () => hold(later),
};
