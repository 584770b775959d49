import mongoose from 'mongoose';
import type { ClientSession, Connection, Model, Schema } from 'mongoose';
import { IdentityError } from '../errors.js';
import { AbandonedTransactions } from './abandoned.js';
import { addressProblem, databaseBeside, whyUnreached } from './mongo-address.js';

/** Who is behind a call: a user, or the holder of the system token. */
export interface Actor {
  type: 'USER' | 'SYSTEM';
  id: string;
  /** The domain that the user belongs to. */
  domain_id: string;
}

/** Where work comes from, for those who ask later: the call that caused it. */
export interface Origin {
  request_id: string;
  method: string;
  peer: string;
  /** Set as soon as the caller is known; anonymous methods have none. */
  actor?: Actor;
}

/** How far a call may reach into the database: until when, and inside which transaction if any. */
export interface Reach {
  /** Milliseconds since 1970 (real time) after which the answer is of no use to the caller. */
  deadline: number;
  session?: ClientSession;
  /** Absent for what the service does by itself. */
  call?: Origin;
  /** Waits for something that has a bound of its own, without counting as a call in work meanwhile. */
  aside?: <T>(wait: Promise<T>) => Promise<T>;
}

/** A reach inside a transaction; asking for one makes sure that a write is not done alone by mistake. */
export type Tx = Reach & { session: ClientSession };

/** How long what must be written may take when nobody waits for it any more, in milliseconds. */
export const SETTLE_MS = 10_000;

/** The reach of what has to be written although the caller may have given up. */
export function settling({ call }: Reach): Reach {
  return { deadline: Date.now() + SETTLE_MS, call };
}

/** What the connector logs through. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Longest wait for a server before a call is answered as unavailable, in milliseconds. */
const SELECTION_TIMEOUT_MS = 2000;
const RETRY_CONNECT_MS = 500;

/** This database cannot be used as it is, or not with these settings; trying again will not help. */
export class DatabaseRefused extends Error {}

/** The connection to MongoDB: made in the background, with the one door for transactions. */
export class Mongo {
  readonly connection: Connection;
  readonly #abandoned: AbandonedTransactions;
  #available = false;
  #prepared = false;
  #closed = false;
  #listeners = new Set<(available: boolean) => void>();
  #checks: (() => Promise<void>)[] = [];

  /** @throws DatabaseRefused when the address cannot be understood. */
  constructor(
    private readonly settings: { uri: string; poolSize: number; timeoutMs: number },
    private readonly log: Log,
  ) {
    const problem = addressProblem(settings.uri);
    if (problem) throw new DatabaseRefused(`MONGODB_URI cannot be used: ${problem}`);
    this.connection = mongoose.createConnection();
    this.#abandoned = new AbandonedTransactions(this.connection, log);
    this.connection.on('disconnected', () => this.#announce(false));
    this.connection.on('connected', () => this.#announce(this.#prepared));
    this.connection.on('error', (error: Error) => {
      // Before that, who starts it tells.
      if (this.#prepared) this.log.warn({ error: error.name }, 'database connection error');
    });
  }

  /** True once the server was reached and is prepared, until the connection is lost. */
  get available(): boolean {
    return this.#available;
  }

  /** Calls the listener at every change of availability. */
  onAvailability(listener: (available: boolean) => void): void {
    this.#listeners.add(listener);
  }

  /** Has this done when the server is reached first, before anything else is read or written there. */
  beforeUse(check: () => Promise<void>): void {
    this.#checks.push(check);
  }

  /** Registers a model; its schema's indexes are made when the server is reached. */
  model<T>(name: string, schema: Schema<T>): Model<T> {
    // A call while the server is away fails at once instead of waiting for it; indexes are made at one place.
    schema.set('bufferCommands', false).set('autoIndex', false).set('autoCreate', false);
    return this.connection.model<T>(name, schema, name);
  }

  /**
   * Connects and prepares the database, trying again until it is there or `close` is called.
   * @throws DatabaseRefused when the server has no transactions, or a check of `beforeUse` refuses it.
   */
  async start(): Promise<void> {
    await this.#untilDone(
      () => this.#connect(),
      (error) =>
        this.log.warn(
          { error: error.name, reason: whyUnreached(error) },
          'no database is reached at MONGODB_URI, trying again',
        ),
    );
    await this.#untilDone(
      () => this.#prepare(),
      // Its message may hold what is stored.
      ({ name, codeName }) =>
        this.log.error({ error: name, reason: codeName }, 'the database is not prepared, trying again'),
    );
  }

  async #untilDone(
    work: () => Promise<void>,
    tell: (error: Error & { codeName?: string }) => void,
  ): Promise<void> {
    while (!this.#closed) {
      try {
        await work();
        return;
      } catch (error) {
        if (error instanceof DatabaseRefused) throw error;
        if (!this.#closed) tell(error as Error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_CONNECT_MS));
      }
    }
  }

  async #connect(): Promise<void> {
    await this.connection.openUri(this.settings.uri, {
      ...databaseBeside(this.settings.uri),
      maxPoolSize: this.settings.poolSize,
      minPoolSize: Math.min(4, this.settings.poolSize),
      serverSelectionTimeoutMS: SELECTION_TIMEOUT_MS,
      connectTimeoutMS: SELECTION_TIMEOUT_MS,
      waitQueueTimeoutMS: this.settings.timeoutMs,
      socketTimeoutMS: this.settings.timeoutMs * 2,
      heartbeatFrequencyMS: 2000,
      // What is stored was checked when it came in; checking each text again at every read costs time.
      enableUtf8Validation: false,
      writeConcern: { w: 'majority' },
    });
  }

