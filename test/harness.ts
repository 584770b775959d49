import { randomBytes, randomUUID } from 'node:crypto';
import type { Metadata, ServiceError, status } from '@grpc/grpc-js';
import pino from 'pino';
import { startApp } from '../src/app.js';
import type { App } from '../src/app.js';
import type { Clock } from '../src/clock.js';
import { readConfig } from '../src/config.js';
import { databaseServer } from './database.js';
import { startSmtpSink } from './smtp-sink.js';
import type { SmtpSink } from './smtp-sink.js';
import { WireClient } from './wire-client.js';
import type { Call } from './wire-client.js';

/** A clock that a test moves ahead. */
export class MovedClock implements Clock {
  aheadMs = 0;

  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }

  /** Moves the clock by that many seconds. */
  advance(seconds: number): void {
    this.aheadMs += seconds * 1000;
  }
}

const SERVICE_KEY = randomBytes(32).toString('base64');

/** The whole service on a free port, over a database and a mailbox of its own. */
export interface Service {
  app: App;
  clock: MovedClock;
  sink: SmtpSink;
  /** host:port of the gRPC server. */
  address: string;
  databaseUri: string;
  /** The key that its secrets are sealed with. */
  serviceKey: Buffer;
  /** Everything that was logged, one JSON text a line. */
  logs: string[];
  /**
   * Calls a method of spaceone.api.identity.v2 over the wire, `call('UserProfile.get', {}, token)`; messages are JSON
   * with proto field names and without defaults, as on REST.
   */
  call: Call;
  /** Starts a second instance over the same database and mailbox. */
  another(settings?: Record<string, string>): Promise<Service>;
  close(): Promise<void>;
}

/** Starts the service; settings are the environment's, over defaults that make tests quick. */
export async function startService(settings: Record<string, string> = {}): Promise<Service> {
  const uri = new URL(databaseServer());
  uri.pathname = `/test-${randomUUID()}`;
  const sink = await startSmtpSink();
  return startInstance(uri.href, sink, new MovedClock(), settings, true);
}

async function startInstance(
  databaseUri: string,
  sink: SmtpSink,
  clock: MovedClock,
  settings: Record<string, string>,
  owner: boolean,
): Promise<Service> {
  const logs: string[] = [];
  const config = readConfig({
    GRPC_PORT: '0',
    MONGODB_URI: databaseUri,
    SERVICE_KEY,
    SMTP_URL: sink.url,
    BCRYPT_COST: '4',
    LOG_LEVEL: 'debug',
    ...settings,
  });
  const log = pino({ level: config.LOG_LEVEL }, { write: (line: string) => void logs.push(line) });
  const app = await startApp(config, clock, log);
  await app.ready;
  const address = `127.0.0.1:${app.port}`;
  const client = new WireClient(address);
  return {
    app,
    clock,
    sink,
    address,
    databaseUri,
    serviceKey: config.SERVICE_KEY,
    logs,
    call: (method, request, token, metadata) => client.call(method, request, token, metadata),
    another: (more = {}) => startInstance(databaseUri, sink, clock, { ...settings, ...more }, false),
    close: async () => {
      client.close();
      await app.close();
      if (owner) await sink.close();
    },
  };
}

/** What a refused call answers: status, reason, the text after the reason. */
export interface Refusal {
  code: status;
  reason: string;
  text: string;
  /** google.rpc.Status details as they came, for those who look closer. */
  metadata: Metadata;
}

/**
 * The refusal of a call.
 * @throws Error when the call was answered.
 */
export async function refusal(answer: Promise<unknown>): Promise<Refusal> {
  const outcome = await answer.then(
    (response: unknown) => ({ response }),
    (error: ServiceError) => error,
  );
  if ('response' in outcome) throw new Error(`the call was answered: ${JSON.stringify(outcome.response)}`);
  const { code, details, metadata } = outcome;
  const [, reason = '', text = details] = /^(ERROR_[A-Z0-9_]+): ([^]*)$/.exec(details) ?? [];
  return { code, reason, text, metadata };
}
