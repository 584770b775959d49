import { randomBytes, randomUUID } from 'node:crypto';
import { databaseServer } from '../database.js';
import { Cipher } from '../../src/cipher.js';
import { readConfig } from '../../src/config.js';
import type { Tx } from '../../src/connectors/mongo.js';
import { Mongo } from '../../src/connectors/mongo.js';
import { Smtp } from '../../src/connectors/smtp.js';
import { MailDelivery } from '../../src/managers/mail-delivery.js';
import { MailRenderer } from '../../src/managers/mail-renderer.js';
import { Mails } from '../../src/managers/mail.js';
import { MailCounts } from '../../src/models/mail-count.js';
import { Outbox } from '../../src/models/outbox.js';
import { MovedClock } from '../harness.js';

/** A line that the service logged. */
export interface LogLine {
  level: 'info' | 'warn' | 'error';
  fields: object;
  message: string;
}

const serviceKey = randomBytes(32).toString('base64');

/** Address of a new, empty database on the store of the tests. */
export function newDatabase(): string {
  const uri = new URL(databaseServer());
  uri.pathname = `/mail-${randomUUID()}`;
  return uri.href;
}

/** The part of the service that mails, wired as the whole service wires it; several may share a database. */
export async function startMailSystem(
  database: string,
  smtpUrl: string,
  settings: Record<string, string> = {},
) {
  const config = readConfig({
    MONGODB_URI: database,
    SERVICE_KEY: serviceKey,
    SMTP_URL: smtpUrl,
    MAIL_FROM: 'Identity Tests <no-reply@mail.example.com>',
    ...settings,
  });
  const lines: LogLine[] = [];
  const to = (level: LogLine['level']) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  const log = { info: to('info'), warn: to('warn'), error: to('error') };
  const clock = new MovedClock();
  const mongo = new Mongo({ uri: config.MONGODB_URI, poolSize: 20, timeoutMs: 10_000 }, log);
  const outbox = new Outbox(mongo);
  const counts = new MailCounts(mongo);
  const cipher = new Cipher(config.SERVICE_KEY);
  const smtp = new Smtp(config.SMTP_URL, config.MAIL_BATCH);
  const delivery = new MailDelivery(outbox, cipher, new MailRenderer(config), smtp, config, clock, log);
  const mails = new Mails(outbox, counts, cipher, config, clock, delivery);
  await mongo.start();
  return {
    mails,
    delivery,
    mongo,
    clock,
    lines,
    /** Runs the work in a transaction of ten seconds at most. */
    transaction: <T>(work: (tx: Tx) => Promise<T>) =>
      mongo.transaction({ deadline: Date.now() + 10_000 }, work),
    /** All documents of a collection. */
    documents: (name: string) => mongo.connection.db!.collection(name).find().toArray(),
    stop: async () => {
      await delivery.stop();
      await mongo.close();
    },
  };
}

/** The part of the service that mails. */
export type MailSystem = Awaited<ReturnType<typeof startMailSystem>>;

/** A sign-in code for one user, valid for five minutes. */
export function aCode(to: string, user_id = to, code = '482913') {
  return {
    template: 'authentication_code' as const,
    to,
    language: 'en',
    user: { domain_id: 'domain-1', user_id },
    values: { code, expires_at: new Date(Date.now() + 300_000) },
  };
}
