import mongoose from 'mongoose';
import type { Mongo, Reach, Records } from '../connectors/mongo.js';
import { isDuplicateKey, options, records } from '../connectors/mongo.js';
import { secondsAfter } from '../clock.js';

/** Attempts of one user or of one peer address in the running window. */
interface SignInAttempt {
  _id: string;
  /** Begin of the window, which tells its attempts from those of the windows before and after. */
  since: Date;
  /** Attempts that were wrong. */
  wrong: number;
  /** Attempts whose outcome is not known yet; they count as if they were wrong. */
  pending: number;
  expires_at: Date;
}

/** How many wrong attempts a window takes, and its length, which is also the time of a block. */
export interface AttemptLimit {
  attempts: number;
  windowSeconds: number;
}

/** May the attempt be made: yes (in the window that began then), not while others are under way, or not at all. */
export type Permit = { since: Date } | 'BUSY' | 'BLOCKED';

/** `RIGHT` forgets the wrong attempts before it, `NEITHER` is taken back. */
export type AttemptOutcome = 'RIGHT' | 'WRONG' | 'NEITHER';

const schema = new mongoose.Schema<SignInAttempt>(
  { _id: { type: String, required: true }, since: Date, wrong: Number, pending: Number, expires_at: Date },
  { versionKey: false },
);
schema.index({ expires_at: 1 }, { expireAfterSeconds: 0 });

/** Counters of sign-in attempts, shared by all instances. */
export class SignInAttempts {
  readonly #records: Records<SignInAttempt>;

  constructor(mongo: Mongo) {
    this.#records = records(mongo.model('sign_in_attempt', schema));
  }

  /** Counts an attempt before it is made, in one atomic step, so that parallel ones stay inside the limit. */
  async reserve(reach: Reach, key: string, limit: AttemptLimit, now: Date): Promise<Permit> {
    const open = { $gt: ['$expires_at', now] };
    const free = { $lt: [{ $add: ['$wrong', '$pending'] }, limit.attempts] };
    const update = [
      {
        $set: {
          since: { $cond: [open, '$since', now] },
          wrong: { $cond: [open, '$wrong', 0] },
          pending: { $cond: [open, { $cond: [free, { $add: ['$pending', 1] }, '$pending'] }, 1] },
          expires_at: { $cond: [open, '$expires_at', secondsAfter(now, limit.windowSeconds)] },
        },
      },
    ];
    const change = () =>
      this.#records.findOneAndUpdate({ _id: key }, update, {
        ...options(reach),
        upsert: true,
        returnDocument: 'before',
      });
    // Two first attempts at once may both try to insert; the second then finds the document.
    const before = await change().catch((error: unknown) => {
      if (isDuplicateKey(error)) return change();
      throw error;
    });
    if (!before || before.expires_at <= now) return { since: now };
    if (before.wrong + before.pending < limit.attempts) return { since: before.since };
    return before.wrong >= limit.attempts ? 'BLOCKED' : 'BUSY';
  }

  /** Counts the outcome of a reserved attempt. The one that uses the limit up makes the block last a whole window. */
  async settle(
    reach: Reach,
    key: string,
    since: Date,
    outcome: AttemptOutcome,
    limit: AttemptLimit,
    now: Date,
  ): Promise<void> {
    const wrong = outcome === 'WRONG' ? { $add: ['$wrong', 1] } : outcome === 'RIGHT' ? 0 : '$wrong';
    const usedUp = { $eq: ['$wrong', limit.attempts - 1] };
    const expires_at =
      outcome === 'WRONG'
        ? { $cond: [usedUp, secondsAfter(now, limit.windowSeconds), '$expires_at'] }
        : '$expires_at';
    const update = [{ $set: { wrong, pending: { $subtract: ['$pending', 1] }, expires_at } }];
    await this.#records.updateOne({ _id: key, since }, update, options(reach));
  }
}
