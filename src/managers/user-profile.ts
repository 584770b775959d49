import type { Mongo, Reach, Tx } from '../connectors/mongo.js';
import { IdentityError, requiredParameter } from '../errors.js';
import type { User } from '../models/user.js';
import type { AccountChanges } from './account-changes.js';
import { ofUser } from './audit.js';
import type { Audit } from './audit.js';
import type { Codes } from './codes.js';
import { moving } from './new-addresses.js';
import type { NewAddresses } from './new-addresses.js';
import type { ReadyPassword } from './new-passwords.js';
import type { Owner, OwnPasswords } from './own-passwords.js';
import type { Sessions } from './sessions.js';
import type { SignInGuard } from './sign-in-guard.js';
import { endingSessions, merged } from './user-changes.js';

/** What UserProfile.update may change. */
export interface ProfileChange {
  password?: string;
  name?: string;
  email?: string;
  language?: string;
  timezone?: string;
  tags?: Record<string, unknown>;
}

/** People managing their own account (contract/behaviour.md 2). */
export class UserProfiles {
  constructor(
    private readonly mongo: Mongo,
    private readonly changes: AccountChanges,
    private readonly passwords: OwnPasswords,
    private readonly addresses: NewAddresses,
    private readonly codes: Codes,
    private readonly guard: SignInGuard,
    private readonly sessions: Sessions,
    private readonly audit: Audit,
  ) {}

  /**
   * Changes the given fields. A new address is unproven until confirm_email (D-06); a password needs a pending
   * UPDATE_PASSWORD or a recent sign-in.
   * @throws IdentityError ERROR_REQUIRED_PARAMETER(current_password), or a broken password rule.
   */
  async update(reach: Reach, owner: Owner, change: ProfileChange): Promise<User> {
    const { account } = owner;
    const { password, email, ...plain } = change;
    const secret =
      password === undefined
        ? undefined
        : await this.passwords.recent(reach, owner, { password, field: 'password' });
    const moved = email !== undefined && email !== account.email;
    const fields = Object.keys(plain);
    if (!secret && !moved && fields.length === 0) return account;
    const kept = secret ? undefined : owner.session;
    const parts = [{ $set: plain }, moved ? moving(account, email, kept) : {}, secret?.change ?? {}];
    return this.#write(reach, account, async (tx) => {
      const after = await this.changes.byOwner(tx, account, merged(...parts));
      if (moved) await this.addresses.settle(tx, account, email);
      await this.audit.record(
        tx,
        ...(fields.length > 0 ? [ofUser('user.update', account, { detail: { fields } })] : []),
        ...(moved ? [ofUser('email.change', account)] : []),
        ...(secret ? [await secret.settle(tx)] : []),
      );
      return after;
    });
  }

  /**
   * Sets a new password; all tokens of before are dead afterwards (D-13).
   * @throws IdentityError in the order of contract/behaviour.md 2.2; ERROR_LOGIN_BLOCKED after too many guesses.
   */
  async updatePassword(
    reach: Reach,
    owner: Owner & { peer: string },
    password: string,
    currentPassword: string | undefined,
  ): Promise<User> {
    const proof = { peer: owner.peer, currentPassword };
    const chosen = { password, field: 'new_password' };
    return this.#replace(reach, owner, await this.passwords.demanded(reach, owner, chosen, proof));
  }

  /**
   * Like `updatePassword`, for OpenStack Identity: the current password is asked for whatever is pending, and a wrong
   * one fails as a sign-in does.
   * @throws IdentityError ERROR_AUTHENTICATION_FAILURE, ERROR_LOGIN_BLOCKED, a broken password rule.
   */
  async changePassword(
    reach: Reach,
    owner: Owner & { peer: string },
    password: string,
    currentPassword: string,
  ): Promise<User> {
    const { user_id, username } = owner.account;
    const chosen = { password, field: 'password', names: [user_id, username] };
    const proof = { peer: owner.peer, currentPassword };
    const secret = await this.passwords.proven(reach, owner, chosen, proof).catch(asFailedSignIn);
    return this.#replace(reach, owner, secret);
  }

  #replace(reach: Reach, { account }: Owner, secret: ReadyPassword): Promise<User> {
    return this.#write(reach, account, async (tx) => {
      const after = await this.changes.byOwner(tx, account, secret.change);
      await this.audit.record(tx, await secret.settle(tx));
      return after;
    });
  }

  /**
   * Mails a code to the given address, else to the stored one. Nothing changes before the code comes back (D-06).
   * @throws IdentityError ERROR_REQUIRED_PARAMETER(email) without any address (D-43), ERROR_TOO_MANY_REQUESTS.
   */
  async verifyEmail(reach: Reach, account: User, email: string | undefined): Promise<void> {
    const to = email ?? account.email;
    if (!to) throw requiredParameter('email');
    await this.codes.send(reach, account, to, { purpose: 'VERIFY_EMAIL' });
  }

  /**
   * Stores the address that the newest code was mailed to, as proven. A new address ends other sessions and is told
   * to the old one.
   * @throws IdentityError ERROR_INVALID_VERIFY_CODE.
   */
  async confirmEmail(reach: Reach, owner: Owner & { peer: string }, code: string): Promise<User> {
    const { domain_id, user_id } = owner.account;
    const who = { domain_id, user_id, peer: owner.peer };
    const purpose = 'VERIFY_EMAIL';
    const ready = () => this.codes.assertAwaited(reach, owner.account, purpose, code);
    const about = { action: 'code.confirm', detail: { purpose }, ready } as const;
    return this.guard.proof(reach, who, about, () => this.#confirmEmail(reach, owner, code));
  }

  async #confirmEmail(reach: Reach, owner: Owner, code: string): Promise<User> {
    const { account } = owner;
    const entry = await this.codes.guess(reach, account, 'VERIFY_EMAIL', code);
    this.codes.check(entry, code);
    const email = entry.address!;
    const moved = email !== account.email;
    return this.#write(reach, account, async (tx) => {
      await this.codes.consume(tx, entry, code);
      const proven = { $set: { email, email_verified: true }, $unset: { proven_email: '' } } as const;
      const change = moved ? merged(proven, endingSessions(owner.session)) : proven;
      const after = await this.changes.byOwner(tx, account, change);
      if (moved) await this.addresses.tellOld(tx, account, email);
      const changed = moved ? [ofUser('email.change', account)] : [];
      await this.audit.record(tx, ...changed, ofUser('email.verify', account));
      return after;
    });
  }

  async #write(reach: Reach, account: User, work: (tx: Tx) => Promise<User>): Promise<User> {
    const after = await this.mongo.transaction(reach, work);
    this.sessions.forget(account);
    return after;
  }
}

function asFailedSignIn(error: unknown): never {
  const wrong = error instanceof IdentityError && error.reason === 'ERROR_PASSWORD_NOT_MATCHED';
  throw wrong ? new IdentityError('ERROR_AUTHENTICATION_FAILURE', error.params) : error;
}
