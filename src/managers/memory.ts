import { LRUCache } from 'lru-cache';
import type { Reach } from '../connectors/mongo.js';

/** How something is read; what is kept of it is a part. */
type Read<R> = (reach: Reach) => Promise<R | undefined>;

interface Known<T> {
  value: T;
  /** When its reading began, in milliseconds of this process. */
  since: number;
}

/** A reading that has not begun, for all who ask until then. */
interface Coming<R> {
  askers: Reach[];
  outcome: Promise<R | undefined>;
}

/** What was read lately, for a short while; never what was read before it was to be forgotten. */
export class Memory<T extends object, R extends T = T> {
  readonly #known: LRUCache<string, Known<T>>;
  readonly #coming = new Map<string, Coming<R>>();
  #forgotten = 0;

  /** @param keep the part that is remembered. */
  constructor(
    settings: { max: number; cacheMs: number },
    private readonly keep: (read: R) => T = (read) => read,
  ) {
    this.#known = new LRUCache({ max: settings.max, ttl: Math.max(1, settings.cacheMs) });
  }

  /**
   * What is remembered if it is good, else what is read now: so nobody is refused by what is remembered.
   * @param isGood whether it allows what it is asked for.
   */
  async recall(
    reach: Reach,
    key: string,
    read: Read<R>,
    isGood: (value: T) => boolean = () => true,
  ): Promise<T | undefined> {
    const known = this.#known.get(key)?.value;
    return known && isGood(known) ? known : this.refresh(reach, key, read);
  }

  /** What is read now, remembered from then on. Those who ask at the same moment share one reading, which begins after it. */
  refresh(reach: Reach, key: string, read: Read<R>): Promise<R | undefined> {
    const coming = this.#coming.get(key);
    if (coming) {
      coming.askers.push(reach);
      return coming.outcome;
    }
    const askers = [reach];
    const outcome = new Promise<void>((begin) => void setImmediate(begin)).then(() => {
      this.#coming.delete(key);
      return this.#read(patient(askers), key, read);
    });
    this.#coming.set(key, { askers, outcome });
    return outcome;
  }

  /** Forgets it, after a change of it. */
  forget(key: string): void {
    this.#forgotten += 1;
    this.#known.delete(key);
  }

  async #read(reach: Reach, key: string, read: Read<R>): Promise<R | undefined> {
    const before = this.#forgotten;
    const since = performance.now();
    const value = await read(reach);
    // Else it may have changed while it was read, or somebody who read it later was quicker.
    if (this.#forgotten === before && since >= (this.#known.peek(key)?.since ?? 0)) {
      if (value) this.#known.set(key, { value: this.keep(value), since }, { start: since });
      else this.#known.delete(key);
    }
    return value;
  }
}

/** One of the askers, with the time of the one who has most. */
function patient(askers: Reach[]): Reach {
  return askers.reduce((one, other) => (other.deadline > one.deadline ? other : one));
}
