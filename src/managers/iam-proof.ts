import type { Reach } from '../connectors/mongo.js';
import { IdentityError } from '../errors.js';
import { isEmailAddress } from '../email-address.js';
import type { Domain } from '../models/domain.js';
import type { User } from '../models/user.js';
import type { Account, AccountLookup, UserReference } from './account-lookup.js';
import type { Admission, Admitted, Check, Found, Half, SignInCall } from './admission.js';
import type { Mfa } from './mfa.js';
import type { PasswordCheck } from './password-check.js';
import type { Receipt, Receipts } from './receipts.js';
import { notAGuess } from './sign-in-guard.js';

/** A user, and what only that user knows. */
export interface Proof {
  user: UserReference;
  secret: string;
}

/** A password, a code of the second factor, or both. */
export interface UserProofs {
  password?: Proof;
  totp?: Proof;
  /** The receipt that a right password was answered with. */
  receipt?: string;
}

/** Somebody who has proven who they are, and how (RFC 8176). */
export type Proven = Admitted & { domain: Domain; amr: string[] };

/** A right password that is not enough: the code is missing. */
export interface Asked extends Half {
  user: User;
  domain: Domain;
  receipt: Receipt;
  text: string;
}

/** Who signs in at OpenStack Identity. */
export class IamProof {
  constructor(
    private readonly lookup: AccountLookup,
    private readonly admission: Admission,
    private readonly passwords: PasswordCheck,
    private readonly mfa: Mfa,
    private readonly receipts: Receipts,
  ) {}

  /**
   * Checks the proofs as one attempt at the account that is meant.
   * @throws IdentityError for the log alone; what a stranger is told must not depend on it.
   */
  prove(reach: Reach, proofs: UserProofs, call: SignInCall): Promise<Proven | Asked> {
    const prove = () => this.#prove(reach, proofs, call);
    return proofs.password ? this.passwords.promise(reach, prove) : prove();
  }

  async #prove(reach: Reach, proofs: UserProofs, call: SignInCall): Promise<Proven | Asked> {
    const { password, totp } = proofs;
    const account = await this.lookup.find(reach, (password ?? totp)!.user);
    note(call.noted, account);
    const areOne = await this.#areOne(reach, account, proofs);
    const user = areOne ? enabled(account) : undefined;
    const found = foundOut(account, areOne);
    // Without a receipt that fits no code can be right: nobody can guess here, or keep the user waiting.
    if (!password && !(await this.#isAsked(reach, user, proofs)))
      return this.admission.turnAway(reach, account.at, call, notAsked(), found);
    const check: Check<Asked> = async () => {
      if (!password) return this.#finish(reach, user, proofs, found);
      const right = await this.passwords.check(reach, account.called, user, password.secret, found);
      if (totp) return this.#proveFactor(reach, right, totp.secret);
      return right.mfa?.state === 'ENABLED' ? this.#ask(reach, right, account) : right;
    };
    const outcome = await this.admission.admit(reach, account.at, call, check, found);
    if ('receipt' in outcome) {
      call.noted['reason'] = 'ERROR_MFA_REQUIRED';
      return outcome;
    }
    return { ...outcome, domain: account.domain!, amr: totp ? ['pwd', 'otp'] : ['pwd'] };
  }

  async #ask(reach: Reach, user: User, { domain }: Account): Promise<Asked> {
    return { user, domain: domain!, ...this.receipts.make(user, await this.mfa.ask(reach, user)) };
  }

  /** A password and a code have to be those of one account. */
  async #areOne(reach: Reach, account: Account, { password, totp }: UserProofs): Promise<boolean> {
    if (!password || !totp) return true;
    const { user, fits } = await this.lookup.find(reach, totp.user);
    return fits && user?.id === account.user?.id;
  }

  /** Both in one request: what takes two of Token.issue, so an authenticator is given its time here. */
  async #proveFactor(reach: Reach, user: User, code: string): Promise<User> {
    if (user.mfa?.state === 'ENABLED' && user.mfa.mfa_type === 'OTP') await this.mfa.expect(reach, user);
    else if (!(await this.mfa.isChallenged(reach, user))) throw notAsked();
    await this.mfa.prove(reach, user, code);
    return user;
  }

  /** The code alone, after a receipt for the password. */
  async #finish(reach: Reach, user: User | undefined, proofs: UserProofs, found: Found): Promise<User> {
    // The receipt says so.
    found.right = true;
    // It may have been used while this one waited its turn.
    if (!user || !(await this.#isAsked(reach, user, proofs))) throw notAsked();
    await this.mfa.prove(reach, user, proofs.totp!.secret);
    return user;
  }

  /** True for the receipt of a sign-in of that user which waits for its code. */
  async #isAsked(reach: Reach, user: User | undefined, { receipt }: UserProofs): Promise<boolean> {
    const said = receipt ? this.receipts.read(receipt) : undefined;
    if (!user || !said) return false;
    const fits =
      user.domain_id === said.domain_id &&
      user.user_id === said.user_id &&
      user.generation === said.generation;
    return fits && this.mfa.isChallenged(reach, user, said.nonce);
  }
}

/** What is known of the attempt before it is made. */
function foundOut({ user, domain }: Account, areOne: boolean): Found {
  const found: Found = { domain_id: domain?.domain_id, ...(user ? { user } : {}) };
  if (domain && domain.state !== 'ENABLED') return { ...found, reason: 'ERROR_DOMAIN_STATE' };
  return areOne ? found : { ...found, reason: 'ERROR_INVALID_CREDENTIALS' };
}

function enabled({ user, fits, domain }: Account): User | undefined {
  return fits && domain?.state === 'ENABLED' ? user : undefined;
}

function notAsked(): IdentityError {
  return notAGuess(new IdentityError('ERROR_INVALID_CREDENTIALS'));
}

/** What is typed in place of a name may be a password; an address is none. Others are noted when they are known. */
function note(noted: Record<string, string>, { called, user, domain }: Account): void {
  if (domain) noted['domain_id'] = domain.domain_id;
  if (user || isEmailAddress(called)) noted['user_id'] = user?.user_id ?? called;
}
