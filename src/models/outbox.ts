import mongoose from 'mongoose';
import type { Mongo, Reach, Records, Tx } from '../connectors/mongo.js';
import { options, records } from '../connectors/mongo.js';

export type MailState = 'QUEUED' | 'SENT' | 'FAILED' | 'EXPIRED';

/** A mail between the transaction that asked for it and the mail server. */
export interface OutboxMail {
  /** Also makes the Message-ID, so that a mail sent twice after a crash can be recognised. */
  _id: string;
  template: string;
  domain_id: string;
  /** Recipient, language and values, sealed; erased when the mail is through. */
  payload?: string;
  state: MailState;
  attempts: number;
  /** When it is due; while an instance sends it, when that instance's lease ends. */
  next_attempt_at: Date;
  /** Instance that took it last. */
  lease?: string;
  /** After this its content is worth nothing. */
  expires_at?: Date;
  created_at: Date;
  /** Set when it is through; the database removes it then. */
  purge_at?: Date;
}

const text = { type: String, required: true };
const date = { type: Date, required: true };
const schema = new mongoose.Schema<OutboxMail>(
  {
    _id: text,
    template: text,
    domain_id: text,
    payload: String,
    state: text,
    attempts: { type: Number, required: true },
    next_attempt_at: date,
    lease: String,
    expires_at: Date,
    created_at: date,
    purge_at: Date,
  },
  { versionKey: false },
);
schema.index({ state: 1, next_attempt_at: 1 });
schema.index({ purge_at: 1 }, { expireAfterSeconds: 0 });

/** The queue of mails that all instances work on together. */
export class Outbox {
  readonly #records: Records<OutboxMail>;

  constructor(private readonly mongo: Mongo) {
    this.#records = records(mongo.model('outbox', schema));
  }

  /** Queues a mail; it exists when the transaction is committed. */
  async put(
    tx: Tx,
    mail: Pick<OutboxMail, '_id' | 'template' | 'domain_id' | 'payload' | 'expires_at' | 'created_at'>,
  ): Promise<void> {
    await this.#records.insertOne(
      { ...mail, state: 'QUEUED', attempts: 0, next_attempt_at: mail.created_at },
      { ...options(tx), ignoreUndefined: true },
    );
  }

  /** Ids of mails that are due, the longest waiting first; none while the database is away. */
  async due(reach: Reach, now: Date, limit: number): Promise<string[]> {
    if (!this.mongo.available) return [];
    const filter = { state: 'QUEUED' as const, next_attempt_at: { $lte: now } };
    const found = await this.#records
      .find(filter, { ...options(reach), projection: { _id: 1 } })
      .sort({ next_attempt_at: 1 })
      .limit(limit)
      .toArray();
    return found.map(({ _id }) => _id);
  }

  /** Takes a due mail until `until`, or undefined when another instance was faster. */
  async claim(
    reach: Reach,
    id: string,
    now: Date,
    lease: string,
    until: Date,
  ): Promise<OutboxMail | undefined> {
    const filter = { _id: id, state: 'QUEUED' as const, next_attempt_at: { $lte: now } };
    const update = { $set: { lease, next_attempt_at: until }, $inc: { attempts: 1 } };
    const claimed = await this.#records.findOneAndUpdate(filter, update, {
      ...options(reach),
      returnDocument: 'after',
    });
    return claimed ?? undefined;
  }

  /** Keeps mails that are being sent from being taken by others until `until`. */
  async renew(reach: Reach, ids: readonly string[], lease: string, until: Date): Promise<void> {
    const filter = { _id: { $in: [...ids] }, lease, state: 'QUEUED' as const };
    await this.#records.updateMany(filter, { $set: { next_attempt_at: until } }, options(reach));
  }

  /** Gives a mail back, to be tried again at that time; nothing happens when the lease was lost. */
  async postpone(reach: Reach, id: string, lease: string, at: Date): Promise<void> {
    const filter = { _id: id, lease, state: 'QUEUED' as const };
    await this.#records.updateOne(filter, { $set: { next_attempt_at: at } }, options(reach));
  }

  /** Ends a mail and erases what was in it; the rest is kept until `purgeAt`. */
  async finish(reach: Reach, id: string, state: Exclude<MailState, 'QUEUED'>, purgeAt: Date): Promise<void> {
    const update = { $set: { state, purge_at: purgeAt }, $unset: { payload: '' as const } };
    await this.#records.updateOne({ _id: id, state: 'QUEUED' }, update, options(reach));
  }
}
