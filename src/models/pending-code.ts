import { randomUUID } from 'node:crypto';
import mongoose from 'mongoose';
import type { Mongo, Reach, Records, Tx } from '../connectors/mongo.js';
import { options, records } from '../connectors/mongo.js';
import type { Mfa, UserKey } from './user.js';

/** What a code is good for; a code of one purpose is worth nothing for another (D-02). */
export type CodePurpose = (typeof PURPOSES)[number];

const PURPOSES = ['VERIFY_EMAIL', 'SIGN_IN', 'MFA'] as const;

/** A flow that waits for a code: at most one for each user and purpose, the newest. */
export interface PendingCode {
  _id: string;
  domain_id: string;
  user_id: string;
  purpose: CodePurpose;
  /** Tells this entry from the one that replaced it. */
  nonce: string;
  /** Keyed hash of the mailed code, bound to purpose and address; absent when an authenticator makes the code. */
  code_mac?: string;
  /** Address that the code was mailed to. */
  address?: string;
  attempts: number;
  /** MFA: what a right code does, and the settings it puts in force. */
  mfa?: { action: 'ENABLE' | 'DISABLE'; settings: Mfa; otp_secret?: string };
  expires_at: Date;
}

const text = { type: String, required: true };
const schema = new mongoose.Schema<PendingCode>(
  {
    _id: text,
    domain_id: text,
    user_id: text,
    purpose: text,
    nonce: text,
    code_mac: String,
    address: String,
    attempts: { type: Number, default: 0 },
    mfa: mongoose.Schema.Types.Mixed,
    expires_at: { type: Date, required: true },
  },
  { versionKey: false },
);
schema.index({ expires_at: 1 }, { expireAfterSeconds: 0 });

/** The flows that wait for a code. */
export class PendingCodes {
  readonly #records: Records<PendingCode>;

  constructor(mongo: Mongo) {
    this.#records = records(mongo.model('pending_code', schema));
  }

  /** Opens a flow in place of the one that was open for the same user and purpose, and answers its nonce. */
  async put(
    reach: Reach,
    user: UserKey,
    purpose: CodePurpose,
    entry: Pick<PendingCode, 'code_mac' | 'address' | 'mfa' | 'expires_at'>,
  ): Promise<string> {
    const _id = entryId(user, purpose);
    const { domain_id, user_id } = user;
    const nonce = randomUUID();
    const document = { ...entry, domain_id, user_id, purpose, nonce, attempts: 0 };
    await this.#records.replaceOne({ _id }, document, {
      ...options(reach),
      upsert: true,
      ignoreUndefined: true,
    });
    return nonce;
  }

  /** The open flow, or undefined. */
  async find(reach: Reach, user: UserKey, purpose: CodePurpose, now: Date): Promise<PendingCode | undefined> {
    const filter = { _id: entryId(user, purpose), expires_at: { $gt: now } };
    return (await this.#records.findOne(filter, options(reach))) ?? undefined;
  }

  /**
   * Counts one guess and answers the flow; undefined when there is none or its guesses are used up. Counting
   * before comparing keeps parallel guesses inside the limit (D-05).
   */
  async attempt(
    reach: Reach,
    user: UserKey,
    purpose: CodePurpose,
    limit: number,
    now: Date,
  ): Promise<PendingCode | undefined> {
    const filter = { _id: entryId(user, purpose), expires_at: { $gt: now }, attempts: { $lt: limit } };
    const update = { $inc: { attempts: 1 } };
    return (
      (await this.#records.findOneAndUpdate(filter, update, {
        ...options(reach),
        returnDocument: 'after',
      })) ?? undefined
    );
  }

  /** Ends exactly this flow; false when somebody else ended or replaced it first. */
  async consume(tx: Tx, entry: PendingCode): Promise<boolean> {
    const result = await this.#records.deleteOne({ _id: entry._id, nonce: entry.nonce }, options(tx));
    return result.deletedCount === 1;
  }

  /** Ends whatever flow of that purpose is open. */
  async drop(reach: Reach, user: UserKey, purpose: CodePurpose): Promise<void> {
    await this.#records.deleteOne({ _id: entryId(user, purpose) }, options(reach));
  }

  /** Ends all open flows of a user. */
  async dropAll(tx: Tx, user: UserKey): Promise<void> {
    const ids = PURPOSES.map((purpose) => entryId(user, purpose));
    await this.#records.deleteMany({ _id: { $in: ids } }, options(tx));
  }
}

function entryId(user: UserKey, purpose: CodePurpose): string {
  return `${user.domain_id}/${purpose}/${user.user_id}`;
}
