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
}

interface Log {
  warn(fields: object, message: string): void;
}

/** A refusal in the words of the method's service. */
type Refusal = (error: IdentityError, requestId: string) => StatusObject;

const LOOK_MS = 200;
const RESOLUTION_MS = 10;
const RETRY_MS = 1000;
/** While the event loop is late the limit shrinks by this factor, afterwards it grows by this share of the whole. */
const SHRINK = 0.7;
const GROW = 0.05;
const LEAST = 0.25;

/**
 * Bounds the calls in work, so that under too much load those that are taken are still answered in time. The bound
 * follows the delay of the event loop: calls that need more of it than others lower it. Calls to methods that were not
 * given to `cover` always pass.
 */
export class LoadLimit {
  readonly #refusals = new Map<string, Refusal>();
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #limit: number;
  #running = 0;
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

  /** Takes a call in, to be followed by `leave`; or answers why not. */
  enter(): IdentityError | undefined {
    if (this.#running >= this.#limit) return this.#full();
    this.#running += 1;
    return undefined;
  }

  /** The work for a call has ended. */
  leave(): void {
    this.#running -= 1;
  }

  /** Refuses calls before anything of their messages is read. Those in work are counted when a message is complete. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    const refusal = this.#refusals.get(method.path);
    if (!refusal || this.#running < this.#limit) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata) => call.sendStatus(refusal(this.#full(), requestIdOf(metadata))),
        }),
    });
  };

  /** Ends the watch of the event loop. */
  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  #full(): IdentityError {
    this.#refused += 1;
    return new IdentityError('ERROR_TOO_BUSY', { reason: 'calls in work' }, [], { retryAfterMs: RETRY_MS });
  }

  #look(): void {
    const { maxCalls, maxDelayMs } = this.settings;
    const delayMs = this.#delay.count > 0 ? this.#delay.mean / 1e6 - RESOLUTION_MS : 0;
    this.#delay.reset();
    const shrunk = Math.min(this.#limit, this.#running) * SHRINK;
    this.#limit =
      delayMs > maxDelayMs
        ? Math.max(maxCalls * LEAST, shrunk)
        : Math.min(maxCalls, this.#limit + maxCalls * GROW);
    if (this.#refused > 0) {
      const fields = { refused: this.#refused, running: this.#running, limit: Math.floor(this.#limit) };
      this.log.warn({ ...fields, delayMs: Math.round(delayMs) }, 'calls refused: too much to do');
    }
    this.#refused = 0;
  }
}
