import { setTimeout as sleep } from 'node:timers/promises';
import { compare } from './books.js';
import type { Outcome } from './outcome.js';
import { Stack } from './stack.js';
import type { StackOptions } from './stack.js';
import { Work } from './work.js';
import type { Ledger, WorkOptions } from './work.js';

/** Something that breaks while work is done, and is mended. */
export interface Fault {
  name: string;
  done: string;
  stack?: StackOptions;
  work?: WorkOptions;
  /** Breaks it, waits, mends it; answers when it was mended (Date.now), if anything had to be. */
  happen(stack: Stack, work: Work): Promise<number | undefined>;
  /** Mails may come twice: an instance was killed between the mail server's word and its own. */
  mayDouble?: boolean;
  /** What else is promised, in what was seen. */
  judge?(ledger: Ledger, outcome: Outcome): void;
}

const QUIET_MS = 3000;
/** Everything works again after this, without a hand (checks F04). */
const RECOVERY_MS = 30_000;

/** Works, lets the fault happen, works on, and compares the books. */
export async function hold(fault: Fault): Promise<Outcome> {
  const stack = await Stack.start(fault.name, fault.stack);
  try {
    const work = await new Work(stack, fault.work).start();
    await sleep(QUIET_MS);
    const mended = await fault.happen(stack, work);
    const recoveryMs = mended === undefined ? undefined : await recovered(work.ledger, mended);
    await sleep(QUIET_MS);
    const ledger = await work.stop();
    const outcome = await judged(fault, stack, ledger);
    if (mended !== undefined) {
      outcome.recoveryMs = recoveryMs;
      if (recoveryMs === undefined) outcome.broken.push(`no write within ${RECOVERY_MS / 1000} s`);
    }
    return outcome;
  } finally {
    await stack.stop();
  }
}

async function judged(fault: Fault, stack: Stack, ledger: Ledger): Promise<Outcome> {
  const books = await compare(stack, ledger);
  const { lost, halfMade, unsent, doubled, mails } = books;
  const notes = [ledger.refusals, `${mails} mails, ${doubled} of them twice`];
  const broken = [
    ...named('lost', lost),
    ...named('half-made', halfMade),
    ...named('without their mail', unsent),
    ...(doubled > 0 && !fault.mayDouble ? [`${doubled} mails came twice`] : []),
  ];
  const outcome: Outcome = {
    done: fault.done,
    acknowledged: ledger.acknowledged,
    refused: ledger.refused.length,
    lost: lost.length,
    halfMade: halfMade.length,
    notes,
    broken,
  };
  fault.judge?.(ledger, outcome);
  return outcome;
}

/** The first few, so that the report stays readable. */
function named(what: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${items.length} ${what} (${items.slice(0, 3).join(', ')})`];
}

async function recovered(ledger: Ledger, since: number): Promise<number | undefined> {
  for (;;) {
    const milliseconds = ledger.recoveryMs(since);
    if (milliseconds !== undefined) return milliseconds;
    if (Date.now() > since + RECOVERY_MS) return undefined;
    await sleep(50);
  }
}
