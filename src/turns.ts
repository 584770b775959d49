import { IdentityError } from './errors.js';

/** How many do something at a time for one key, and how many wait for it: for one key, and for all together. */
export interface TurnSettings {
  atATime: number;
  waiting: number;
  waitingInAll: number;
}

/** Who waits. */
export interface Patient {
  /** Told of the wait, which is bounded here. */
  aside?: <T>(wait: Promise<T>) => Promise<T>;
}

/** Those of one key: how many are at work, and what tells the others, the first first, that they may begin. */
interface Line {
  running: number;
  waiting: (() => void)[];
}

const RETRY_MS = 1000;

/** Lets those with the same key take turns. Who waits here takes no place from those with another key. */
export class Turns {
  readonly #lines = new Map<string, Line>();
  #waiting = 0;

  constructor(private readonly settings: TurnSettings) {}

  /** Keys for which somebody is at work. */
  get size(): number {
    return this.#lines.size;
  }

  /**
   * Runs the work when it is its turn among those of the same key.
   * @throws IdentityError ERROR_TOO_BUSY at once when too many wait; what the work throws.
   */
  async run<T>(patient: Patient, key: string, work: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(key) ?? { running: 0, waiting: [] };
    this.#lines.set(key, line);
    if (line.running < this.settings.atATime) line.running += 1;
    else await this.#turn(patient, line);
    try {
      return await work();
    } finally {
      const next = line.waiting.shift();
      if (next) next();
      else line.running -= 1;
      if (line.running === 0) this.#lines.delete(key);
    }
  }

  /**
   * Waits on behalf of a call, which gives its place to another meanwhile.
   * @throws IdentityError ERROR_TOO_BUSY at once when too many wait.
   */
  async wait<T>(patient: Patient, begin: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.settings.waitingInAll) throw tooMany('attempts that wait');
    this.#waiting += 1;
    try {
      const wait = begin();
      return await (patient.aside?.(wait) ?? wait);
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Until somebody hands their turn on. */
  #turn(patient: Patient, { waiting }: Line): Promise<void> {
    if (waiting.length >= this.settings.waiting) throw tooMany('attempts of this user');
    return this.wait(patient, () => new Promise((begin) => void waiting.push(begin)));
  }
}

function tooMany(reason: string): IdentityError {
  return new IdentityError('ERROR_TOO_BUSY', { reason }, [], { retryAfterMs: RETRY_MS });
}
