import { randomInt } from 'node:crypto';
import type { Cipher } from '../cipher.js';
import type { Clock } from '../clock.js';
import { secondsAfter } from '../clock.js';
import type { Mongo, Reach, Tx } from '../connectors/mongo.js';
import { settling } from '../connectors/mongo.js';
import { IdentityError } from '../errors.js';
import { identityKey } from '../ids.js';
import type { CodePurpose, PendingCode, PendingCodes } from '../models/pending-code.js';
import type { User, UserKey } from '../models/user.js';
import { ofUser } from './audit.js';
import type { Audit, AuditEntry } from './audit.js';
import type { Mails } from './mail.js';
import { provenAddress } from './proven-address.js';
import { ending, notAGuess } from './sign-in-guard.js';

export interface CodeSettings {
  attempts: number;
  emailSeconds: number;
  mfaSeconds: number;
}

/** A flow that begins: what its code is good for, and what is recorded of it beside the code. */
export interface NewFlow extends Pick<PendingCode, 'purpose' | 'mfa'> {
  entries?: AuditEntry[];
}

/** A flow that waits for its code: which one, and until when. */
export interface OpenFlow {
  nonce: string;
  expires_at: Date;
}

type CodeMail = 'verification_code' | 'verification_MFA_code' | 'authentication_code';

const MAIL: Record<CodePurpose, CodeMail> = {
  VERIFY_EMAIL: 'verification_code',
  MFA: 'verification_MFA_code',
  SIGN_IN: 'authentication_code',
};

/** Of ASCII alone: digits of other scripts are no code, and libraries that compare codes fail on them. */
const SIX_DIGITS = /^[0-9]{6}$/;

/**
 * Codes that prove an address: six digits, mailed once, kept as a keyed hash bound to user, purpose and address,
 * dead after a few guesses, after use and after a while (D-05).
 */
export class Codes {
  constructor(
    private readonly mongo: Mongo,
    private readonly pending: PendingCodes,
    private readonly mails: Mails,
    private readonly cipher: Cipher,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly settings: CodeSettings,
  ) {}

  /**
   * Opens a flow and mails its code to the address; the code before it is dead.
   * @throws IdentityError ERROR_TOO_MANY_REQUESTS over the mail limit; then nothing has changed.
   */
  async send(reach: Reach, user: User, to: string, flow: NewFlow): Promise<OpenFlow> {
    const { purpose } = flow;
    try {
      return await this.mongo.transaction(reach, async (tx) => {
        const opened = await this.#send(tx, user, to, flow);
        const sent = ofUser('code.send', user, { detail: { purpose } });
        await this.audit.record(tx, ...(flow.entries ?? []), sent);
        return opened;
      });
    } catch (error) {
      const limited = error instanceof IdentityError && error.reason === 'ERROR_TOO_MANY_REQUESTS';
      if (limited) {
        const refused = ofUser('code.send', user, { reason: error.reason, detail: { purpose } });
        await this.mongo.transaction(settling(reach), async (tx) => {
          if (await this.mails.isFirstRefusal(tx, user, purpose)) await this.audit.record(tx, refused);
        });
      }
      throw error;
    }
  }

