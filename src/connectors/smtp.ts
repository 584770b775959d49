import { createTransport } from 'nodemailer';
import type { Mailbox } from '../email-address.js';

/** A mail ready to go out: one sender, one recipient. */
export interface OutgoingMail {
  /** Stable for one mail, so that a copy sent twice can be recognised. Without angle brackets. */
  message_id: string;
  from: Mailbox;
  to: string;
  subject: string;
  html: string;
  text: string;
  language: string;
}

/**
 * Why a mail did not go out. `server`: the server is not reached, broke off or refuses us. `deferred`: it
 * refuses this mail for now. `refused`: it refuses this mail for good.
 */
export type SmtpFault = 'server' | 'deferred' | 'refused';

/** A mail did not go out; `detail` holds no address, code or link and may be logged. */
export class SmtpError extends Error {
  constructor(
    readonly fault: SmtpFault,
    readonly detail: Record<string, string | number>,
    options?: ErrorOptions,
  ) {
    super(`SMTP ${fault}`, options);
  }
}

const CONNECTION_TIMEOUT_MS = 10_000;
const GREETING_TIMEOUT_MS = 30_000;
const SOCKET_TIMEOUT_MS = 60_000;
const IDLE_MS = 30_000;
const MAILS_PER_CONNECTION = 100;
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * The mail server, behind a pool of connections that is made when the first mail goes out (D-35). TLS: from
 * the start with `smtps://`; else STARTTLS when the server offers it, and required before a password is sent
 * to another machine. The query of the address may set more options of nodemailer, for example
 * `?requireTLS=true` or `?tls.rejectUnauthorized=false`.
 */
export class Smtp {
  readonly #url: string;
  readonly #connections: number;
  #transport: ReturnType<Smtp['connect']> | undefined;

  constructor(url: string, connections: number) {
    this.#url = url;
    this.#connections = connections;
  }

  /**
   * Hands one mail to the server.
   * @throws SmtpError when the server did not take it.
   */
  async send(mail: OutgoingMail, signal: AbortSignal): Promise<void> {
    this.#transport ??= this.connect();
    try {
      await this.#transport.sendMail({
        messageId: `<${mail.message_id}>`,
        from: mail.from,
        to: { name: '', address: mail.to },
        envelope: { from: mail.from.address, to: [mail.to] },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        headers: {
          'Auto-Submitted': 'auto-generated',
          'X-Auto-Response-Suppress': 'All',
          'Content-Language': mail.language,
        },
        signal,
      });
    } catch (error) {
      throw smtpError(error as SmtpReply);
    }
  }

  /** Closes the connections at once, also those that are in use. */
  close(): void {
    this.#transport?.close({ force: true });
    this.#transport = undefined;
  }

  private connect() {
    const { hostname, username } = new URL(this.#url);
    const local = LOOPBACK.test(hostname);
    return createTransport({
      pool: true,
      requireTLS: username !== '' && !local,
      // Nobody can stand between us and this machine, whose mail catchers sign their own certificates.
      tls: { rejectUnauthorized: !local },
      url: this.#url,
      maxConnections: this.#connections,
      maxMessages: MAILS_PER_CONNECTION,
      // One: a pooled connection may have been closed by the server while it was idle.
      maxRequeues: 1,
      idleTimeout: IDLE_MS,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      greetingTimeout: GREETING_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }
}

/** What nodemailer tells about a failure. */
interface SmtpReply extends Error {
  code?: string;
  command?: string;
  responseCode?: number;
  response?: string;
}

function smtpError(error: SmtpReply): SmtpError {
  const { code = error.name, command = '', responseCode, response } = error;
  const detail: Record<string, string | number> = { code, command };
  if (responseCode === undefined) {
    // Without a reply of the server, the text names at most the server.
    return new SmtpError(faultOf(error), { ...detail, error: error.message }, { cause: error });
  }
  const status = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response ?? '')?.[1];
  if (status) detail['status'] = status;
  return new SmtpError(faultOf(error), { ...detail, reply: responseCode }, { cause: error });
}

function faultOf({ code, command, responseCode = 0 }: SmtpReply): SmtpFault {
  const aboutMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  if (!aboutMail || responseCode === 421) return 'server';
  if (command === 'API') return 'refused';
  // 503 is about the order of commands, and a refused sender is for the operator to correct.
  const permanent = responseCode >= 500 && responseCode !== 503 && command !== 'MAIL FROM';
  return permanent ? 'refused' : 'deferred';
}
