import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { Clock } from '../clock.js';
import type { Reach } from '../connectors/mongo.js';
import type { Reason } from '../errors.js';
import { IdentityError } from '../errors.js';
import { identityKey } from '../ids.js';
import type { AttemptLimit, AttemptOutcome, SignInAttempts } from '../models/sign-in-attempts.js';
import type { UserKey } from '../models/user.js';

export interface GuardSettings {
  attempts: number;
  attemptsPerPeer: number;
  windowSeconds: number;
}

/** Who tries, and from where. */
export type Trier = UserKey & { peer: string };

/** Answers that tell of a wrong password or code, whatever flow asked for it. */
const WRONG_PROOF: ReadonlySet<Reason> = new Set<Reason>([
  'ERROR_AUTHENTICATION_FAILURE',
  'ERROR_INVALID_CREDENTIALS',
  'ERROR_INVALID_VERIFY_CODE',
  'ERROR_PASSWORD_NOT_MATCHED',
]);
const notGuessed = new WeakSet<IdentityError>();

/** Marks an answer that tells of a proof too late rather than wrong: a used code, a flow that is not open. */
export function notAGuess(error: IdentityError): IdentityError {
  notGuessed.add(error);
  return error;
}

function isWrongProof(error: unknown): boolean {
  return error instanceof IdentityError && WRONG_PROOF.has(error.reason) && !notGuessed.has(error);
}

/** Waits for attempts of the same user that other instances have under way: doubling, this long in all. */
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2000;
const SETTLE_MS = 5000;
/** Attempts of one user that wait their turn; what comes beyond is refused at once. */
const MAX_WAITING = 200;

/**
 * The one guard of every flow that proves who somebody is (D-08, D-20): attempts count before they are made, for the
 * account and for the caller's address, in the database that all instances share.
 */
export class SignInGuard {
  /** Attempts of one user wait their turn here, so that many right ones at once do not look like a burst of guesses. */
  readonly #turns = new Map<string, PQueue>();

  constructor(
    private readonly attempts: SignInAttempts,
    private readonly clock: Clock,
    private readonly settings: GuardSettings,
  ) {}

  /**
   * Runs a sign-in as one attempt of that user from that peer. Tokens in hand clear the user's count; a wrong
   * password or code stays counted, anything else is taken back.
   * @throws IdentityError ERROR_LOGIN_BLOCKED without running the check when the attempts are used up.
   */
  signIn<T>(reach: Reach, who: Trier, check: () => Promise<T>): Promise<T> {
    return this.#attempt(reach, who, 'RIGHT', check);
  }

  /**
   * Runs a check of a password or code inside a session. A right one does not clear the count: whoever can prove
   * one thing must not get more guesses at another.
   * @throws IdentityError ERROR_LOGIN_BLOCKED without running the check when the attempts are used up.
   */
  proof<T>(reach: Reach, who: Trier, check: () => Promise<T>): Promise<T> {
    return this.#attempt(reach, who, 'NEITHER', check);
  }

  /**
   * Counts a request that anybody may make for anybody, by the caller's address alone.
   * @throws IdentityError ERROR_TOO_MANY_REQUESTS.
   */
  async request(reach: Reach, kind: string, peer: string): Promise<void> {
    const { attemptsPerPeer: attempts, windowSeconds } = this.settings;
    const limit = { attempts, windowSeconds };
    const now = this.clock.now();
    const key = `${kind}/${peer}`;
    const permit = await this.attempts.reserve(reach, key, limit, now, SETTLE_MS);
    if (typeof permit === 'string') {
      throw new IdentityError('ERROR_TOO_MANY_REQUESTS', { reason: 'requests from this address' });
    }
    await this.attempts.settle(reach, key, permit.id, 'WRONG', limit, now);
  }

  /** True while the user's sign-in is blocked after too many wrong attempts. */
  isBlocked(reach: Reach, who: UserKey): Promise<boolean> {
    return this.attempts.isUsedUp(reach, userCount(who), this.settings.attempts, this.clock.now());
  }

  #attempt<T>(reach: Reach, who: Trier, onSuccess: AttemptOutcome, check: () => Promise<T>): Promise<T> {
    const { attempts, attemptsPerPeer, windowSeconds } = this.settings;
    const user = userCount(who);
    return this.#inTurn(user, () =>
      this.#counted(reach, `peer/${who.peer}`, { attempts: attemptsPerPeer, windowSeconds }, 'NEITHER', () =>
        this.#counted(reach, user, { attempts, windowSeconds }, onSuccess, check),
      ),
    );
  }

  async #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turns = this.#turns.get(key) ?? new PQueue({ concurrency: Math.ceil(this.settings.attempts / 2) });
    if (turns.size >= MAX_WAITING)
      throw new IdentityError('ERROR_TOO_BUSY', { reason: 'attempts of this user' }, [], {
        retryAfterMs: 1000,
      });
    this.#turns.set(key, turns);
    try {
      return await turns.add(work);
    } finally {
      if (turns.size === 0 && turns.pending === 0) this.#turns.delete(key);
    }
  }

  async #counted<T>(
    reach: Reach,
    key: string,
    limit: AttemptLimit,
    onSuccess: AttemptOutcome,
    check: () => Promise<T>,
  ): Promise<T> {
    const id = await this.#reserve(reach, key, limit);
    let outcome: AttemptOutcome = 'NEITHER';
    try {
      const result = await check();
      outcome = onSuccess;
      return result;
    } catch (error) {
      if (isWrongProof(error)) outcome = 'WRONG';
      throw error;
    } finally {
      // Counted even when the caller has given up: with a deadline of its own.
      const settling = { deadline: Date.now() + SETTLE_MS };
      await this.attempts.settle(settling, key, id, outcome, limit, this.clock.now());
    }
  }

  async #reserve(reach: Reach, key: string, limit: AttemptLimit): Promise<string> {
    const latest = Date.now() + LONGEST_WAIT_MS;
    for (let wait = FIRST_WAIT_MS; ; wait *= 2) {
      const left = reach.deadline - Date.now();
      if (left <= 0) throw new IdentityError('ERROR_REQUEST_TIMEOUT');
      // Held for as long as the check can last, and its outcome can be on the way.
      const holdMs = left + 2 * SETTLE_MS;
      const permit = await this.attempts.reserve(reach, key, limit, this.clock.now(), holdMs);
      if (typeof permit !== 'string') return permit.id;
      const late = Date.now() + wait > Math.min(latest, reach.deadline);
      if (permit === 'BLOCKED' || late) throw new IdentityError('ERROR_LOGIN_BLOCKED');
      await sleep(wait);
    }
  }
}

/** The account is known by domain and id alone: nothing else that a caller sends makes a new count. */
function userCount(who: UserKey): string {
  return `user/${who.domain_id}/${identityKey(who.user_id)}`;
}
