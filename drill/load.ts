import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { memoryMiB } from '../bench/load.js';
import { findProgram } from '../scripts/launch/tools.mjs';
import { WireClient } from '../test/wire-client.js';
import { NotPossible, table } from './outcome.js';
import type { Outcome } from './outcome.js';
import { Stack } from './stack.js';
import { PASSWORDS, issue, seededUser, workspaceToken } from './work.js';

const LOGINS = 16;
const READS = 300;
const USERS = 2000;
/** Of these many users, one after the other. */
const SIGNING_IN = 400;
const DEADLINE = '10s';
/** Goals of a machine of two cores. */
const GOAL = { ratio: 3, goodput: 0.7, refusedMs: 1000, memoryMiB: 512, backMs: 5000 };

/** Calls of one kind, so many a second. */
interface Stream {
  method: string;
  data: unknown;
  token?: string;
  rate: number;
}

interface Detail {
  latency: number;
  status: string;
}

/** What came of one kind of calls in one step. */
interface Flow {
  sent: number;
  answered: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  refused: number;
  refusedP99Ms: number;
  failed: number;
}

interface Step {
  name: string;
  logins?: Flow;
  reads: Flow;
  memoryMiB: number;
}

const run = promisify(execFile);

/** Sends calls at that rate, whatever becomes of those before. */
async function send(ghz: string, address: string, stream: Stream, seconds: number): Promise<Flow> {
  const { method, data, token, rate } = stream;
  const file = `.data/drill/load/${method}.json`;
  writeFileSync(file, JSON.stringify(data));
  const args = [
    ...['--insecure', '--protoset', 'src/gen/descriptor.binpb', '--call', method, '--data-file', file],
    ...['--rps', String(rate), '--async', '-c', '20', '--connections', '10', '-z', `${seconds}s`],
    ...['--timeout', DEADLINE, '--duration-stop', 'wait', '-O', 'json'],
    ...(token ? ['-m', JSON.stringify({ token })] : []),
    address,
  ];
  const { stdout } = await run(ghz, args, { maxBuffer: 512 * 1024 * 1024 });
  return flowOf((JSON.parse(stdout) as { details: Detail[] }).details, seconds);
}

