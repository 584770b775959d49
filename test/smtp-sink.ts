import type { AddressInfo } from 'node:net';
import type { AddressObject, ParsedMail } from 'mailparser';
import { simpleParser } from 'mailparser';
import type { SMTPServerDataStream } from 'smtp-server';
import { SMTPServer } from 'smtp-server';

/** A mail as the sink received it. */
export interface ReceivedMail {
  /** Recipients of the envelope. */
  to: string[];
  /** The To header, as it was written. */
  toHeader: string;
  from: string;
  subject: string;
  html: string;
  text: string;
  messageId: string;
  /** It came over TLS. */
  secure: boolean;
  headers: ParsedMail['headers'];
}

type Match = string | ((mail: ReceivedMail) => boolean);

interface Refusal {
  code: number;
  /** Only this recipient; everybody when absent. */
  to?: string;
  /** Refuse after the message instead of at the recipient. */
  atData?: boolean;
}

/** Starts a mail server on a free port of this machine, with STARTTLS (own certificate) if asked for. */
export async function startSmtpSink(options: { startTls?: boolean } = {}): Promise<SmtpSink> {
  const sink = new SmtpSink(options.startTls ?? false);
  await sink.up();
  return sink;
}

/** A mail server for tests: keeps what it gets, and can misbehave. */
export class SmtpSink {
  /** Every mail taken, in the order of arrival. */
  readonly mails: ReceivedMail[] = [];
  /** Connections opened since the start. */
  connections = 0;
  #server: SMTPServer | undefined;
  #port = 0;
  #handedOut = new Set<ReceivedMail>();
  #waiting = new Set<() => void>();
  #refusal: Refusal | undefined;
  #greetingDelayMs = 0;
  #dropAfterData = false;

  constructor(private readonly startTls: boolean) {}

  /** For the setting SMTP_URL. */
  get url(): string {
    return `smtp://127.0.0.1:${this.#port}`;
  }

  /** Answers recipients or messages with this code, until called with nothing. */
  refuse(refusal?: Refusal): void {
    this.#refusal = refusal;
  }

  /** Lets new connections wait that long for the greeting. */
  greetAfter(milliseconds: number): void {
    this.#greetingDelayMs = milliseconds;
  }

  /** Closes connections after a message was sent, without an answer. */
  dropAfterData(drop: boolean): void {
    this.#dropAfterData = drop;
  }

  /** Listens again, on the same port. */
  async up(): Promise<void> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: this.startTls ? [] : ['STARTTLS'],
      disableReverseLookup: true,
      closeTimeout: 50,
      logger: false,
      onConnect: (_session, callback) => {
        this.connections += 1;
        setTimeout(callback, this.#greetingDelayMs);
      },
      onRcptTo: ({ address }, _session, callback) => callback(this.#refused(address, false)),
      onData: (stream, session, callback) => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        this.#take(stream, to, session.secure).then(callback, callback);
      },
    });
    // Broken connections are what these tests are about.
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Closes the port and every connection; `up` opens the same port again. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Stops for good. */
  async close(): Promise<void> {
    await this.down();
  }

  /**
   * The first mail that matches and was not handed out before, waiting for it if need be.
   * @throws Error when none comes in time; names what came instead.
   */
  async waitFor(match: Match, timeoutMs = 10_000): Promise<ReceivedMail> {
    const fits = typeof match === 'string' ? (mail: ReceivedMail) => mail.to.includes(match) : match;
    const find = () => this.mails.find((mail) => !this.#handedOut.has(mail) && fits(mail));
    const deadline = Date.now() + timeoutMs;
    for (let found = find(); ; found = find()) {
      if (found) {
        this.#handedOut.add(found);
        return found;
      }
      if (Date.now() >= deadline) {
        const came = this.mails.map(({ to, subject }) => `${to.join()} ${subject}`).join('; ');
        throw new Error(`no such mail within ${timeoutMs} ms; came: ${came || 'nothing'}`);
      }
      await this.#nextMail(deadline - Date.now());
    }
  }

  #nextMail(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.#waiting.add(done);
    });
  }

  async #take(stream: SMTPServerDataStream, to: string[], secure: boolean): Promise<Error | null> {
    const parsed = await simpleParser(stream);
    if (this.#dropAfterData) {
      for (const connection of this.#server?.connections ?? []) connection.close();
      return null;
    }
    const refused = this.#refused(to[0] ?? '', true);
    if (refused) return refused;
    this.mails.push({
      to,
      toHeader: (parsed.to as AddressObject | undefined)?.text ?? '',
      from: parsed.from?.text ?? '',
      subject: parsed.subject ?? '',
      html: parsed.html || '',
      text: parsed.text ?? '',
      messageId: parsed.messageId ?? '',
      secure,
      headers: parsed.headers,
    });
    for (const wake of [...this.#waiting]) wake();
    return null;
  }

  #refused(to: string, atData: boolean): Error | null {
    const refusal = this.#refusal;
    if (!refusal || (refusal.atData ?? false) !== atData || (refusal.to ?? to) !== to) return null;
    const reason = `${refusal.code < 500 ? '4.3.0 try <' : '5.1.1 no <'}${to}>`;
    return Object.assign(new Error(reason), { responseCode: refusal.code });
  }
}
