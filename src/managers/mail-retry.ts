const FIRST_DELAY_MS = 1000;
const EARLY_LIMIT_MS = 20_000;
const LATE_LIMIT_MS = 3_600_000;
const AGE_SHARE = 1 / 4;
const JITTER = 0.2;
const FIRST_PAUSE_MS = 500;
const PAUSE_LIMIT_MS = 15_000;

/** How long a mail is tried at most, in milliseconds. */
export const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/**
 * Milliseconds until a mail is tried again: doubling from one second, at most 20 seconds for a young mail and
 * a quarter of its age for an older one, at most an hour; a fifth more or less, so that mails which failed
 * together do not come back together.
 */
export function retryDelay(attempts: number, ageMs: number): number {
  const limit = Math.min(LATE_LIMIT_MS, Math.max(EARLY_LIMIT_MS, ageMs * AGE_SHARE));
  const delay = Math.min(limit, FIRST_DELAY_MS * 2 ** Math.min(attempts - 1, 20));
  return delay * (1 - JITTER + 2 * JITTER * Math.random());
}

/**
 * Spares a mail server that is away: after a failure nothing is sent for a while that doubles up to 15
 * seconds, then one mail tries it, and the first one that gets an answer opens the way for all.
 */
export class ServerPause {
  #failures = 0;
  #until = 0;

  /** Mails that may be under way now, out of `most`. */
  allowed(most: number, nowMs: number): number {
    if (nowMs < this.#until) return 0;
    return this.#failures > 0 ? 1 : most;
  }

  /** The server was not reached; answers the milliseconds until it may be tried again. */
  failed(nowMs: number): number {
    // Mails that were under way together fail together: that is one failure.
    if (nowMs >= this.#until) {
      this.#failures += 1;
      this.#until = nowMs + Math.min(PAUSE_LIMIT_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures - 1, 10));
    }
    return this.#until - nowMs;
  }

  /** The server answered, whatever it said. */
  answered(): void {
    this.#failures = 0;
    this.#until = 0;
  }
}
