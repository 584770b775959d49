import type { Clock } from '../clock.js';
import { secondsAfter } from '../clock.js';
import type { Mongo, Reach, Tx } from '../connectors/mongo.js';
import { IdentityError, authenticateFailure, requiredParameter } from '../errors.js';
import type { PasswordLinks } from '../models/password-link.js';
import type { User, UserChange, Users } from '../models/user.js';
import { userNotFound } from '../models/user.js';
import { checkPasswordFormat, checkPasswordIsNoName } from '../password.js';
import { ofUser } from './audit.js';
import type { Audit, AuditEntry } from './audit.js';
import type { Codes } from './codes.js';
import { assertKeptHere } from './new-passwords.js';
import type { NewPasswords } from './new-passwords.js';
import { moving } from './new-addresses.js';
import type { NewAddresses } from './new-addresses.js';
import type { Caller, Sessions } from './sessions.js';
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

/** What allows to set a password. */
type PasswordWay = 'CURRENT_PASSWORD' | 'RECENT_SIGN_IN' | 'REQUIRED_ACTION' | 'LINK';

/** A caller of UserProfile and the account that is theirs. */
export type Owner = Caller & { account: User };

/** People managing their own account (contract/behaviour.md 2). */
export class UserProfiles {
  constructor(
    private readonly mongo: Mongo,
    private readonly users: Users,
    private readonly links: PasswordLinks,
    private readonly newPasswords: NewPasswords,
    private readonly addresses: NewAddresses,
    private readonly codes: Codes,
    private readonly guard: SignInGuard,
    private readonly sessions: Sessions,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly settings: { recentSeconds: number },
  ) {}

