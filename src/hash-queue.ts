import { IdentityError } from './errors.js';

/** How many hashes run at a time, and how long a check may wait for its turn. */
export interface HashQueueSettings {
  concurrency: number;
  maxWaitMs: number;
}

/**
 * Checks of passwords, which strangers can ask for as often as they like, and new passwords, which only those who are
 * known can set. The two take turns, so that neither shuts the other out.
 */
export type HashLane = 'CHECK' | 'NEW';

/** Who waits for a hash. */
export interface Waiting {
  /** Of the caller, in milliseconds since 1970; 0 as soon as they have hung up. */
  deadline: number;
  /** Told of the wait for the turn, which this queue bounds. */
  aside?: (wait: Promise<void>) => Promise<void>;
}

/** One who waits in line, and what tells them that it is their turn. */
interface Place {
  waiting: Waiting | undefined;
  call: () => void;
}

const OTHER = { CHECK: 'NEW', NEW: 'CHECK' } as const;
/** Of a new measurement in the running mean. */
const SHARE = 0.1;

/**
 * The queue before the processor for what costs much of it. It is bounded by time: a check that would wait too long is
 * refused at once, so that those who wait are answered while they still want to be. New passwords may wait for as long
 * as their callers do.
 */
export class HashQueue {
  readonly #waiting: Record<HashLane, Place[]> = { CHECK: [], NEW: [] };
  #next: HashLane = 'CHECK';
  #running = 0;
  /** Checks that were promised a turn and have not come for it yet. */
  readonly #promised = new WeakSet<Waiting>();
  #coming = 0;
  /** Time of one hash in milliseconds, as measured; unknown until the first. */
  #meanMs = 0;

  constructor(private readonly settings: HashQueueSettings) {}

  /**
   * Runs the work when its turn comes.
   * @throws IdentityError ERROR_TOO_BUSY at once when the turn would come too late; ERROR_REQUEST_TIMEOUT when it did.
   */
  async run<T>(lane: HashLane, work: () => Promise<T>, waiting?: Waiting): Promise<T> {
    if (!this.#redeem(waiting)) this.#assertRoom(lane, waiting);
    await this.#turn(lane, waiting);
    try {
      // Nobody waits for it any more.
      if (isGone(waiting)) throw new IdentityError('ERROR_REQUEST_TIMEOUT');
      const started = performance.now();
      const result = await work();
      this.#learn(performance.now() - started);
      return result;
    } finally {
      this.#pass();
    }
  }

  /**
   * Does work that will check a password, with a turn that is promised before anything else is done.
   * @throws IdentityError ERROR_TOO_BUSY at once when the turn would come too late; what the work throws.
   */
  async promise<T>(waiting: Waiting, work: () => Promise<T>): Promise<T> {
    this.#assertRoom('CHECK', waiting);
    this.#promised.add(waiting);
    this.#coming += 1;
    try {
      return await work();
    } finally {
      this.#redeem(waiting);
    }
  }

  /** True when a turn was promised, which then is no longer. */
  #redeem(waiting: Waiting | undefined): boolean {
    const was = waiting !== undefined && this.#promised.delete(waiting);
    if (was) this.#coming -= 1;
    return was;
  }

  #assertRoom(lane: HashLane, { deadline }: Waiting = { deadline: Infinity }): void {
    const wait = this.#expectedWait(lane);
    const limit = lane === 'CHECK' ? this.settings.maxWaitMs : Infinity;
    if (wait === 0 || wait <= Math.min(limit, deadline - Date.now() - this.#meanMs)) return;
    throw new IdentityError('ERROR_TOO_BUSY', { reason: 'passwords are waiting to be hashed' }, [], {
      retryAfterMs: wait,
    });
  }

  /** How long a hash that comes now waits for its turn, in milliseconds. */
  #expectedWait(lane: HashLane): number {
    const { concurrency } = this.settings;
    const coming = lane === 'CHECK' ? this.#coming : 0;
    if (this.#running + coming < concurrency) return 0;
    const before = this.#inLine(lane) + coming + 1;
    const between = Math.min(before, this.#inLine(OTHER[lane]));
    return Math.max(1, ((before + between) * this.#meanMs) / concurrency);
  }

  /** How many will be hashed for when their turn comes: those who have hung up take none. */
  #inLine(lane: HashLane): number {
    return this.#waiting[lane].filter(({ waiting }) => !isGone(waiting)).length;
  }

  async #turn(lane: HashLane, waiting: Waiting | undefined): Promise<void> {
    if (this.#running < this.settings.concurrency) {
      this.#running += 1;
      return;
    }
    const turn = new Promise<void>((call) => this.#waiting[lane].push({ waiting, call }));
    await (waiting?.aside?.(turn) ?? turn);
  }

  /** Hands the turn on: to the lane whose turn it is, else to the other. */
  #pass(): void {
    const lane = this.#waiting[this.#next].length > 0 ? this.#next : OTHER[this.#next];
    const next = this.#waiting[lane].shift();
    this.#next = OTHER[lane];
    if (next) next.call();
    else this.#running -= 1;
  }

  #learn(milliseconds: number): void {
    this.#meanMs = this.#meanMs === 0 ? milliseconds : this.#meanMs + SHARE * (milliseconds - this.#meanMs);
  }
}

function isGone(waiting: Waiting | undefined): boolean {
  return waiting !== undefined && Date.now() >= waiting.deadline;
}
