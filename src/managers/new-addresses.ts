import type { Clock } from '../clock.js';
import type { Tx } from '../connectors/mongo.js';
import type { User, UserChange } from '../models/user.js';
import type { Codes } from './codes.js';
import { NO_ADDRESS } from './mail-values.js';
import type { Mails } from './mail.js';
import { provenAddress, unproven } from './proven-address.js';
import { endingSessions, merged } from './user-changes.js';

/** How the e-mail address of an account is replaced, whoever replaces it. */
export class NewAddresses {
  constructor(
    private readonly codes: Codes,
    private readonly mails: Mails,
    private readonly clock: Clock,
  ) {}

  /** What goes with the change to an address that is not proven yet, in its transaction. */
  async settle(tx: Tx, before: User, email: string): Promise<void> {
    await this.tellOld(tx, before, email);
    // A code for the address of before would put that one back.
    await this.codes.drop(tx, before, 'VERIFY_EMAIL');
  }

  /** Tells the owner of another address, at the one that is proven. */
  async tellOld(tx: Tx, before: User, email: string): Promise<void> {
    const to = provenAddress(before);
    if (!to) return;
    const { language, timezone } = before;
    const values = { changed_at: this.clock.now(), timezone, new_email: email || NO_ADDRESS };
    await this.mails.put(tx, { template: 'email_changed', to, language, values, user: before });
  }
}

/**
 * The change to another address, or to none: it is unproven until confirm_email, the proven one stays in force (D-06),
 * and every session ends but for the one that is named.
 */
export function moving(user: User, email: string, kept?: string): UserChange {
  return merged({ $set: unproven(user, email) }, endingSessions(kept));
}
