import type { Clock } from '../clock.js';
import type { Reach } from '../connectors/mongo.js';
import type { Reason } from '../errors.js';
import { IdentityError } from '../errors.js';
import { identityKey } from '../ids.js';
import type { SignInAttempts } from '../models/sign-in-attempts.js';
import type { UserKey } from '../models/user.js';

export interface GuardSettings {
  attempts: number;
  attemptsPerPeer: number;
  windowSeconds: number;
}

/** Answers that tell of a wrong password or code, whatever flow asked for it. */
const WRONG_PROOF: ReadonlySet<Reason> = new Set<Reason>([
  'ERROR_AUTHENTICATION_FAILURE',
  'ERROR_INVALID_CREDENTIALS',
  'ERROR_INVALID_VERIFY_CODE',
  'ERROR_PASSWORD_NOT_MATCHED',
]);

/**
 * The one guard of every flow that proves who somebody is (D-08, D-20): attempts count before they are made, for the
 * account and for the caller's address, in the database that all instances share.
 */
export class SignInGuard {
  constructor(
    private readonly attempts: SignInAttempts,
    private readonly clock: Clock,
    private readonly settings: GuardSettings,
  ) {}

  /**
   * Runs a check of a password or code as one attempt of that user from that peer. A right one clears the
   * user's count, a wrong one stays counted, anything else is taken back.
   * @throws IdentityError ERROR_LOGIN_BLOCKED without running the check when the attempts are used up.
   */
  async attempt<T>(reach: Reach, who: UserKey & { peer: string }, check: () => Promise<T>): Promise<T> {
    // The account is known by domain and id alone: nothing else that a caller sends makes a new count.
    const user = `user/${who.domain_id}/${identityKey(who.user_id)}`;
    const peer = `peer/${who.peer}`;
    const { attempts, attemptsPerPeer, windowSeconds } = this.settings;
    const now = this.clock.now();
    const [userMay, peerMay] = await Promise.all([
      this.attempts.reserve(reach, user, attempts, windowSeconds, now),
      this.attempts.reserve(reach, peer, attemptsPerPeer, windowSeconds, now),
    ]);
    if (!userMay || !peerMay) throw new IdentityError('ERROR_LOGIN_BLOCKED');
    try {
      const result = await check();
      await Promise.all([this.attempts.clear(reach, user), this.attempts.release(reach, peer)]);
      return result;
    } catch (error) {
      if (!(error instanceof IdentityError && WRONG_PROOF.has(error.reason))) {
        await Promise.all([this.attempts.release(reach, user), this.attempts.release(reach, peer)]);
      }
      throw error;
    }
  }
}