  async #send(tx: Tx, user: User, to: string, { purpose, mfa }: NewFlow): Promise<OpenFlow> {
    const code = String(randomInt(100_000, 1_000_000));
    const expires_at = this.#expiry(purpose);
    const code_mac = this.#mac(user, purpose, to, code);
    const nonce = await this.pending.put(tx, user, purpose, { code_mac, address: to, mfa, expires_at });
    const { language } = user;
    const values = { code, expires_at };
    const proven = hasProven(user, to);
    await this.mails.put(tx, { template: MAIL[purpose], to, language, values, user, proven });
    return { nonce, expires_at };
  }

  /** Opens a flow whose code an authenticator makes. */
  async open(reach: Reach, user: UserKey, { purpose, mfa, entries = [] }: NewFlow): Promise<OpenFlow> {
    const expires_at = this.#expiry(purpose);
    const put = (at: Reach) => this.pending.put(at, user, purpose, { mfa, expires_at });
    if (entries.length === 0) return { nonce: await put(reach), expires_at };
    return this.mongo.transaction(reach, async (tx) => {
      const nonce = await put(tx);
      await this.audit.record(tx, ...entries);
      return { nonce, expires_at };
    });
  }

  /** True while a flow of that purpose is open: any, or exactly the one with that nonce. */
  async isOpen(reach: Reach, user: UserKey, purpose: CodePurpose, nonce?: string): Promise<boolean> {
    const open = await this.pending.find(reach, user, purpose, this.clock.now());
    return open !== undefined && (nonce === undefined || open.nonce === nonce);
  }

  /**
   * Refuses a code that nothing waits for, before it takes a turn among the attempts at the account.
   * @throws IdentityError ERROR_INVALID_VERIFY_CODE.
   */
  async assertAwaited(reach: Reach, user: UserKey, purpose: CodePurpose, code: string): Promise<void> {
    const open = await this.pending.find(reach, user, purpose, this.clock.now());
    if (!open || open.attempts >= this.settings.attempts) throw invalidCode(code);
  }

  /**
   * Counts a guess and answers the open flow; whether the guess is right is up to `check`, or to the caller when
   * an authenticator makes the code.
   * @throws IdentityError ERROR_INVALID_VERIFY_CODE when it is not six digits, and, as no guess because nothing is
   * compared, when there is no flow or no guess left.
   */
  async guess(reach: Reach, user: UserKey, purpose: CodePurpose, code: string): Promise<PendingCode> {
    const entry = await this.pending.attempt(reach, user, purpose, this.settings.attempts, this.clock.now());
    if (!entry) throw notAGuess(invalidCode(code));
    if (!SIX_DIGITS.test(code)) throw this.wrong(entry, code);
    return entry;
  }

  /**
   * Compares a mailed code in constant time.
   * @throws IdentityError ERROR_INVALID_VERIFY_CODE.
   */
  check(entry: PendingCode, code: string): void {
    const mac = this.#mac(entry, entry.purpose, entry.address ?? '', code);
    if (!entry.code_mac || !this.cipher.equal(mac, entry.code_mac)) throw this.wrong(entry, code);
  }

  /** The answer for a wrong guess; after the last one the flow takes no more. */
  wrong(entry: PendingCode, code: string): IdentityError {
    const error = invalidCode(code);
    const { attempts, purpose } = entry;
    return attempts < this.settings.attempts
      ? error
      : ending(error, ofUser('code.void', entry, { detail: { purpose } }));
  }

  /**
   * Ends the flow together with what its code allows; of many that do so at once, one succeeds.
   * @throws IdentityError ERROR_INVALID_VERIFY_CODE for the others.
   */
  async consume(tx: Tx, entry: PendingCode, code: string): Promise<void> {
    if (!(await this.pending.consume(tx, entry))) throw notAGuess(invalidCode(code));
    await this.audit.record(tx, ofUser('code.confirm', entry, { detail: { purpose: entry.purpose } }));
  }

  /** Ends whatever flow of that purpose is open. */
  async drop(reach: Reach, user: UserKey, purpose: CodePurpose): Promise<void> {
    await this.pending.drop(reach, user, purpose);
  }

  #expiry(purpose: CodePurpose): Date {
    const { emailSeconds, mfaSeconds } = this.settings;
    return secondsAfter(this.clock.now(), purpose === 'VERIFY_EMAIL' ? emailSeconds : mfaSeconds);
  }

  #mac(user: UserKey, purpose: CodePurpose, address: string, code: string): string {
    return this.cipher.mac(`code:${purpose}`, JSON.stringify([user.domain_id, user.user_id, address, code]));
  }
}

/** The address is the user's own: confirmed as theirs, or the one that their second factor goes to. */
function hasProven(user: User, address: string): boolean {
  const { mfa } = user;
  const own = [provenAddress(user), mfa?.state === 'ENABLED' ? mfa.options.email : undefined];
  return own.some((one) => one !== undefined && identityKey(one) === identityKey(address));
}

/** The answer for a code that is wrong, used, late or never was. */
export function invalidCode(verify_code: string): IdentityError {
  return new IdentityError('ERROR_INVALID_VERIFY_CODE', { verify_code });
}
