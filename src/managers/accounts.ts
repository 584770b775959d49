import type { Clock } from '../clock.js';
import { secondsAfter } from '../clock.js';
import type { Reach, Tx } from '../connectors/mongo.js';
import { IdentityError, requiredParameter } from '../errors.js';
import { firstGeneration, newTokenId } from '../ids.js';
import type { Domain } from '../models/domain.js';
import type { PasswordLinks } from '../models/password-link.js';
import type { AuthType, Membership, User, UserKey, UserWithSecrets, Users } from '../models/user.js';
import { duplicateUser } from '../models/user.js';
import type { Passwords } from '../password.js';
import { checkPasswordFormat } from '../password.js';
import type { Mails } from './mail.js';
import { provenAddress } from './proven-address.js';
import type { NewTemporaryPassword, TemporaryPasswords } from './temporary-passwords.js';
import type { Tokens } from './tokens.js';

/** What a new account is made from. */
export interface NewAccount {
  user_id: string;
  auth_type: AuthType;
  password?: string;
  name?: string;
  email?: string;
  language?: string;
  timezone?: string;
  tags?: Record<string, unknown>;
  reset_password?: boolean;
}

export interface AccountSettings {
  defaultLanguage: string;
  resetPasswordType: 'ACCESS_TOKEN' | 'PASSWORD';
  resetLinkSeconds: number;
  invitationSeconds: number;
  /** Whoever gets a password from somebody else has to change it (D-42). */
  forceUpdate: boolean;
}

/** A checked new account, its password hashed, ready to be written in a transaction. */
export interface PreparedAccount {
  user: Omit<UserWithSecrets, 'login_keys'>;
  invite: 'LINK' | 'NONE' | NewTemporaryPassword;
}

type MailedLink = 'reset_pwd_link_when_user_added' | 'reset_pwd_link_when_pw_forgotten';

/** New accounts and the links with which people set a password. */
export class Accounts {
  constructor(
    private readonly users: Users,
    private readonly links: PasswordLinks,
    private readonly passwords: Passwords,
    private readonly temporary: TemporaryPasswords,
    private readonly tokens: Tokens,
    private readonly mails: Mails,
    private readonly clock: Clock,
    private readonly settings: AccountSettings,
  ) {}

  /**
   * Checks what can be wrong with a new account, before anything is written (contract/behaviour.md 3.1, D-22).
   * @throws IdentityError naming the rule, or ERROR_SAVE_UNIQUE_VALUES for a taken user id.
   */
  async check(reach: Reach, domain_id: string, account: NewAccount, idIsFree = false): Promise<void> {
    const { user_id } = account;
    if (account.reset_password) assertResettable(account);
    else if (account.auth_type === 'LOCAL') checkGivenPassword(account.password);
    // Saves the hashing of a password that could not be stored; the unique index decides.
    if (!idIsFree && (await this.users.exists(reach, { domain_id, user_id }))) throw duplicateUser();
  }

  /**
   * Makes a checked account ready to be written: its password is hashed here, outside of any transaction.
   * @throws IdentityError ERROR_TOO_BUSY, ERROR_REQUEST_TIMEOUT when the hash could not be there in time.
   */
  async prepare(
    reach: Reach,
    domain_id: string,
    account: NewAccount,
    role: Pick<User, 'role_type' | 'role_id'> & { memberships: Membership[] },
  ): Promise<PreparedAccount> {
    const { user_id, reset_password = false } = account;
    const invite = this.#invitation({ domain_id, user_id }, reset_password);
    // Whoever is invited by mail has no password before they choose one.
    const plain = account.auth_type === 'LOCAL' && !reset_password ? account.password : undefined;
    const now = this.clock.now();
    const user: PreparedAccount['user'] = {
      id: newTokenId(),
      user_id,
      username: user_id,
      domain_id,
      name: account.name ?? '',
      state: 'PENDING',
      email: account.email ?? '',
      email_verified: false,
      auth_type: account.auth_type,
      ...role,
      required_actions: reset_password || (plain && this.settings.forceUpdate) ? ['UPDATE_PASSWORD'] : [],
      language: account.language ?? this.settings.defaultLanguage,
      timezone: account.timezone ?? 'UTC',
      ...(account.tags ? { tags: account.tags } : {}),
      generation: firstGeneration(),
      created_at: now,
      ...(plain ? await this.passwords.secret(plain, account, now, reach) : {}),
      ...(typeof invite === 'object' ? { temporary_password: invite.kept } : {}),
    };
    return { user, invite };
  }

