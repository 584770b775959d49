import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cipher } from '../cipher.js';
import type { Clock } from '../clock.js';
import { secondsAfter } from '../clock.js';
import type { Config } from '../config.js';
import type { Log, Reach } from '../connectors/mongo.js';
import { databaseError } from '../connectors/mongo.js';
import type { Smtp } from '../connectors/smtp.js';
import { SmtpError } from '../connectors/smtp.js';
import type { Outbox, OutboxMail } from '../models/outbox.js';
import type { MailTemplate } from '../templates/mail-texts.js';
import type { MailRenderer } from './mail-renderer.js';
import { GIVE_UP_AFTER_MS, retryDelay, ServerPause } from './mail-retry.js';
import type { MailPayload } from './mail-values.js';
import { mailContext } from './mail-values.js';

/** Other instances' mails, and mails to be tried again, are looked for this often (plus up to the same). */
const POLL_MS = 1000;
const LEASE_SECONDS = 15;
const RENEW_MS = (LEASE_SECONDS * 1000) / 3;
const SEND_TIMEOUT_MS = 120_000;
const DATABASE_MS = 5000;
const SETTLE_RETRY_MS = 500;
const STOP_GRACE_MS = 5000;
const KEEP_SECONDS = 24 * 3600;
/** Due mails are looked up for this many rounds at once, since the look-up reads all that are due. */
const ROUNDS_PER_LOOKUP = 5;

type Outcome = 'SENT' | 'FAILED' | 'EXPIRED' | { tryAgainAt: Date };

/**
 * Sends queued mails, together with the other instances on the same database: a mail belongs to the instance
 * that claimed it as long as that renews its lease. Nothing here fails or delays a call.
 */
export class MailDelivery {
  readonly #instance = randomUUID();
  readonly #running = new Map<string, { abort: AbortController; done: Promise<void> }>();
  readonly #pause = new ServerPause();
  #due: string[] = [];
  #looking = false;
  #lookAgain = false;
  #stopped = true;
  #pollTimer: NodeJS.Timeout | undefined;
  #renewTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly outbox: Outbox,
    private readonly cipher: Cipher,
    private readonly renderer: MailRenderer,
    private readonly smtp: Smtp,
    private readonly settings: Pick<Config, 'MAIL_FROM' | 'MAIL_BATCH'>,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Begins to look for mails. */
  start(): void {
    this.#stopped = false;
    this.#renewTimer = setInterval(() => void this.#renew(), RENEW_MS).unref();
    this.#poll();
  }

  /** Looks for mails now. */
  wake(): void {
    void this.#look();
  }

  /** Takes no more mails and waits that long for those under way; the rest is sent after the next start. */
  async stop(graceMs = STOP_GRACE_MS): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#pollTimer);
    const sends = [...this.#running.values()];
    const timer = setTimeout(() => sends.forEach(({ abort }) => abort.abort()), graceMs);
    await Promise.all(sends.map(({ done }) => done));
    clearTimeout(timer);
    clearInterval(this.#renewTimer);
    this.smtp.close();
  }

  #poll(): void {
    this.wake();
    this.#pollTimer = setTimeout(() => this.#poll(), POLL_MS * (1 + Math.random())).unref();
  }

  async #look(): Promise<void> {
    this.#lookAgain = true;
    if (this.#looking) return;
    this.#looking = true;
    try {
      while (this.#lookAgain && !this.#stopped) {
        this.#lookAgain = false;
        await this.#sendDue();
      }
    } catch (error) {
      // A database that is away is told by its own connector, and the next look comes soon.
      if (!databaseError(error)) this.log.error(described(error), 'mails could not be looked up');
    } finally {
      this.#looking = false;
    }
  }

  async #sendDue(): Promise<void> {
    const { MAIL_BATCH } = this.settings;
    const free = () => this.#pause.allowed(MAIL_BATCH, Date.now()) - this.#running.size;
    for (let room = free(); room > 0 && !this.#stopped; room = free()) {
      if (this.#due.length === 0) {
        const found = await this.outbox.due(reach(), this.clock.now(), MAIL_BATCH * ROUNDS_PER_LOOKUP);
        this.#due = found.filter((id) => !this.#running.has(id));
        if (this.#due.length === 0) return;
      }
      const claims = this.#due.splice(0, room).map((id) => this.#claim(id));
      for (const mail of await Promise.all(claims)) if (mail) this.#begin(mail);
    }
  }

