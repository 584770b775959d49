import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ServerInterceptingCall } from '@grpc/grpc-js';
import type { ServerInterceptor, StatusObject } from '@grpc/grpc-js';
import { IdentityError } from '../errors.js';
import { requestIdOf } from './metadata.js';

/** How much is taken in at a time. */
export interface LoadLimitSettings {
  /** Calls in work at the same time. */
  maxCalls: number;
  /** Delay of the event loop, in milliseconds, from which on fewer are taken. */
  maxDelayMs: number;
  /** Mean time that calls are in work, in milliseconds, from which on fewer are taken. */
  maxMeanMs: number;
}

interface Log {
  warn(fields: object, message: string): void;
}

/** A refusal in the words of the method's service. */
type Refusal = (error: IdentityError, requestId: string) => StatusObject;

/** The place of one call among those in work. */
export class Place {
  readonly #since = performance.now();
  #asideMs = 0;

  constructor(private readonly load: { running: number; ended(milliseconds: number): void }) {
    load.running += 1;
  }

  /** Waits for something that has a bound of its own, and gives the place to another call meanwhile. */
  async aside<T>(wait: Promise<T>): Promise<T> {
    const started = performance.now();
    this.load.running -= 1;
    try {
      return await wait;
    } finally {
      this.load.running += 1;
      this.#asideMs += performance.now() - started;
    }
  }

  /** The work for the call has ended. */
  leave(): void {
    this.load.running -= 1;
    this.load.ended(performance.now() - this.#since - this.#asideMs);
  }
}

const LOOK_MS = 200;
const RESOLUTION_MS = 10;
const RETRY_MS = 1000;
/** While calls are late the limit shrinks by this factor, afterwards it grows by this share of the whole. */
const SHRINK = 0.7;
const GROW = 0.05;
const LEAST = 0.2;

/**
 * Bounds the calls in work, so that under too much load those that are taken are still answered in time. The bound
 * follows two measures: the delay of the event loop, when it is this process that has too much to do, and the time that
 * calls take, when it is the database. Calls to methods that were not given to `cover` always pass.
 */
export class LoadLimit {
  readonly #refusals = new Map<string, Refusal>();
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  readonly #calls = { running: 0, count: 0, sumMs: 0 };
  #lookedAt = performance.now();
  #limit: number;
  #refused = 0;

  constructor(
    private readonly settings: LoadLimitSettings,
    private readonly log: Log,
  ) {
    this.#limit = settings.maxCalls;
    this.#delay.enable();
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** Lets calls of this path (`/package.Service/Method`) be refused. */
  cover(path: string, refusal: Refusal): void {
    this.#refusals.set(path, refusal);
  }

  /** Takes a call in, or answers why not. */
  enter(): Place | IdentityError {
    return this.#isFull() ? this.#refusal() : new Place(this);
  }

  /** Calls in work. */
  get running(): number {
    return this.#calls.running;
  }

  set running(running: number) {
    this.#calls.running = running;
  }

  /** A call was in work for so long. */
  ended(milliseconds: number): void {
    this.#calls.count += 1;
    this.#calls.sumMs += milliseconds;
  }

  /** Refuses calls before anything of their messages is read. Those in work are counted when a message is complete. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    const refusal = this.#refusals.get(method.path);
    if (!refusal || !this.#isFull()) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata) => call.sendStatus(refusal(this.#refusal(), requestIdOf(metadata))),
        }),
    });
  };

  /** Ends the watch of the event loop. */
  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  #isFull(): boolean {
    return this.#calls.running >= this.#limit;
  }

  #refusal(): IdentityError {
    this.#refused += 1;
    return new IdentityError('ERROR_TOO_BUSY', { reason: 'calls in work' }, [], { retryAfterMs: RETRY_MS });
  }

  /** The mean since the last look; a loop that was held up all the time tells it by the look that comes late. */
  #delayMs(): number {
    const now = performance.now();
    const late = now - this.#lookedAt - LOOK_MS;
    this.#lookedAt = now;
    return this.#delay.count > 0 ? this.#delay.mean / 1e6 - RESOLUTION_MS : late;
  }

  #look(): void {
    const { maxCalls, maxDelayMs, maxMeanMs } = this.settings;
    const { running, count, sumMs } = this.#calls;
    const delayMs = this.#delayMs();
    const meanMs = count > 0 ? sumMs / count : 0;
    const late = delayMs > maxDelayMs || meanMs > maxMeanMs;
    this.#limit = late
      ? Math.max(maxCalls * LEAST, Math.min(this.#limit, running) * SHRINK)
      : Math.min(maxCalls, this.#limit + maxCalls * GROW);
    if (this.#refused > 0) {
      const measured = { delayMs: Math.round(delayMs), meanMs: Math.round(meanMs) };
      const fields = { refused: this.#refused, running, limit: Math.floor(this.#limit), ...measured };
      this.log.warn(fields, 'calls refused: too much to do');
    }
    this.#delay.reset();
    Object.assign(this.#calls, { count: 0, sumMs: 0 });
    this.#refused = 0;
  }
}
