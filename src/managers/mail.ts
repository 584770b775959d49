import { randomUUID } from 'node:crypto';
import type { Cipher } from '../cipher.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import type { Tx } from '../connectors/mongo.js';
import { isEmailAddress, mailboxKey } from '../email-address.js';
import { IdentityError } from '../errors.js';
import type { MailCounts } from '../models/mail-count.js';
import type { Outbox } from '../models/outbox.js';
import type { UserKey } from '../models/user.js';
import type { MailTemplate } from '../templates/mail-texts.js';
import type { MailDelivery } from './mail-delivery.js';
import { consoleLink, signInLink } from './mail-links.js';
import type { MailLimit, MailPayload, MailValues } from './mail-values.js';
import { mailContext, mailShapes, storedValues } from './mail-values.js';

/** A mail that a manager asks for. */
export interface MailRequest<T extends MailTemplate> {
  template: T;
  /** One address; for a notice the one that was valid before the change. */
  to: string;
  /** The user's language; the mail takes the nearest one there is. */
  language: string;
  user: UserKey;
  values: MailValues[T];
  /** Over the limit, answer false instead of an error: for calls that must not tell (D-07). */
  silent?: boolean;
  /** The user has proven that the address is theirs: nobody else's mails count against this one. */
  proven?: boolean;
}

const HOUR_SECONDS = 3600;

/**
 * Mails that an address takes of all users together, in limits of one user. For codes it is more than one, so that
 * a stranger cannot use up what others need; for invitations just one, because who invites may do so under many
 * user ids. Codes for signing in and resets go to proven addresses alone: the limit of the user bounds them.
 */
const ADDRESS_SHARE: Partial<Record<MailLimit, number>> = { code: 5, invitation: 1 };

/** Mails asked for by the managers: checked, limited, and queued in the caller's transaction (D-22). */
export class Mails {
  constructor(
    private readonly outbox: Outbox,
    private readonly counts: MailCounts,
    private readonly cipher: Cipher,
    private readonly settings: Pick<Config, 'MAIL_LIMIT_PER_HOUR' | 'CONSOLE_URL'>,
    private readonly clock: Clock,
    private readonly delivery: Pick<MailDelivery, 'wake'>,
  ) {}

  /** The console's address for a domain. */
  consoleLink(domainName: string): string {
    return consoleLink(this.settings.CONSOLE_URL, domainName);
  }

  /** The console's address that signs in with a token. */
  signInLink(domainName: string, token: string): string {
    return signInLink(this.settings.CONSOLE_URL, domainName, token);
  }

  /**
   * Queues a mail; it goes out when the transaction is committed and never when it is not. False when
   * `silent` is set and the limit is reached, or a notice has no address that it could go to.
   *
   * The limit (D-08): mails of one kind in an hour, to each user as set; to an address that the user has not proven
   * also what `ADDRESS_SHARE` allows for all users together. So one user fills no mailbox and blocks nobody, many
   * together fill none without end, and no stranger can keep somebody from codes to a proven address.
   * @throws IdentityError ERROR_TOO_MANY_REQUESTS over the limit; ERROR_INCORRECT_EMAIL_FORMAT when `to` is not one plain address (D-21).
   */
  async put<T extends MailTemplate>(tx: Tx, mail: MailRequest<T>): Promise<boolean> {
    const isNotice = mailShapes[mail.template].limit === undefined;
    if (!isEmailAddress(mail.to)) {
      // The change that a notice tells of must not fail for an old address that nobody can mail to.
      if (isNotice) return false;
      throw new IdentityError('ERROR_INCORRECT_EMAIL_FORMAT', { rule: 'one address, as name@domain' });
    }
    const values = storedValues(mail.template, mail.values);
    const now = this.clock.now();
    if (!(await this.#withinLimit(tx, mail, now))) {
      if (mail.silent) return false;
      throw new IdentityError('ERROR_TOO_MANY_REQUESTS', { reason: 'mails to this user or address' });
    }
    const _id = randomUUID();
    const { to, language, user } = mail;
    const payload: MailPayload = { to, language, user_id: user.user_id, values };
    await this.outbox.put(tx, {
      _id,
      template: mail.template,
      domain_id: user.domain_id,
      payload: this.cipher.seal(JSON.stringify(payload), mailContext(_id)),
      expires_at: values['expires_at'] ? new Date(values['expires_at']) : undefined,
      created_at: now,
    });
    // Without this the mail would wait for the next poll.
    tx.session.once('ended', () => this.wake());
    return true;
  }

  /** Sends now what is queued; `put` sees to it by itself when its transaction has ended. */
  wake(): void {
    this.delivery.wake();
  }

  /**
   * Whether this is the first refusal over the limit in an hour, of that user for that purpose; of many at once one is.
   * The others are not worth a record: whoever is refused can ask without end.
   */
  isFirstRefusal(tx: Tx, { domain_id, user_id }: UserKey, purpose: string): Promise<boolean> {
    const key = this.cipher.mac(`mail-refusal:${purpose}`, JSON.stringify([domain_id, user_id]));
    return this.counts.count(tx, new Map([[key, 1]]), HOUR_SECONDS, this.clock.now());
  }

  async #withinLimit(tx: Tx, mail: MailRequest<MailTemplate>, now: Date): Promise<boolean> {
    const kind = mailShapes[mail.template].limit;
    if (!kind) return true;
    const { domain_id, user_id } = mail.user;
    const limit = this.settings.MAIL_LIMIT_PER_HOUR;
    const user = this.cipher.mac(`mail-count:${kind}:user`, JSON.stringify([domain_id, user_id]));
    const limits = new Map([[user, limit]]);
    const share = ADDRESS_SHARE[kind];
    if (share !== undefined && !mail.proven)
      limits.set(this.cipher.mac(`mail-count:${kind}:address`, mailboxKey(mail.to)), share * limit);
    return this.counts.count(tx, limits, HOUR_SECONDS, now);
  }
}