  /**
   * Changes the given fields. A new address is unproven until confirm_email (D-06); a password needs a pending
   * UPDATE_PASSWORD or a recent sign-in (upstream-defects.md 5, row 2).
   * @throws IdentityError ERROR_REQUIRED_PARAMETER(current_password), or a broken password rule.
   */
  async update(reach: Reach, owner: Owner, change: ProfileChange): Promise<User> {
    const { account } = owner;
    const { password, email, ...plain } = change;
    if (password !== undefined) this.#assertMaySetPassword(owner);
    const moved = email !== undefined && email !== account.email;
    if (password !== undefined) checkPasswordFormat(password, 'password');
    const secret =
      password === undefined
        ? undefined
        : await this.newPasswords.change(reach, account, { password, field: 'password' });
    const fields = Object.keys(plain);
    if (!secret && !moved && fields.length === 0) return account;
    const kept = secret ? undefined : owner.session;
    const set = { $set: plain };
    return this.#write(reach, account, async (tx) => {
      const parts = [set, moved ? moving(account, email, kept) : {}, secret ?? {}];
      const after = await this.#change(tx, account, merged(...parts));
      if (moved) await this.addresses.settle(tx, account, email);
      if (secret) await this.#afterPassword(tx, account, owner);
      await this.audit.record(
        tx,
        ...(fields.length > 0 ? [ofUser('user.update', account, { detail: { fields } })] : []),
        ...(moved ? [ofUser('email.change', account)] : []),
        ...(secret ? [passwordChanged(account, wayOf(owner) ?? 'RECENT_SIGN_IN')] : []),
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
    newPassword: string,
    currentPassword: string | undefined,
  ): Promise<User> {
    const { account } = owner;
    assertKeptHere(account, 'new_password');
    const pending = [...account.required_actions, ...owner.required_actions].includes('UPDATE_PASSWORD');
    if (!pending && !currentPassword) throw requiredParameter('current_password');
    checkPasswordFormat(newPassword, 'new_password');
    if (!pending) await this.#checkCurrent(reach, owner, currentPassword!);
    const secret = await this.newPasswords.change(reach, account, {
      password: newPassword,
      field: 'new_password',
      current: pending ? undefined : currentPassword,
    });
    return this.#replacePassword(reach, owner, secret, (pending && wayOf(owner)) || 'CURRENT_PASSWORD');
  }

  /**
   * Like `updatePassword`, for OpenStack Identity: the current password is asked for whatever is pending, and a wrong
   * one fails as a sign-in does.
   * @throws IdentityError ERROR_AUTHENTICATION_FAILURE, ERROR_LOGIN_BLOCKED, a broken password rule.
   */
  async changePassword(
    reach: Reach,
    owner: Owner & { peer: string },
    newPassword: string,
    currentPassword: string,
  ): Promise<User> {
    const { account } = owner;
    const field = 'password';
    assertKeptHere(account, field);
    checkPasswordFormat(newPassword, field);
    checkPasswordIsNoName(newPassword, [account.user_id, account.username], field);
    await this.#checkCurrent(reach, owner, currentPassword).catch(asFailedSignIn);
    const secret = await this.newPasswords.change(reach, account, {
      password: newPassword,
      field,
      current: currentPassword,
    });
    return this.#replacePassword(reach, owner, secret, 'CURRENT_PASSWORD');
  }

  #replacePassword(reach: Reach, owner: Owner, secret: UserChange, way: PasswordWay): Promise<User> {
    const { account } = owner;
    return this.#write(reach, account, async (tx) => {
      const after = await this.#change(tx, account, secret);
      await this.#afterPassword(tx, account, owner);
      await this.audit.record(tx, passwordChanged(account, way));
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
      const after = await this.#change(tx, account, change);
      if (moved) await this.addresses.tellOld(tx, account, email);
      const changed = moved ? [ofUser('email.change', account)] : [];
      await this.audit.record(tx, ...changed, ofUser('email.verify', account));
      return after;
    });
  }

  #assertMaySetPassword(owner: Owner): void {
    const { account } = owner;
    assertKeptHere(account, 'password');
    const since = secondsAfter(this.clock.now(), -this.settings.recentSeconds);
    if (account.required_actions.includes('UPDATE_PASSWORD') || owner.signed_in_at >= since) return;
    const key = 'current_password';
    const hint = 'The sign-in is too old to set a password here: use UserProfile.update_password.';
    throw new IdentityError('ERROR_REQUIRED_PARAMETER', { key }, [{ field: key, description: hint }], {
      hint,
    });
  }

  async #checkCurrent(reach: Reach, owner: Owner & { peer: string }, currentPassword: string): Promise<void> {
    const { account } = owner;
    const { domain_id, user_id } = account;
    const about = { action: 'password.change', detail: { way: 'CURRENT_PASSWORD' } } as const;
    await this.guard.proof(reach, { domain_id, user_id, peer: owner.peer }, about, async () => {
      if (!(await this.newPasswords.isCurrent(reach, account, currentPassword))) {
        throw new IdentityError('ERROR_PASSWORD_NOT_MATCHED', { user_id });
      }
    });
  }

  /** A link is used once and dead after any change of the password (D-10); the owner is told. */
  async #afterPassword(tx: Tx, account: User, owner: Owner): Promise<void> {
    if (owner.link && !(await this.links.consume(tx, account, owner.link))) {
      throw new IdentityError('ERROR_AUTHENTICATE_FAILURE', { message: 'The link was used before.' });
    }
    await this.newPasswords.settle(tx, account);
  }

  /** A change that ends sessions is made by a session that was not ended meanwhile: one of many at once. */
  async #change(tx: Tx, account: User, change: UserChange): Promise<User> {
    const condition = change.$inc ? { generation: account.generation } : {};
    const after = await this.users.change(tx, account, change, this.clock.now(), condition);
    if (!after) throw change.$inc ? authenticateFailure('The session has ended.') : userNotFound(account);
    return after;
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

/** The entry for a new password, and what allowed it. */
function passwordChanged(account: User, way: PasswordWay): AuditEntry {
  return ofUser('password.change', account, { detail: { way } });
}

/** Without the current password: with a link, or because it has to be changed. */
function wayOf({ account, link }: Owner): PasswordWay | undefined {
  if (link) return 'LINK';
  return account.required_actions.includes('UPDATE_PASSWORD') ? 'REQUIRED_ACTION' : undefined;
}
