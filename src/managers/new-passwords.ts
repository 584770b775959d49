import type { Clock } from '../clock.js';
import type { Reach, Tx } from '../connectors/mongo.js';
import { IdentityError } from '../errors.js';
import type { PasswordLinks } from '../models/password-link.js';
import type { User, UserChange, Users } from '../models/user.js';
import { checkPasswordFormat } from '../password.js';
import type { Passwords, StoredPassword } from '../password.js';
import { ofUser } from './audit.js';
import type { AuditEntry } from './audit.js';
import type { Mails } from './mail.js';
import { provenAddress } from './proven-address.js';

/** A new password for a user, of which `checkPasswordFormat` has nothing to say. */
export interface NewPassword {
  password: string;
  /** The field that it came in, for refusals. */
  field: string;
  /** The current one, where it was proven: a comparison with it saves a hash. */
  current?: string;
  /** The owner has to choose another one first of all (D-42). */
  mustChange?: boolean;
}

/** A password that somebody may set, hashed. */
export interface ReadyPassword {
  change: UserChange;
  /** What goes with the change, in its transaction; answers what is recorded of it. */
  settle(tx: Tx): Promise<AuditEntry>;
}

/** How the password of an account is replaced, whoever replaces it and whatever allows them to. */
export class NewPasswords {
  constructor(
    private readonly users: Users,
    private readonly links: PasswordLinks,
    private readonly passwords: Passwords,
    private readonly mails: Mails,
    private readonly clock: Clock,
    /** Whoever gets a password from somebody else has to change it (D-42). */
    private readonly settings: { forceUpdate: boolean },
  ) {}

  /** True when the user has a password of their own, be it one to change. */
  async isSet(reach: Reach, user: User): Promise<boolean> {
    return Boolean((await this.users.findWithSecrets(reach, user))?.password);
  }

  /** True when the password is the one in force. */
  async isCurrent(reach: Reach, user: User, password: string): Promise<boolean> {
    const stored = await this.users.findWithSecrets(reach, user);
    return this.passwords.matches(password, stored?.password, reach);
  }

  /**
   * The change that puts a new password in force.
   * @throws IdentityError ERROR_PASSWORD_NOT_CHANGED, ERROR_TOO_BUSY, ERROR_REQUEST_TIMEOUT.
   */
  async change(reach: Reach, user: User, given: NewPassword): Promise<UserChange> {
    const { password, field, current, mustChange = false } = given;
    const equal = current === undefined ? await this.isCurrent(reach, user, password) : password === current;
    if (equal) throw refused('ERROR_PASSWORD_NOT_CHANGED', user, field, 'equals the old one');
    const stored = await this.passwords.secret(password, user, this.clock.now(), reach);
    return inForce(stored, mustChange);
  }

  /**
   * A password that an administrator chose for somebody.
   * @param names that it must not be.
   * @throws IdentityError ERROR_INCORRECT_PASSWORD_FORMAT, and as `change` does.
   */
  async chosenFor(
    reach: Reach,
    user: User,
    given: Omit<NewPassword, 'current'>,
    names: readonly string[],
  ): Promise<ReadyPassword> {
    const { password, field, mustChange = this.settings.forceUpdate } = given;
    assertKeptHere(user, field);
    checkPasswordFormat(password, field, names);
    return {
      change: await this.change(reach, user, { password, field, mustChange }),
      settle: async (tx) => {
        await this.settle(tx, user);
        return ofUser('password.change', user, { detail: { way: 'ADMINISTRATOR' } });
      },
    };
  }

  /** What goes with the change, in its transaction: links for a password are dead (D-10), and the owner is told. */
  async settle(tx: Tx, user: User): Promise<void> {
    await this.links.drop(tx, user);
    const to = provenAddress(user);
    if (!to) return;
    const { language, timezone } = user;
    const values = { changed_at: this.clock.now(), timezone };
    await this.mails.put(tx, { template: 'password_changed', to, language, values, user });
  }
}

/** The change that puts a hashed password in force: no session and no mailed password lasts longer (D-13). */
export function inForce(stored: StoredPassword, mustChange: boolean): UserChange {
  const demand = { required_actions: 'UPDATE_PASSWORD' } as const;
  return {
    $set: stored,
    $unset: { temporary_password: '', kept_session: '' },
    $inc: { generation: 1 },
    ...(mustChange ? { $addToSet: demand } : { $pull: demand }),
  };
}

/**
 * Refuses a password for a user whose password an identity provider keeps.
 * @throws IdentityError ERROR_UNABLE_TO_RESET_PASSWORD_IN_EXTERNAL_AUTH.
 */
export function assertKeptHere(user: User, field: string): void {
  if (user.auth_type === 'LOCAL') return;
  throw refused(
    'ERROR_UNABLE_TO_RESET_PASSWORD_IN_EXTERNAL_AUTH',
    user,
    field,
    'is not kept here for this user',
  );
}

function refused(
  reason: 'ERROR_PASSWORD_NOT_CHANGED' | 'ERROR_UNABLE_TO_RESET_PASSWORD_IN_EXTERNAL_AUTH',
  { user_id }: User,
  field: string,
  description: string,
): IdentityError {
  return new IdentityError(reason, { user_id }, [{ field, description }]);
}
