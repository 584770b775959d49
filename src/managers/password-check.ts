import type { Clock } from '../clock.js';
import type { Mongo, Reach } from '../connectors/mongo.js';
import { IdentityError } from '../errors.js';
import type { User, UserKey, UserWithSecrets, Users } from '../models/user.js';
import type { Passwords } from '../password.js';
import type { AccountChanges } from './account-changes.js';
import type { Found } from './admission.js';
import { ofUser } from './audit.js';
import type { Audit } from './audit.js';
import { inForce } from './new-passwords.js';
import type { Sessions } from './sessions.js';
import type { TemporaryPasswords } from './temporary-passwords.js';

/** A key that nobody has: checking a password against it takes as long as against any other (D-07). */
const NOBODY: UserKey = { domain_id: '', user_id: '' };

/** Tells whose password it is: the one that is in force, or one that was mailed. */
export class PasswordCheck {
  constructor(
    private readonly mongo: Mongo,
    private readonly users: Users,
    private readonly changes: AccountChanges,
    private readonly passwords: Passwords,
    private readonly temporary: TemporaryPasswords,
    private readonly sessions: Sessions,
    private readonly audit: Audit,
    private readonly clock: Clock,
  ) {}

  /**
   * Does a sign-in whose password is going to be checked here, unless that could not be in time: then nothing is done and
   * no attempt counted.
   * @throws IdentityError ERROR_TOO_BUSY; what the sign-in throws.
   */
  promise<T>(reach: Reach, signIn: () => Promise<T>): Promise<T> {
    return this.passwords.promise(reach, signIn);
  }

  /**
   * The user whose password this is, in the time of one hash whoever it is (D-07).
   * @param called what the caller wrote for the user.
   * @param key the user; without one the password is nobody's.
   * @param found told of a user who exists, and whether the password is right.
   * @throws IdentityError ERROR_AUTHENTICATION_FAILURE, ERROR_USER_STATE_DISABLED after a right password alone.
   */
  async check(
    reach: Reach,
    called: string,
    key: UserKey | undefined,
    password: string,
    found: Found,
  ): Promise<User> {
    const user = await this.users.findWithSecrets(reach, key ?? NOBODY);
    if (user) found.user = user;
    const hash = user?.auth_type === 'LOCAL' ? user.password : undefined;
    const right = await this.passwords.matches(password, hash, reach);
    const mailed = !right && user !== undefined && this.temporary.matches(user, password);
    if (!user || (!right && !mailed)) {
      throw new IdentityError('ERROR_AUTHENTICATION_FAILURE', { user_id: called });
    }
    found.right = true;
    if (user.state === 'DISABLED') {
      throw new IdentityError('ERROR_USER_STATE_DISABLED', { user_id: user.user_id });
    }
    if (!mailed) return user;
    // When another sign-in with the same mailed password was faster, it is an ordinary one now.
    return (await this.#adopt(reach, user, password)) ?? this.check(reach, called, key, password, found);
  }

  /** The mailed password takes the place of the old one when it is first used, and has to be changed (D-09). */
  async #adopt(reach: Reach, user: UserWithSecrets, password: string): Promise<User | undefined> {
    const now = this.clock.now();
    const change = inForce(await this.passwords.secret(password, user, now, reach), true);
    const unused = { 'temporary_password.mac': user.temporary_password!.mac };
    const adopted = await this.mongo.transaction(reach, async (tx) => {
      const after = await this.changes.apply(tx, user, change, unused);
      if (after) await this.audit.record(tx, ofUser('password.adopt', user));
      return after;
    });
    if (adopted) this.sessions.forget(user);
    return adopted;
  }
}
