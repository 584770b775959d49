import mongoose from 'mongoose';
import type { Mongo, Reach, Records } from '../connectors/mongo.js';
import { isDuplicateKey, options, records } from '../connectors/mongo.js';
import { secondsAfter } from '../clock.js';

/** Attempts of one user or of one peer address in the running window. */
interface SignInAttempt {
  _id: string;
  count: number;
  expires_at: Date;
}

const schema = new mongoose.Schema<SignInAttempt>(
  { _id: { type: String, required: true }, count: Number, expires_at: Date },
  { versionKey: false },
);
schema.index({ expires_at: 1 }, { expireAfterSeconds: 0 });

/** Counters of sign-in attempts, shared by all instances. */
export class SignInAttempts {
  readonly #records: Records<SignInAttempt>;

  constructor(mongo: Mongo) {
    this.#records = records(mongo.model('sign_in_attempt', schema));
  }

  /**
   * Counts an attempt before it is made, in one atomic step. False when the limit is used up: the window then
   * runs from the attempt that used it up, and further attempts do not lengthen it.
   */
  async reserve(
    reach: Reach,
    key: string,
    limit: number,
    windowSeconds: number,
    now: Date,
  ): Promise<boolean> {
    const open = { $gt: ['$expires_at', now] };
    const keepWindow = { $and: [open, { $ne: ['$count', limit - 1] }] };
    const update = [
      {
        $set: {
          count: { $cond: [open, { $add: ['$count', 1] }, 1] },
          expires_at: { $cond: [keepWindow, '$expires_at', secondsAfter(now, windowSeconds)] },
        },
      },
    ];
    const change = () =>
      this.#records.findOneAndUpdate({ _id: key }, update, {
        ...options(reach),
        upsert: true,
        returnDocument: 'after',
      });
    // Two first attempts at once may both try to insert; the second then finds the document.
    const counter = await change().catch((error: unknown) => {
      if (isDuplicateKey(error)) return change();
      throw error;
    });
    return counter !== null && counter.count <= limit;
  }

  /** Takes a reserved attempt back, because it was neither right nor wrong. */
  async release(reach: Reach, key: string): Promise<void> {
    await this.#records.updateOne({ _id: key, count: { $gt: 0 } }, { $inc: { count: -1 } }, options(reach));
  }

  /** Forgets the attempts, after a right one. */
  async clear(reach: Reach, key: string): Promise<void> {
    await this.#records.deleteOne({ _id: key }, options(reach));
  }
}