  async #prepare(): Promise<void> {
    const hello = await this.connection.db!.command({ hello: 1 });
    if (!hello['setName'] && hello['msg'] !== 'isdbgrid') {
      throw new DatabaseRefused(
        'The MongoDB server has no transactions. Start it as a replica set (mongod --replSet rs0, then rs.initiate()) and set MONGODB_URI to it.',
      );
    }
    for (const check of this.#checks) await check();
    await Promise.all(Object.values(this.connection.models).map((model) => model.createIndexes()));
    await this.#abandoned.start();
    this.#prepared = true;
    this.#announce(this.connection.readyState === mongoose.ConnectionStates.connected);
  }

  #announce(available: boolean): void {
    if (this.#available === available) return;
    this.#available = available;
    this.log.info({ available }, 'database availability changed');
    for (const listener of this.#listeners) listener(available);
  }

  /**
   * Runs the work in one transaction: all of its writes happen, or none. The work may run again after a
   * conflict, so it must have no effect outside the database.
   * @throws IdentityError ERROR_REQUEST_TIMEOUT when conflicts last beyond the deadline.
   */
  async transaction<T>(reach: Reach, work: (tx: Tx) => Promise<T>): Promise<T> {
    const session = await this.connection.startSession();
    try {
      await this.#abandoned.note(session, Math.max(1, reach.deadline - Date.now()));
      return await session.withTransaction(
        () => {
          if (Date.now() > reach.deadline) throw new IdentityError('ERROR_REQUEST_TIMEOUT');
          return work({ ...reach, session });
        },
        { writeConcern: { w: 'majority' } },
      );
    } finally {
      await session.endSession();
    }
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#abandoned.stop();
    await this.connection.close();
  }
}

/** A collection as the driver gives it: plain documents in and out, without mongoose's hydration. */
export type Records<T extends object> = mongoose.mongo.Collection<T>;

/** The plain collection under a model, for hot reads and single atomic updates. */
export function records<T extends object>(model: Model<T>): Records<T> {
  return model.collection as unknown as Records<T>;
}

/** What every database call takes along. */
export interface CallOptions {
  session?: ClientSession;
  maxTimeMS: number;
  /** The id of the request: a slow or stuck command in the database's own log leads back to the call. */
  comment?: string;
}

/**
 * The options of one database call: its transaction, the time it may take on the server, and whose it is.
 * @throws IdentityError ERROR_REQUEST_TIMEOUT when the time is over: the database is not bothered with it any more.
 */
export function options(reach: Reach): CallOptions {
  const maxTimeMS = reach.deadline - Date.now();
  if (maxTimeMS <= 0) throw new IdentityError('ERROR_REQUEST_TIMEOUT');
  const given: CallOptions = { maxTimeMS };
  if (reach.session) given.session = reach.session;
  if (reach.call) given.comment = reach.call.request_id;
  return given;
}

/** The error is a broken unique index. */
export function isDuplicateKey(error: unknown): boolean {
  return (error as { code?: unknown })?.code === 11000;
}

/** Name of the unique index that the error is about. */
export function brokenIndex(error: unknown): string {
  const [, name = ''] = / index: (\S+)/.exec(String((error as Error).message)) ?? [];
  return name;
}

/** Why a call cannot be answered while the database is away. */
export const DATABASE_AWAY = 'the database is not reached';

/** What the driver throws when a server is not reached, is lost, or no connection to it is free. */
const { MongoNetworkError, MongoServerSelectionError, MongoNotConnectedError, MongoTopologyClosedError } =
  mongoose.mongo;
const UNREACHED = [
  MongoNetworkError,
  MongoServerSelectionError,
  MongoNotConnectedError,
  MongoTopologyClosedError,
];
const UNREACHED_NAMES = new Set([
  'MongoWaitQueueTimeoutError',
  'MongoClientClosedError',
  'MongoExpiredSessionError',
  'MongooseServerSelectionError',
  'MongooseError',
]);
const TIMED_OUT = new Set([50, 262]);
const UNAVAILABLE_CODES = new Set([91, 189, 10107, 11600, 11602, 13435, 13436]);

/** A connection that broke at the moment of a write: the driver passes these errors of Node on as they are. */
const BROKEN = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']);

/** A write of several documents hides why it never reached the server: only the server gives a code. */
function isUnreachedBulk(error: unknown): boolean {
  if (!(error instanceof mongoose.mongo.MongoBulkWriteError)) return false;
  return error.code === undefined && [error.writeErrors].flat().length === 0;
}

/** Turns a driver's failure into what the caller is told; undefined when the error is no such failure. */
export function databaseError(error: unknown): IdentityError | undefined {
  const { name, code: given } = (error ?? {}) as { name?: string; code?: number | string };
  const code = typeof given === 'number' ? given : undefined;
  if (code !== undefined && TIMED_OUT.has(code))
    return new IdentityError('ERROR_REQUEST_TIMEOUT', {}, [], { cause: error });
  const unreached =
    UNREACHED.some((kind) => error instanceof kind) ||
    UNREACHED_NAMES.has(name ?? '') ||
    BROKEN.has(String(given)) ||
    isUnreachedBulk(error);
  if (unreached || (code !== undefined && UNAVAILABLE_CODES.has(code))) {
    return new IdentityError('ERROR_UNAVAILABLE', { reason: DATABASE_AWAY }, [], {
      cause: error,
    });
  }
  return undefined;
}