  /** Writes a prepared account and the mail that invites its owner; answers the user without secrets. */
  async insert(tx: Tx, domain: Domain, prepared: PreparedAccount): Promise<User> {
    const { invite } = prepared;
    const user = await this.users.insert(tx, prepared.user);
    if (invite === 'LINK') {
      await this.mailLink(tx, domain, user, 'reset_pwd_link_when_user_added');
    } else if (invite !== 'NONE') {
      const values = {
        domain_display_name: domain.name,
        temporary_password: invite.plain,
        console_link: this.mails.consoleLink(domain.name),
        expires_at: invite.kept.expires_at,
      };
      const common = { to: user.email, language: user.language, user };
      await this.mails.put(tx, { template: 'temp_pwd_when_user_added', ...common, values });
    }
    return user;
  }

  /**
   * Mails a link with which the user sets a password: used once, replaced by the next, dead after a change of the
   * password, good for nothing else (D-10). False when `silent` and the mail limit is reached.
   */
  async mailLink(tx: Tx, domain: Domain, user: User, template: MailedLink, silent = false): Promise<boolean> {
    const forgotten = template === 'reset_pwd_link_when_pw_forgotten';
    const seconds = forgotten ? this.settings.resetLinkSeconds : this.settings.invitationSeconds;
    const expires_at = secondsAfter(this.clock.now(), seconds);
    const jti = newTokenId();
    const token = await this.#linkToken(tx, user, jti, seconds, forgotten);
    const link = this.mails.signInLink(domain.name, token);
    const values = { link, expires_at, domain_display_name: domain.name };
    // Who is invited has proven nothing yet.
    const to = forgotten ? provenAddress(user)! : user.email;
    const mail = { template, to, language: user.language, values, user, silent };
    if (!(await this.mails.put(tx, mail))) return false;
    await this.links.put(tx, user, { jti, expires_at });
    return true;
  }

  #linkToken(tx: Tx, user: User, jti: string, seconds: number, forgotten: boolean): Promise<string> {
    const claims = {
      typ: 'ACCESS_TOKEN' as const,
      own: 'USER' as const,
      did: user.domain_id,
      aud: user.user_id,
      rol: 'USER' as const,
      jti,
      lnk: true,
      gen: user.generation,
      permissions: ['identity:UserProfile.get', 'identity:UserProfile.update_password'],
      // An invited user has the action stored; a forgotten password brings it along (contract/behaviour.md 2.5).
      ...(forgotten ? { injected_params: { required_actions: ['UPDATE_PASSWORD'] } } : {}),
    };
    return this.tokens.sign(tx, claims, seconds);
  }

  #invitation(user: UserKey, reset: boolean): PreparedAccount['invite'] {
    if (!reset) return 'NONE';
    const { resetPasswordType, invitationSeconds } = this.settings;
    return resetPasswordType === 'PASSWORD' ? this.temporary.make(user, invitationSeconds) : 'LINK';
  }
}

function assertResettable({ user_id, auth_type, email }: NewAccount): void {
  if (auth_type === 'EXTERNAL') {
    throw new IdentityError('ERROR_UNABLE_TO_RESET_PASSWORD_IN_EXTERNAL_AUTH', { user_id });
  }
  if (!email) throw new IdentityError('ERROR_UNABLE_TO_RESET_PASSWORD_WITHOUT_EMAIL', { user_id });
}

function checkGivenPassword(password: string | undefined): void {
  if (!password) throw requiredParameter('password');
  checkPasswordFormat(password, 'password');
}
