import type { Clock } from '../clock.js';
import { epochSeconds } from '../clock.js';
import type { Mongo, Reach } from '../connectors/mongo.js';
import { IdentityError } from '../errors.js';
import type { Reason } from '../errors.js';
import { newTokenId } from '../ids.js';
import type { User, UserKey, Users } from '../models/user.js';
import type { Aim } from './attempt-counts.js';
import { actsAs, ofUser } from './audit.js';
import type { Audit, AuditEntry } from './audit.js';
import type { PasswordPolicy } from './password-policy.js';
import type { SignInGuard } from './sign-in-guard.js';
import { isWrongProof, notAGuess } from './sign-in-guard.js';

/** Where a sign-in comes from, and what its log line shall hold. */
export interface SignInCall {
  peer: string;
  noted: Record<string, string>;
}

/** Somebody who has proven who they are, and the session that begins with it. */
export interface Admitted {
  user: User;
  session: { sid: string; auth_time: number };
}

/** What is found out of an attempt on the way, for the log and for the record of it. */
export interface Found {
  /** The domain in which it is made, if there is one. */
  domain_id: string | undefined;
  /** The account that it is made at, as soon as it is known that there is one. */
  user?: UserKey;
  /** The password was right, whatever came after it. */
  right?: boolean;
  /** Why it fails, where the answer to it says something else. */
  reason?: Reason;
}

/** Half of a sign-in: right so far, and not enough. */
export interface Half {
  /** What the second half is asked for with. */
  receipt: object;
}

/** Proves who signs in, as far as it is finished with that, and notes what it finds out. */
export type Check<H extends Half = never> = (found: Found) => Promise<User | H>;

/** What ends an attempt after the right password and is no guess. */
const LATE_REFUSALS: ReadonlySet<Reason> = new Set<Reason>([
  'ERROR_AUTHENTICATION_FAILURE',
  'ERROR_INVALID_CREDENTIALS',
  'ERROR_INVALID_VERIFY_CODE',
  'ERROR_USER_STATE_DISABLED',
]);

/** The one door for signing in, whatever API it is asked through. */
export class Admission {
  constructor(
    private readonly mongo: Mongo,
    private readonly users: Users,
    private readonly guard: SignInGuard,
    private readonly policy: PasswordPolicy,
    private readonly audit: Audit,
    private readonly clock: Clock,
  ) {}

  /**
   * Runs the check as one attempt at that account and begins a session when it succeeds; half a sign-in is passed on.
   * @param at at whom the attempt counts; it need not be a user.
   * @throws IdentityError what the check throws, ERROR_LOGIN_BLOCKED, ERROR_AUTHENTICATION_FAILURE.
   */
  async admit<H extends Half = never>(
    reach: Reach,
    at: Aim,
    { peer, noted }: SignInCall,
    check: Check<H>,
    found: Found,
  ): Promise<Admitted | H> {
    const told = (error: IdentityError) => failed(found, error);
    const attempt = async () => {
      const proven = await check(found);
      return isHalf(proven) ? proven : this.#welcome(reach, proven, found);
    };
    const isFinished = (outcome: Admitted | H) => !isHalf(outcome);
    try {
      return await this.guard.signIn(reach, { at, peer }, told, isFinished, attempt);
    } catch (error) {
      if (found.right && isLateRefusal(error)) await this.#recordRefused(reach, failed(found, error));
      throw error;
    } finally {
      if (found.user) noted['user_id'] = found.user.user_id;
    }
  }

  /**
   * Refuses somebody who brings nothing that could be right. It is a failed sign-in, but no attempt at the account.
   * @throws IdentityError that error; ERROR_LOGIN_BLOCKED, without a record, when the attempts are used up.
   */
  async turnAway(
    reach: Reach,
    at: Aim,
    { peer, noted }: SignInCall,
    error: IdentityError,
    found: Found,
  ): Promise<never> {
    if (found.user) noted['user_id'] = found.user.user_id;
    const entry = failed({ reason: error.reason, ...found }, error);
    await this.guard.stray(reach, { at, peer }, () => this.#recordRefused(reach, entry));
    throw error;
  }

  async #welcome(reach: Reach, user: User, found: Found): Promise<Admitted> {
    const now = this.clock.now();
    const { domain_id, user_id } = user;
    await this.mongo.transaction(reach, async (tx) => {
      const before = await this.users.recordSignIn(tx, user, now);
      if (before?.state === 'DISABLED') found.reason = 'ERROR_USER_STATE_DISABLED';
      // Disabled or given another password while this one was being checked.
      if (!before || before.state === 'DISABLED' || before.generation !== user.generation)
        throw notAGuess(new IdentityError('ERROR_AUTHENTICATION_FAILURE', { user_id }));
      actsAs(reach, { type: 'USER', id: user_id, domain_id });
      const first = before.state === 'PENDING' ? [ofUser('user.enable', user)] : [];
      await this.audit.record(tx, ofUser('user.sign_in', user, { detail: this.#demands(user) }), ...first);
    });
    return { user, session: { sid: newTokenId(), auth_time: epochSeconds(now) } };
  }

  /** What the user has to do before the sign-in is good for anything else. */
  #demands(user: User): AuditEntry['detail'] {
    const { required_actions } = user;
    const expired = this.policy.isExpired(user);
    if (required_actions.length === 0 && !expired) return undefined;
    return { required_actions, password_expired: expired };
  }

  async #recordRefused(reach: Reach, entry: AuditEntry | undefined): Promise<void> {
    if (entry) await this.audit.refused(reach, entry);
  }
}

function isHalf<H extends Half>(outcome: User | Admitted | H): outcome is H {
  return 'receipt' in outcome;
}

/** A failed attempt, with its true reason: callers are told one thing for many. */
function failed({ domain_id, user, right, reason }: Found, error: IdentityError): AuditEntry | undefined {
  if (domain_id === undefined) return undefined;
  // A user id that nobody has is not kept: it may be a password in the wrong field.
  if (!user) return ofUser('user.sign_in', { domain_id, user_id: '' }, { reason: 'ERROR_NOT_FOUND' });
  const truth = reason ?? (right ? error.reason : 'ERROR_AUTHENTICATION_FAILURE');
  return ofUser('user.sign_in', user, { reason: truth });
}

function isLateRefusal(error: unknown): error is IdentityError {
  return error instanceof IdentityError && LATE_REFUSALS.has(error.reason) && !isWrongProof(error);
}
