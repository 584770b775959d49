import mongoose from 'mongoose';
import type { Mongo, Records, Tx } from '../connectors/mongo.js';
import { options, records } from '../connectors/mongo.js';
import { secondsAfter } from '../clock.js';

/** When mails of one kind were last queued for one user, or for one address, or refused to one user. */
interface MailCount {
  /** Keyed hash of kind and user, kind and address, or purpose and user. */
  _id: string;
  /** Newest last, no more of them than the limit. */
  queued_at: Date[];
  purge_at: Date;
}

const schema = new mongoose.Schema<MailCount>(
  {
    _id: { type: String, required: true },
    queued_at: { type: [Date], required: true },
    purge_at: { type: Date, required: true },
  },
  { versionKey: false },
);
schema.index({ purge_at: 1 }, { expireAfterSeconds: 0 });

/** Counts mails in a sliding window (D-08). */
export class MailCounts {
  readonly #records: Records<MailCount>;

  constructor(mongo: Mongo) {
    this.#records = records(mongo.model('mail_count', schema));
  }

  /**
   * Counts one mail under every key; false, and nothing counted, when one of them is at its limit. Two
   * transactions that count under the same key conflict in the database, so parallel calls cannot pass the
   * limit together.
   */
  async count(
    tx: Tx,
    limits: ReadonlyMap<string, number>,
    windowSeconds: number,
    now: Date,
  ): Promise<boolean> {
    const since = secondsAfter(now, -windowSeconds);
    const counts = await this.#records.find({ _id: { $in: [...limits.keys()] } }, options(tx)).toArray();
    const full = counts.some(
      ({ _id, queued_at }) => queued_at.filter((at) => at > since).length >= limits.get(_id)!,
    );
    if (full) return false;
    await this.#records.bulkWrite(
      [...limits].map(([_id, limit]) => ({
        updateOne: {
          filter: { _id },
          update: {
            $push: { queued_at: { $each: [now], $slice: -limit } },
            $set: { purge_at: secondsAfter(now, windowSeconds) },
          },
          upsert: true,
        },
      })),
      options(tx),
    );
    return true;
  }
}
