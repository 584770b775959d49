import type { Cipher } from '../cipher.js';
import type { Clock } from '../clock.js';
import type { Mongo, Reach, Tx } from '../connectors/mongo.js';
import { IdentityError, invalidParameter, requiredParameter } from '../errors.js';
import { isEmailAddress } from '../email-address.js';
import { newId } from '../ids.js';
import type { PendingCode } from '../models/pending-code.js';
import type {
  Mfa as MfaSettings,
  MfaType,
  User,
  UserChange,
  UserWithSecrets,
  Users,
} from '../models/user.js';
import { ofUser } from './audit.js';
import type { Audit } from './audit.js';
import { invalidCode } from './codes.js';
import type { Codes, NewFlow, OpenFlow } from './codes.js';
import type { Mails } from './mail.js';
import { provenAddress } from './proven-address.js';
import type { Sessions } from './sessions.js';
import type { SignInGuard } from './sign-in-guard.js';
import { notAGuess } from './sign-in-guard.js';
import { newOtpSecret, otpUri, stepOf } from './totp.js';

const TYPES: readonly MfaType[] = ['EMAIL', 'OTP'];

/** What enabling MFA asks for. */
export interface EnableMfa {
  mfa_type: string;
  options?: Record<string, unknown>;
}

/** The second factor: switching it on and off, and asking for it at sign-in (contract/behaviour.md 2.6). */
export class Mfa {
  constructor(
    private readonly mongo: Mongo,
    private readonly users: Users,
    private readonly codes: Codes,
    private readonly mails: Mails,
    private readonly guard: SignInGuard,
    private readonly sessions: Sessions,
    private readonly audit: Audit,
    private readonly cipher: Cipher,
    private readonly clock: Clock,
    private readonly settings: { issuer: string },
  ) {}

  /**
   * Opens the switching on; nothing is in force before its code comes back. Answers the user with the settings
   * that wait.
   * @throws IdentityError ERROR_NOT_ALLOWED_ACTIONS, ERROR_INVALID_PARAMETER, ERROR_REQUIRED_PARAMETER,
   * ERROR_MFA_ALREADY_ENABLED, ERROR_NOT_SUPPORTED_MFA_TYPE, in the order of contract/behaviour.md 2.6.
   */
  async enable(reach: Reach, user: User, asked: EnableMfa): Promise<User> {
    const settings = pendingSettings(user, asked);
    if (settings.mfa_type === 'OTP') return this.#enableOtp(reach, user, settings);
    const mfa = { action: 'ENABLE' as const, settings };
    await this.codes.send(reach, user, settings.options.email!, { purpose: 'MFA', mfa });
    return { ...user, mfa: { ...settings, state: 'DISABLED' } };
  }

  /**
   * Opens the switching off; MFA stays in force until a code comes back.
   * @throws IdentityError ERROR_MFA_ALREADY_DISABLED.
   */
  async disable(reach: Reach, user: User): Promise<User> {
    const { mfa } = user;
    if (mfa?.state !== 'ENABLED' || !mfa.mfa_type) {
      throw new IdentityError('ERROR_MFA_ALREADY_DISABLED', { user_id: user.user_id });
    }
    await this.#ask(reach, user, mfa, { purpose: 'MFA', mfa: { action: 'DISABLE', settings: mfa } });
    return user;
  }

  /**
   * Puts in force what waits for this code, and ends the user's other sessions.
   * @throws IdentityError ERROR_INVALID_VERIFY_CODE, ERROR_LOGIN_BLOCKED.
   */
  async confirm(
    reach: Reach,
    user: User,
    code: string,
    by: { session?: string; peer: string },
  ): Promise<User> {
    const { domain_id, user_id } = user;
    const who = { domain_id, user_id, peer: by.peer };
    const purpose = 'MFA';
    const ready = () => this.codes.assertAwaited(reach, user, purpose, code);
    const about = { action: 'code.confirm', detail: { purpose }, ready } as const;
    return this.guard.proof(reach, who, about, () => this.#confirm(reach, user, code, by.session));
  }

  async #confirm(reach: Reach, user: User, code: string, session: string | undefined): Promise<User> {
    const entry = await this.codes.guess(reach, user, 'MFA', code);
    const step = await this.#checkCode(reach, user, entry, code);
    const change = entry.mfa?.action === 'ENABLE' ? this.#enabled(user, entry, step) : disabled(user);
    const ended: UserChange = { ...change, $inc: { generation: 1 }, ...keep(change, session) };
    const changed = await this.mongo.transaction(reach, async (tx) => {
      await this.codes.consume(tx, entry, code);
      const still = { ...stillAs(user), ...(entry.mfa?.otp_secret ? {} : unused(step)) };
      const after = await this.users.change(tx, user, ended, this.clock.now(), still);
      if (!after) throw notAGuess(invalidCode(code));
      await this.#tell(tx, user, after, entry);
      const action = entry.mfa?.action === 'ENABLE' ? 'mfa.enable' : 'mfa.disable';
      const { mfa_type } = entry.mfa!.settings;
      await this.audit.record(tx, ofUser(action, user, { detail: { mfa_type } }));
      return after;
    });
    this.sessions.forget(user);
    return changed;
  }

