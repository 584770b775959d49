import { randomUUID } from 'node:crypto';
import mongoose from 'mongoose';
import type { Mongo, Reach, Records } from '../connectors/mongo.js';
import { isDuplicateKey, options, records } from '../connectors/mongo.js';
import { secondsAfter } from '../clock.js';

/** An attempt whose outcome is not known yet. */
interface HeldAttempt {
  id: string;
  /** After this nobody will tell the outcome any more: its instance has died. */
  until: Date;
}

/** Attempts of one user or of one peer address in the running window. */
interface SignInAttempt {
  _id: string;
  /** Attempts that were wrong. */
  wrong: number;
  /** They count as if they were wrong. */
  held: HeldAttempt[];
  /** End of the window, or of the block. */
  expires_at: Date;
  /** Later than the window's end, so that attempts which outlast the window are counted in the next. */
  purge_at: Date;
}

/** How many wrong attempts a window takes, and its length, which is also the time of a block. */
export interface AttemptLimit {
  attempts: number;
  windowSeconds: number;
}

/** May the attempt be made: yes (under this id), not while others are under way, or not at all. */
export type Permit = { id: string } | 'BUSY' | 'BLOCKED';

/** `RIGHT` forgets the wrong attempts before it, `NEITHER` is taken back. */
export type AttemptOutcome = 'RIGHT' | 'WRONG' | 'NEITHER';

const schema = new mongoose.Schema<SignInAttempt>(
  {
    _id: { type: String, required: true },
    wrong: Number,
    held: [{ id: String, until: Date }],
    expires_at: Date,
    purge_at: Date,
  },
  { versionKey: false },
);
schema.index({ purge_at: 1 }, { expireAfterSeconds: 0 });

/**
 * Counters of sign-in attempts, shared by all instances. Every attempt is held under an id of its own: whether it is
 * among those held tells who got a place, and one that is told twice, late or never spoils no count.
 */
export class SignInAttempts {
  readonly #records: Records<SignInAttempt>;

  constructor(mongo: Mongo) {
    this.#records = records(mongo.model('sign_in_attempt', schema));
  }

  /**
   * Holds a place for an attempt before it is made, in one atomic step, so that parallel ones stay inside the limit.
   * The place is free again after `holdMs` when its outcome was not told by then.
   */
  async reserve(reach: Reach, key: string, limit: AttemptLimit, now: Date, holdMs: number): Promise<Permit> {
    const mine: HeldAttempt = { id: randomUUID(), until: new Date(now.getTime() + holdMs) };
    const times = {
      expires_at: secondsAfter(now, limit.windowSeconds),
      purge_at: secondsAfter(mine.until, limit.windowSeconds),
    };
    const change = () => this.#hold(reach, key, limit, now, mine, times);
    // No upsert: what it answers to several first callers at once differs from engine to engine.
    const first = { _id: key, wrong: 0, held: [mine], ...times };
    const count = (await change()) ?? (await this.#insert(reach, first)) ?? (await change());
    if (count?.held.some(({ id }) => id === mine.id)) return { id: mine.id };
    return count && count.wrong >= limit.attempts ? 'BLOCKED' : 'BUSY';
  }

  /** Forgets the count; attempts that are under way count no more. */
  async drop(reach: Reach, key: string): Promise<void> {
    await this.#records.deleteOne({ _id: key }, options(reach));
  }

  /** True when the limit is used up by wrong attempts and its window has not ended. */
  async isUsedUp(reach: Reach, key: string, attempts: number, now: Date): Promise<boolean> {
    const count = await this.#records.findOne({ _id: key }, options(reach));
    return count !== null && count.wrong >= attempts && count.expires_at > now;
  }

  async #hold(
    reach: Reach,
    key: string,
    limit: AttemptLimit,
    now: Date,
    mine: HeldAttempt,
    { expires_at, purge_at }: Pick<SignInAttempt, 'expires_at' | 'purge_at'>,
  ): Promise<SignInAttempt | null> {
    const open = { $gt: ['$expires_at', now] };
    const alive = { $filter: { input: '$held', as: 'one', cond: { $gt: ['$$one.until', now] } } };
    const free = { $lt: [{ $add: ['$wrong', { $size: '$held' }] }, limit.attempts] };
    const update = [
      {
        $set: {
          wrong: { $cond: [open, '$wrong', 0] },
          held: alive,
          expires_at: { $cond: [open, '$expires_at', expires_at] },
          purge_at,
        },
      },
      { $set: { held: { $cond: [free, { $concatArrays: ['$held', [mine]] }, '$held'] } } },
    ];
    return this.#records.findOneAndUpdate({ _id: key }, update, {
      ...options(reach),
      returnDocument: 'after',
    });
  }

  /** The document, or null when somebody else was quicker. */
  async #insert(reach: Reach, first: SignInAttempt): Promise<SignInAttempt | null> {
    try {
      await this.#records.insertOne(first, options(reach));
      return first;
    } catch (error) {
      if (isDuplicateKey(error)) return null;
      throw error;
    }
  }

  /**
   * Counts the outcome of a held attempt, once. The one that uses the limit up makes the block last a whole window, and
   * is answered with true.
   */
  async settle(
    reach: Reach,
    key: string,
    id: string,
    outcome: AttemptOutcome,
    limit: AttemptLimit,
    now: Date,
  ): Promise<boolean> {
    const held = { $filter: { input: '$held', as: 'one', cond: { $ne: ['$$one.id', id] } } };
    const after = await this.#records.findOneAndUpdate(
      { _id: key, 'held.id': id },
      [{ $set: { held, ...counted(outcome, limit, now) } }],
      { ...options(reach), returnDocument: 'after' },
    );
    return outcome === 'WRONG' && after?.wrong === limit.attempts;
  }
}

function counted(outcome: AttemptOutcome, limit: AttemptLimit, now: Date): object {
  if (outcome === 'NEITHER') return {};
  if (outcome === 'RIGHT') return { wrong: 0 };
  const wrong = { $cond: [{ $gt: ['$expires_at', now] }, { $add: ['$wrong', 1] }, 1] };
  // Either the window has ended meanwhile, and this begins the next, or it blocks from now on.
  const anew = { $or: [{ $lte: ['$expires_at', now] }, { $gte: ['$wrong', limit.attempts - 1] }] };
  return {
    wrong,
    expires_at: { $cond: [anew, secondsAfter(now, limit.windowSeconds), '$expires_at'] },
  };
}
