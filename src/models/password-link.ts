import mongoose from 'mongoose';
import type { Mongo, Reach, Records, Tx } from '../connectors/mongo.js';
import { options, records } from '../connectors/mongo.js';
import type { UserKey } from './user.js';

/** The one mailed link with which a user may set a password; a newer one takes its place (D-10). */
interface PasswordLink {
  _id: string;
  /** Id of the token in the link. */
  jti: string;
  expires_at: Date;
}

const schema = new mongoose.Schema<PasswordLink>(
  { _id: { type: String, required: true }, jti: { type: String, required: true }, expires_at: Date },
  { versionKey: false },
);
schema.index({ expires_at: 1 }, { expireAfterSeconds: 0 });

/** The living password links. */
export class PasswordLinks {
  readonly #records: Records<PasswordLink>;

  constructor(mongo: Mongo) {
    this.#records = records(mongo.model('password_link', schema));
  }

  /** Remembers the newest link of a user; older ones are dead from now on. */
  async put(tx: Tx, user: UserKey, link: { jti: string; expires_at: Date }): Promise<void> {
    await this.#records.replaceOne({ _id: linkId(user) }, link, { ...options(tx), upsert: true });
  }

  /** True while the link is the newest one and unused. */
  async isAlive(reach: Reach, user: UserKey, jti: string): Promise<boolean> {
    return (await this.#records.findOne({ _id: linkId(user), jti: String(jti) }, options(reach))) !== null;
  }

  /** Uses the link up; false when that happened before. */
  async consume(tx: Tx, user: UserKey, jti: string): Promise<boolean> {
    const result = await this.#records.deleteOne({ _id: linkId(user), jti: String(jti) }, options(tx));
    return result.deletedCount === 1;
  }

  /** Kills the link of a user, whatever it is. */
  async drop(tx: Tx, user: UserKey): Promise<void> {
    await this.#records.deleteOne({ _id: linkId(user) }, options(tx));
  }
}

function linkId(user: UserKey): string {
  return `${user.domain_id}/${user.user_id}`;
}