  /**
   * Asks for the second factor of a sign-in whose password was right.
   * @throws IdentityError ERROR_MFA_REQUIRED, which is how clients learn of it.
   */
  async challenge(reach: Reach, user: User): Promise<never> {
    await this.ask(reach, user);
    const { mfa_type, options } = user.mfa!;
    const shown = mfa_type === 'EMAIL' ? options.email! : user.user_id;
    throw new IdentityError('ERROR_MFA_REQUIRED', { user_id: shown, mfa_type: mfa_type! });
  }

  /** Sends a new code for a sign-in of a user with MFA, or gives the authenticator more time. */
  ask(reach: Reach, user: User): Promise<OpenFlow> {
    const { mfa_type } = user.mfa!;
    const entries = [ofUser('user.challenge', user, { detail: { mfa_type } })];
    return this.#ask(reach, user, user.mfa!, { purpose: 'SIGN_IN', entries });
  }

  /** Gives the authenticator of a user time for a code that came without being asked for. */
  expect(reach: Reach, user: User): Promise<OpenFlow> {
    return this.codes.open(reach, user, { purpose: 'SIGN_IN' });
  }

  /** True while a sign-in of the user, or exactly the one with that nonce, waits for its second factor. */
  async isChallenged(reach: Reach, user: User, nonce?: string): Promise<boolean> {
    return user.mfa?.state === 'ENABLED' && (await this.codes.isOpen(reach, user, 'SIGN_IN', nonce));
  }

  /**
   * Checks the second factor of a sign-in and uses it up.
   * @throws IdentityError ERROR_INVALID_VERIFY_CODE.
   */
  async prove(reach: Reach, user: User, code: string): Promise<void> {
    const entry = await this.codes.guess(reach, user, 'SIGN_IN', code);
    const step = await this.#checkCode(reach, user, entry, code);
    await this.mongo.transaction(reach, async (tx) => {
      await this.codes.consume(tx, entry, code);
      if (step === undefined) return;
      const used = await this.users.update(tx, user, { $set: { 'otp.last_step': step } }, unused(step));
      if (!used) throw notAGuess(invalidCode(code));
    });
  }

  async #enableOtp(reach: Reach, user: User, settings: MfaSettings): Promise<User> {
    const secret = newOtpSecret();
    const otp_secret = this.cipher.seal(secret, otpContext(user));
    const mfa = { action: 'ENABLE' as const, settings, otp_secret };
    await this.codes.open(reach, user, { purpose: 'MFA', mfa });
    const otp_qrcode_uri = otpUri(secret, this.settings.issuer, user.user_id);
    const options = { ...settings.options, otp_qrcode_uri };
    return { ...user, mfa: { ...settings, state: 'DISABLED', options } };
  }

  async #ask(reach: Reach, user: User, mfa: MfaSettings, flow: NewFlow): Promise<OpenFlow> {
    if (mfa.mfa_type === 'OTP') return this.codes.open(reach, user, flow);
    return this.codes.send(reach, user, mfa.options.email!, flow);
  }

  /** Checks a code of either kind; for an authenticator answers the time step that it used. */
  async #checkCode(reach: Reach, user: User, entry: PendingCode, code: string): Promise<number | undefined> {
    if (entry.code_mac) {
      this.codes.check(entry, code);
      return undefined;
    }
    const stored: UserWithSecrets | undefined = await this.users.findWithSecrets(reach, user);
    const sealed = entry.mfa?.otp_secret ?? stored?.otp?.secret;
    const last = entry.mfa?.otp_secret ? -1 : (stored?.otp?.last_step ?? -1);
    // Switched off since the flow was read.
    if (!sealed) throw notAGuess(invalidCode(code));
    const step = stepOf(this.cipher.open(sealed, otpContext(user)), code, this.clock.now());
    if (step === undefined) throw this.codes.wrong(entry, code);
    // Looked at once more in the transaction that uses it up, see `unused`.
    if (step <= last) throw notAGuess(invalidCode(code));
    return step;
  }

  #enabled(user: User, entry: PendingCode, step: number | undefined): UserChange {
    const { settings, otp_secret } = entry.mfa!;
    const enforce = user.mfa?.options.enforce ? { enforce: true } : {};
    const secretId = otp_secret ? { user_secret_id: newId('user-secret') } : {};
    const mfa: MfaSettings = {
      state: 'ENABLED',
      mfa_type: settings.mfa_type,
      options: {
        ...enforce,
        ...(settings.options.email ? { email: settings.options.email } : {}),
        ...secretId,
      },
    };
    const otp = otp_secret ? { otp: { secret: otp_secret, last_step: step ?? -1 } } : {};
    return { $set: { mfa, ...otp }, $pull: { required_actions: 'ENFORCE_MFA' } };
  }

  /** Tells the owner at the proven address, else where the codes went or go. */
  async #tell(tx: Tx, before: User, after: User, entry: PendingCode): Promise<void> {
    const { user_id, domain_id, language, timezone } = after;
    const to = provenAddress(after) ?? before.mfa?.options.email ?? after.mfa?.options.email;
    const mfa_type = entry.mfa?.settings.mfa_type;
    if (!to || !after.mfa || !mfa_type) return;
    const values = { changed_at: this.clock.now(), timezone, mfa_state: after.mfa.state, mfa_type };
    await this.mails.put(tx, {
      template: 'mfa_changed',
      to,
      language,
      values,
      user: { domain_id, user_id },
    });
  }
}

