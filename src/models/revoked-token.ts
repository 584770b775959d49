import mongoose from 'mongoose';
import type { Mongo, Reach, Records, Tx } from '../connectors/mongo.js';
import { options, records } from '../connectors/mongo.js';

/** A token that was ended before its time. */
interface RevokedToken {
  /** Id of the token (its claim `jti`). */
  _id: string;
  /** When the token would have ended; it need not be remembered longer. */
  expires_at: Date;
}

const schema = new mongoose.Schema<RevokedToken>(
  { _id: { type: String, required: true }, expires_at: { type: Date, required: true } },
  { versionKey: false },
);
schema.index({ expires_at: 1 }, { expireAfterSeconds: 0 });

/** The tokens that were ended before their time. */
export class RevokedTokens {
  readonly #records: Records<RevokedToken>;

  constructor(mongo: Mongo) {
    this.#records = records(mongo.model('revoked_token', schema));
  }

  /** Ends a token; false when it was ended before. */
  async put(tx: Tx, jti: string, expires_at: Date): Promise<boolean> {
    const only = { ...options(tx), upsert: true };
    const { upsertedCount } = await this.#records.replaceOne({ _id: String(jti) }, { expires_at }, only);
    return upsertedCount === 1;
  }

  /** True when the token was ended. */
  async has(reach: Reach, jti: string): Promise<boolean> {
    const only = { ...options(reach), projection: { _id: 1 } };
    return (await this.#records.findOne({ _id: String(jti) }, only)) !== null;
  }
}