function flowOf(details: readonly Detail[], seconds: number): Flow {
  const ms = (status: string) =>
    details
      .filter((one) => one.status === status)
      .map(({ latency }) => latency / 1e6)
      .sort((left, right) => left - right);
  const [answered, refused] = [ms('OK'), ms('ResourceExhausted')];
  return {
    sent: details.length,
    answered: answered.length,
    perSecond: answered.length / seconds,
    p50Ms: percentile(answered, 0.5),
    p99Ms: percentile(answered, 0.99),
    refused: refused.length,
    refusedP99Ms: percentile(refused, 0.99),
    failed: details.length - answered.length - refused.length,
  };
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Two kinds of reads, as one flow. */
function together(one: Flow, other: Flow): Flow {
  const sum = (key: 'sent' | 'answered' | 'perSecond' | 'refused' | 'failed') => one[key] + other[key];
  const most = (key: 'p50Ms' | 'p99Ms' | 'refusedP99Ms') => Math.max(one[key], other[key]);
  return {
    sent: sum('sent'),
    answered: sum('answered'),
    perSecond: sum('perSecond'),
    p50Ms: most('p50Ms'),
    p99Ms: most('p99Ms'),
    refused: sum('refused'),
    refusedP99Ms: most('refusedP99Ms'),
    failed: sum('failed'),
  };
}

/** The streams of a service with its users. */
class Load {
  private constructor(
    private readonly ghz: string,
    private readonly stack: Stack,
    private readonly profile: string,
    private readonly workspace: string,
  ) {}

  static async on(stack: Stack, ghz: string): Promise<Load> {
    const client = new WireClient(stack.instances[0]!.address);
    const session = await issue(client, stack, stack.seeded.owner);
    const workspace = await workspaceToken(client, stack, session.refresh_token);
    client.close();
    return new Load(ghz, stack, session.access_token, workspace);
  }

  /** One step: the profile of load so many times over. */
  async step(name: string, times: number, seconds: number, withLogins = true): Promise<Step> {
    const { address, child } = this.stack.instances[0]!;
    const go = (stream: Stream) => send(this.ghz, address, stream, seconds);
    let most = 0;
    const look = setInterval(() => (most = Math.max(most, memoryMiB(child.process.pid!))), 500);
    const [own, member, logins] = await Promise.all([
      go(this.#own((READS / 2) * times)),
      go(this.#member((READS / 2) * times)),
      withLogins ? go(this.#logins(LOGINS * times)) : undefined,
    ]);
    clearInterval(look);
    const step = { name, reads: together(own, member), logins, memoryMiB: most };
    process.stderr.write(`${row(step).join(' | ')}\n`);
    return step;
  }

  #own(rate: number): Stream {
    return { method: 'spaceone.api.identity.v2.UserProfile.get', data: {}, token: this.profile, rate };
  }

  #member(rate: number): Stream {
    const data = { user_id: this.stack.seeded.member };
    return { method: 'spaceone.api.identity.v2.WorkspaceUser.get', data, token: this.workspace, rate };
  }

  #logins(rate: number): Stream {
    const { domain_id } = this.stack.seeded;
    // The seeded states go round: every one of these users is enabled.
    const users = Array.from({ length: SIGNING_IN }, (_, at) => seededUser(100 + at * 5));
    const data = users
      .filter((_, at) => 100 + at * 5 < USERS)
      .map((user_id) => {
        return { credentials: { user_id, password: PASSWORDS[0] }, auth_type: 'LOCAL', domain_id };
      });
    return { method: 'spaceone.api.identity.v2.Token.issue', data, rate };
  }
}

/** The profile of load alone, beside sign-ins, twice and three times over, and afterwards (checks F01, F02). */
async function load(seconds: number): Promise<Outcome> {
  const ghz = findProgram('ghz');
  if (!ghz) throw new NotPossible('ghz is not on the PATH: go install github.com/bojand/ghz/cmd/ghz@latest');
  const before = loadavg()[0]!;
  const settings = { BCRYPT_COST: '10', LOG_LEVEL: 'warn' };
  const stack = await Stack.start('load', { users: USERS, settings, fastDatabase: true });
  try {
    const on = await Load.on(stack, ghz);
    await on.step('warm-up', 1, 5);
    const short = Math.max(5, seconds / 2);
    const alone = await on.step('reads alone', 1, seconds, false);
    const once = await on.step('with sign-ins', 1, seconds);
    const twice = await on.step('twice', 2, short);
    const thrice = await on.step('three times', 3, short);
    await sleep(GOAL.backMs);
    const afterwards = await on.step('5 s later', 1, short);
    const steps = [alone, once, twice, thrice, afterwards];
    const text = table(HEAD, steps.map(row));
    writeFileSync('.data/drill-load.md', `${text}\n`);
    process.stdout.write(`${text}\n`);
    const notes = [`load of the machine before: ${before.toFixed(1)}`, ...judgeOnce(alone, once).notes];
    const overload = judgeOverload(steps, thrice, afterwards, alone);
    return {
      done: `${LOGINS} sign-ins (cost 10) and ${READS} reads a second for ${seconds} s, then 2 and 3 times that`,
      notes: [...notes, ...overload.notes],
      broken: [...judgeOnce(alone, once).broken, ...overload.broken],
    };
  } finally {
    await stack.stop();
  }
}

type Judged = Pick<Outcome, 'notes' | 'broken'>;

function judgeOnce(alone: Step, once: Step): Judged {
  const ratio = once.reads.p99Ms / alone.reads.p99Ms;
  const errors = [once.reads, once.logins!].reduce((sum, { sent, answered }) => sum + sent - answered, 0);
  return {
    notes: [`p99 of reads with sign-ins is ${ratio.toFixed(1)} times that without`, `${errors} errors`],
    broken: [
      ...(ratio > GOAL.ratio ? [`p99 of reads x ${ratio.toFixed(1)}`] : []),
      ...(errors > 0 ? [`${errors} errors under the load that has to be held`] : []),
    ],
  };
}

function judgeOverload(steps: readonly Step[], over: Step, afterwards: Step, alone: Step): Judged {
  const peak = (flow: (step: Step) => number) => flow(over) / Math.max(...steps.map(flow));
  const logins = peak((step) => step.logins?.perSecond ?? 0);
  const reads = peak((step) => step.reads.perSecond);
  const refusedMs = Math.max(over.reads.refusedP99Ms, over.logins!.refusedP99Ms);
  const failed = over.reads.failed + over.logins!.failed;
  const memory = Math.max(...steps.map(({ memoryMiB: most }) => most));
  const left = [afterwards.reads, afterwards.logins!].reduce(
    (sum, { sent, answered }) => sum + sent - answered,
    0,
  );
  const share = (value: number) => `${(value * 100).toFixed(0)} %`;
  const later = afterwards.reads.p99Ms / alone.reads.p99Ms;
  return {
    notes: [
      `three times over: ${share(logins)} of the most sign-ins, ${share(reads)} of the most reads`,
      `refusals within ${refusedMs.toFixed(0)} ms (p99), ${failed} other failures`,
      `most memory ${memory.toFixed(0)} MiB`,
    ],
    broken: [
      ...(Math.min(logins, reads) < GOAL.goodput ? ['goodput fell'] : []),
      ...(refusedMs > GOAL.refusedMs ? ['refusals were late'] : []),
      ...(failed > 0 ? [`${failed} calls failed otherwise`] : []),
      ...(memory > GOAL.memoryMiB ? ['too much memory'] : []),
      ...(left > 0 || later > GOAL.ratio ? ['not back to normal after 5 s'] : []),
    ],
  };
}

const FLOW_HEAD = ['answered/s', 'p50 ms', 'p99 ms', 'refused', 'p99 of refusals ms', 'failed'];
const HEAD = [
  'step',
  ...FLOW_HEAD.map((name) => `reads: ${name}`),
  ...FLOW_HEAD.map((name) => `sign-ins: ${name}`),
  'most memory MiB',
];

function row({ name, reads, logins, memoryMiB: most }: Step): string[] {
  const cells = (flow: Flow | undefined) =>
    flow
      ? [
          flow.perSecond.toFixed(1),
          flow.p50Ms.toFixed(1),
          flow.p99Ms.toFixed(1),
          String(flow.refused),
          flow.refusedP99Ms.toFixed(0),
          String(flow.failed),
        ]
      : FLOW_HEAD.map(() => '-');
  return [name, ...cells(reads), ...cells(logins), most.toFixed(0)];
}

/** The drill of load. */
export const loadDrills = (seconds: number) => ({ load: () => load(seconds) });