  #claim(id: string): Promise<OutboxMail | undefined> {
    const now = this.clock.now();
    return this.outbox.claim(reach(), id, now, this.#instance, secondsAfter(now, LEASE_SECONDS));
  }

  #begin(mail: OutboxMail): void {
    const abort = new AbortController();
    const done = this.#deliver(mail, abort).finally(() => {
      this.#running.delete(mail._id);
      this.wake();
    });
    this.#running.set(mail._id, { abort, done });
  }

  async #deliver(mail: OutboxMail, abort: AbortController): Promise<void> {
    const timer = setTimeout(() => abort.abort(), SEND_TIMEOUT_MS);
    const outcome = await this.#attempt(mail, abort.signal);
    clearTimeout(timer);
    await this.#settle(mail, outcome);
  }

  async #attempt(mail: OutboxMail, signal: AbortSignal): Promise<Outcome> {
    const now = this.clock.now();
    if (mail.expires_at && mail.expires_at <= now) return this.#told(mail, 'EXPIRED', {});
    try {
      const { to, ...content } = JSON.parse(
        this.cipher.open(mail.payload ?? '', mailContext(mail._id)),
      ) as MailPayload;
      const rendered = this.renderer.render({ ...content, template: mail.template as MailTemplate }, now);
      const message_id = `${mail._id}@${this.settings.MAIL_FROM.address.split('@').at(-1)}`;
      await this.smtp.send({ ...rendered, message_id, from: this.settings.MAIL_FROM, to }, signal);
      this.#pause.answered();
      return this.#told(mail, 'SENT', {});
    } catch (error) {
      return this.#failed(mail, error, now);
    }
  }

  #failed(mail: OutboxMail, error: unknown, now: Date): Outcome {
    if (!(error instanceof SmtpError)) return this.#told(mail, 'FAILED', described(error));
    if (error.fault === 'server') {
      setTimeout(() => this.wake(), this.#pause.failed(Date.now()) + 1).unref();
    } else {
      this.#pause.answered();
    }
    const age = now.getTime() - mail.created_at.getTime();
    if (error.fault === 'refused' || age > GIVE_UP_AFTER_MS) return this.#told(mail, 'FAILED', error.detail);
    const tryAgainAt = new Date(this.clock.now().getTime() + retryDelay(mail.attempts, age));
    this.log.warn({ ...this.#named(mail), ...error.detail, tryAgainAt }, 'mail postponed');
    return { tryAgainAt };
  }

  #told(mail: OutboxMail, outcome: Exclude<Outcome, object>, detail: object): Outcome {
    const fields = { ...this.#named(mail), ...detail };
    if (outcome === 'SENT') this.log.info(fields, 'mail sent');
    else if (outcome === 'EXPIRED') this.log.warn(fields, 'mail not sent: it came too late');
    else this.log.error(fields, 'mail given up');
    return outcome;
  }

  #named({ _id, template, attempts }: OutboxMail): object {
    return { mail_id: _id, template, attempts };
  }

  /** Writes the outcome down; again and again while the database is away, since a sent mail must not go out twice. */
  async #settle(mail: OutboxMail, outcome: Outcome): Promise<void> {
    for (;;) {
      try {
        if (typeof outcome === 'object') {
          await this.outbox.postpone(reach(), mail._id, this.#instance, outcome.tryAgainAt);
        } else {
          const purgeAt = secondsAfter(this.clock.now(), KEEP_SECONDS);
          await this.outbox.finish(reach(), mail._id, outcome, purgeAt);
        }
        return;
      } catch (error) {
        if (!databaseError(error)) this.log.error(described(error), 'outcome of a mail could not be kept');
        if (this.#stopped) return;
        await sleep(SETTLE_RETRY_MS);
      }
    }
  }

  async #renew(): Promise<void> {
    if (this.#running.size === 0) return;
    const until = secondsAfter(this.clock.now(), LEASE_SECONDS);
    try {
      await this.outbox.renew(reach(), [...this.#running.keys()], this.#instance, until);
    } catch (error) {
      if (!databaseError(error)) this.log.error(described(error), 'leases of mails could not be renewed');
    }
  }
}

function reach(): Reach {
  return { deadline: Date.now() + DATABASE_MS };
}

function described(error: unknown): object {
  const { name, message } = error as Error;
  return { error: name, detail: message };
}