/** The settings that wait for their code; of the caller's options only the address counts (D-12). */
function pendingSettings(user: User, asked: EnableMfa): MfaSettings {
  const { user_id, mfa } = user;
  if (user.auth_type === 'EXTERNAL') throw new IdentityError('ERROR_NOT_ALLOWED_ACTIONS', { action: 'MFA' });
  if (mfa?.options.enforce && mfa.mfa_type && mfa.mfa_type !== asked.mfa_type) {
    throw invalidParameter('mfa_type', `${mfa.mfa_type} is enforced`);
  }
  const email = asked.mfa_type === 'EMAIL' ? checkedAddress(asked.options) : undefined;
  if (mfa?.state === 'ENABLED') throw new IdentityError('ERROR_MFA_ALREADY_ENABLED', { user_id });
  const mfa_type = TYPES.find((type) => type === asked.mfa_type);
  if (!mfa_type) throw new IdentityError('ERROR_NOT_SUPPORTED_MFA_TYPE', { support_mfa_types: TYPES });
  const enforce = mfa?.options.enforce ? { enforce: true } : {};
  return { state: 'DISABLED', mfa_type, options: email ? { ...enforce, email } : enforce };
}

function checkedAddress(options: Record<string, unknown> | undefined): string {
  if (!options) throw requiredParameter('options');
  const { email } = options;
  if (email === undefined || email === '') throw requiredParameter('options.email');
  if (typeof email !== 'string' || !isEmailAddress(email.trim())) {
    const rule = 'Email format required: one address such as name@example.com';
    throw new IdentityError('ERROR_INCORRECT_EMAIL_FORMAT', { rule }, [
      { field: 'options.email', description: rule },
    ]);
  }
  return email.trim();
}

function disabled(user: User): UserChange {
  const enforced = user.mfa?.options.enforce === true;
  const mfa: MfaSettings = enforced
    ? { state: 'DISABLED', mfa_type: user.mfa!.mfa_type, options: { enforce: true } }
    : { state: 'DISABLED', options: {} };
  return {
    $set: { mfa },
    $unset: { otp: '' },
    ...(enforced ? { $addToSet: { required_actions: 'ENFORCE_MFA' as const } } : {}),
  };
}

/** The session that made the change goes on, and no other. */
function keep(change: UserChange, session: string | undefined): UserChange {
  if (session) return { $set: { ...change.$set, kept_session: session } };
  return { $unset: { ...change.$unset, kept_session: '' } };
}

/** Nobody switched MFA or ended the session since the user was read. */
function stillAs({ mfa, generation }: User): object {
  return { generation, 'mfa.state': mfa?.state === 'ENABLED' ? 'ENABLED' : { $ne: 'ENABLED' } };
}

/**
 * A step that was accepted is not accepted again (RFC 6238 5.2): the condition of the write that uses a code up, so
 * that of all who come with one code at once, at whatever door, one succeeds. A mailed code has no step.
 */
function unused(step: number | undefined): object {
  return step === undefined ? {} : { 'otp.last_step': { $lt: step } };
}

function otpContext(user: { domain_id: string; user_id: string }): string {
  return `otp:${user.domain_id}:${user.user_id}`;
}
