import { LRUCache } from 'lru-cache';

/** What was read lately, for a short while; never what was read before it was to be forgotten. */
export class Memory<T extends object> {
  readonly #known: LRUCache<string, T>;
  #forgotten = 0;

  constructor(settings: { max: number; cacheMs: number }) {
    this.#known = new LRUCache({ max: settings.max, ttl: Math.max(1, settings.cacheMs) });
  }

  /** What is remembered, else what is read now; what is not there is read again. */
  async recall(key: string, read: () => Promise<T | undefined>): Promise<T | undefined> {
    const known = this.#known.get(key);
    if (known) return known;
    const before = this.#forgotten;
    const fresh = await read();
    // Else it may have changed while it was read.
    if (fresh && this.#forgotten === before) this.#known.set(key, fresh);
    return fresh;
  }

  /** Forgets it, after a change of it. */
  forget(key: string): void {
    this.#forgotten += 1;
    this.#known.delete(key);
  }
}
