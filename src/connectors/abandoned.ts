import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import mongoose from 'mongoose';
import type { ClientSession, Connection, mongo } from 'mongoose';
import type { Log } from './mongo.js';

/** How often an instance says that it lives, and looks for those that do not. */
const LOOK_MS = 3000;
/** An instance that has not said so for this long is dead. */
const DEAD_MS = 10_000;
/** Sessions are reused: there are not many more of them than transactions were ever open at a time. */
const MOST_SESSIONS = 1000;
const LEAVE_MS = 1000;

type Id = mongo.Binary;

interface Instance {
  _id: string;
  alive_at: Date;
  /** Sessions in which it has, or had, transactions. */
  sessions?: Id[];
}

/**
 * Ends the open transactions of instances that died. The database itself keeps them, and everything that they have
 * written locked, for a minute: others could not write the same documents so long. So every instance puts down under
 * which sessions its transactions run; when it says nothing more, another one ends these.
 */
export class AbandonedTransactions {
  readonly #id = randomUUID();
  readonly #known = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #refused = false;

  constructor(
    private readonly connection: Connection,
    private readonly log: Log,
  ) {}

  /** Says for the first time that this instance lives, and goes on from then; nothing happens when it does already. */
  async start(): Promise<void> {
    if (this.#timer) return;
    await this.#alive();
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** Puts down that transactions will run in this session; to be awaited before the first one. */
  async note(session: ClientSession, maxTimeMS: number): Promise<void> {
    const { id } = session.id as { id: Id };
    const key = id.toString('hex');
    if (this.#known.has(key)) return;
    const sessions = { $each: [id], $slice: -MOST_SESSIONS };
    const noted = await this.#instances.updateOne({ _id: this.#id }, { $push: { sessions } }, { maxTimeMS });
    if (this.#known.size >= MOST_SESSIONS) this.#known.clear();
    if (noted.matchedCount > 0) this.#known.add(key);
  }

  /** Takes leave: the sessions are ended with the connection. */
  async stop(): Promise<void> {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    if (this.connection.readyState !== mongoose.ConnectionStates.connected) return;
    const left = this.#instances.deleteOne({ _id: this.#id }, { maxTimeMS: LEAVE_MS }).catch(() => undefined);
    await Promise.race([left, sleep(LEAVE_MS, undefined, { ref: false })]);
  }

  get #instances(): mongo.Collection<Instance> {
    return this.connection.collection('service_instance') as unknown as mongo.Collection<Instance>;
  }

  /** Both at once: what a dead instance has locked may hold up the writing. A database that is away is told elsewhere. */
  #look(): void {
    void Promise.allSettled([this.#alive(), this.#endAbandoned()]);
  }

  async #alive(): Promise<void> {
    const said = await this.#instances.updateOne(
      { _id: this.#id },
      { $currentDate: { alive_at: true } },
      { upsert: true, maxTimeMS: LOOK_MS },
    );
    // The first time; or others have taken this instance for dead.
    if (said.upsertedCount > 0) this.#known.clear();
  }

  async #endAbandoned(): Promise<void> {
    const { localTime } = (await this.connection.db!.command({ hello: 1 })) as unknown as { localTime: Date };
    const before = new Date(localTime.getTime() - DEAD_MS);
    const dead = await this.#instances
      .find({ alive_at: { $lt: before }, _id: { $ne: this.#id } }, { maxTimeMS: LOOK_MS })
      .toArray();
    for (const { _id, sessions = [] } of dead) {
      await this.#end(sessions);
      await this.#instances.deleteOne({ _id }, { maxTimeMS: LOOK_MS });
      this.log.warn({ instance: _id, sessions: sessions.length }, 'transactions of a dead instance ended');
    }
  }

  /** A database may forbid it; then they end when their time there is over. */
  async #end(sessions: readonly Id[]): Promise<void> {
    if (sessions.length === 0 || this.#refused) return;
    const killSessions = sessions.map((id) => ({ id }));
    await this.connection
      .getClient()
      .db('admin')
      .command({ killSessions })
      .catch((error: Error) => {
        this.#refused = true;
        this.log.warn({ error: error.message }, 'the database does not let transactions of others be ended');
      });
  }
}
