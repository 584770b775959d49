import { setTimeout as sleep } from 'node:timers/promises';
import type { Cipher } from '../cipher.js';
import type { Clock } from '../clock.js';
import type { Mongo, Reach, Tx } from '../connectors/mongo.js';
import { SETTLE_MS, settling } from '../connectors/mongo.js';
import type { Reason } from '../errors.js';
import { IdentityError } from '../errors.js';
import type { AttemptLimit, AttemptOutcome, SignInAttempts } from '../models/sign-in-attempts.js';
import type { UserKey } from '../models/user.js';
import { Turns } from '../turns.js';
import { accountCount, peerCount } from './attempt-counts.js';
import type { Aim } from './attempt-counts.js';
import { ofUser } from './audit.js';
import type { Audit, AuditEntry } from './audit.js';

export interface GuardSettings {
  attempts: number;
  attemptsPerPeer: number;
  windowSeconds: number;
}

/** One count of attempts. */
interface Count<T> {
  key: string;
  limit: AttemptLimit;
  /** What an attempt with this result does to it. */
  outcome: (result: T) => AttemptOutcome;
  told?: Told;
}

/** At whom something is tried, and from where. */
export interface Trial {
  at: Aim;
  peer: string;
}

/** Answers that tell of a wrong password or code, whatever flow asked for it. */
const WRONG_PROOF: ReadonlySet<Reason> = new Set<Reason>([
  'ERROR_AUTHENTICATION_FAILURE',
  'ERROR_INVALID_CREDENTIALS',
  'ERROR_INVALID_VERIFY_CODE',
  'ERROR_PASSWORD_NOT_MATCHED',
]);
const notGuessed = new WeakSet<IdentityError>();
const endings = new WeakMap<IdentityError, AuditEntry>();

/** Marks an answer that tells of a proof too late rather than wrong: a used code, a flow that is not open. */
export function notAGuess(error: IdentityError): IdentityError {
  notGuessed.add(error);
  return error;
}

/** Marks an answer to the guess that ended what was guessed at, with the entry that tells of it. */
export function ending(error: IdentityError, entry: AuditEntry): IdentityError {
  endings.set(error, entry);
  return error;
}

/** True for answers that count as a wrong attempt. */
export function isWrongProof(error: unknown): error is IdentityError {
  return error instanceof IdentityError && WRONG_PROOF.has(error.reason) && !notGuessed.has(error);
}

/** What a wrong attempt is recorded as; nothing when it was made at no account of any domain. */
export type Told = (error: IdentityError) => AuditEntry | undefined;

const neither = () => 'NEITHER' as const;

/** Waits for attempts of the same user that other instances have under way: doubling, this long in all. */
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2000;
/** Attempts at one user or strays of one address, and all of either, that wait; what comes beyond is refused at once. */
const MAX_WAITING = 200;
const MAX_WAITING_IN_ALL = 2000;
const STRAYS_AT_A_TIME = 4;

/**
 * The one guard of every flow that proves who somebody is (D-08, D-20): attempts count before they are made, for the
 * account and for the caller's address, in the database that all instances share.
 */
export class SignInGuard {
  /** Attempts of one user wait their turn here, so that many right ones at once do not look like a burst of guesses. */
  readonly #turns: Turns;
  /** So do the transactions that count wrong ones: they change one document, and would only make each other try again. */
  readonly #wrongs: Turns;
  /** Those who bring nothing that could be right, by address. */
  readonly #strays: Turns;

  constructor(
    private readonly mongo: Mongo,
    private readonly attempts: SignInAttempts,
    private readonly cipher: Cipher,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly settings: GuardSettings,
  ) {
    const bounds = { waiting: MAX_WAITING, waitingInAll: MAX_WAITING_IN_ALL };
    this.#turns = new Turns({ atATime: Math.ceil(settings.attempts / 2), ...bounds });
    this.#strays = new Turns({ atATime: STRAYS_AT_A_TIME, ...bounds });
    // Those who count one are as many as had a turn.
    this.#wrongs = new Turns({ atATime: 1, waiting: Infinity, waitingInAll: Infinity });
  }

  /**
   * Runs a sign-in as one attempt of that user from that peer. One that is finished clears the user's count; a wrong
   * password or code stays counted, anything else is taken back.
   * @throws IdentityError ERROR_LOGIN_BLOCKED without running the check when the attempts are used up.
   */
  signIn<T>(
    reach: Reach,
    trial: Trial,
    told: Told,
    isFinished: (result: T) => boolean,
    check: () => Promise<T>,
  ): Promise<T> {
    return this.#attempt(reach, trial, (result) => (isFinished(result) ? 'RIGHT' : 'NEITHER'), told, check);
  }

  /**
   * Runs a check of a password or code inside a session. A right one does not clear the count: whoever can prove
   * one thing must not get more guesses at another.
   * @param about the action that fails with a wrong one, and what has to be so before one can be right: without it the
   * check takes no turn and counts for nothing.
   * @throws IdentityError ERROR_LOGIN_BLOCKED without running the check when the attempts are used up; what `ready` throws.
   */
  async proof<T>(
    reach: Reach,
    who: UserKey & { peer: string },
    { action, detail, ready }: Pick<AuditEntry, 'action' | 'detail'> & { ready?: () => Promise<void> },
    check: () => Promise<T>,
  ): Promise<T> {
    const told: Told = ({ reason }) => ofUser(action, who, { reason, detail });
    await ready?.().catch(async (error: unknown) => {
      await this.#assertOpen(reach, { user: who });
      throw error;
    });
    return this.#attempt(reach, { at: { user: who }, peer: who.peer }, neither, told, check);
  }

  /**
   * Counts a request that anybody may make for anybody, by the caller's address alone.
   * @throws IdentityError ERROR_TOO_MANY_REQUESTS.
   */
  async request(reach: Reach, kind: string, peer: string): Promise<void> {
    const { attemptsPerPeer: attempts, windowSeconds } = this.settings;
    if (!(await this.#strike(reach, peerCount(kind, peer), { attempts, windowSeconds })))
      throw new IdentityError('ERROR_TOO_MANY_REQUESTS', { reason: 'requests from this address' });
  }

  /**
   * Counts and records somebody who brings nothing that could be right: by the caller's address, and without a turn among
   * the attempts at the account, which many of them would keep from their owner. Those of one address take turns.
   * @throws IdentityError ERROR_LOGIN_BLOCKED when the attempts at the account or of the address are used up; ERROR_TOO_BUSY.
   */
  async stray(reach: Reach, { at, peer }: Trial, record: () => Promise<void>): Promise<void> {
    const { attemptsPerPeer: attempts, windowSeconds } = this.settings;
    const key = peerCount('peer', peer);
    await this.#strays.run(reach, key, async () => {
      await this.#assertOpen(reach, at);
      if (!(await this.#strike(reach, key, { attempts, windowSeconds })))
        throw new IdentityError('ERROR_LOGIN_BLOCKED');
      await record();
    });
  }

  /** Forgets the wrong attempts at a user, and so the block: who is there no more, or got another password. */
  forget(reach: Reach, user: UserKey): Promise<void> {
    return this.attempts.drop(reach, accountCount({ user }, this.cipher));
  }

  /** True while the user's sign-in is blocked after too many wrong attempts. */
  isBlocked(reach: Reach, at: Aim): Promise<boolean> {
    return this.attempts.isUsedUp(
      reach,
      accountCount(at, this.cipher),
      this.settings.attempts,
      this.clock.now(),
    );
  }

  async #assertOpen(reach: Reach, at: Aim): Promise<void> {
    if (await this.isBlocked(reach, at)) throw new IdentityError('ERROR_LOGIN_BLOCKED');
  }

  #attempt<T>(
    reach: Reach,
    { at, peer }: Trial,
    outcome: (result: T) => AttemptOutcome,
    told: Told,
    check: () => Promise<T>,
  ): Promise<T> {
    const { attempts, attemptsPerPeer, windowSeconds } = this.settings;
    const ofPeer: Count<T> = {
      key: peerCount('peer', peer),
      limit: { attempts: attemptsPerPeer, windowSeconds },
      outcome: neither,
    };
    const ofAccount: Count<T> = {
      key: accountCount(at, this.cipher),
      limit: { attempts, windowSeconds },
      outcome,
      told,
    };
    return this.#turns.run(reach, ofAccount.key, () =>
      this.#counted(reach, ofPeer, () => this.#counted(reach, ofAccount, check)),
    );
  }

  async #counted<T>(reach: Reach, count: Count<T>, check: () => Promise<T>): Promise<T> {
    const id = await this.#reserve(reach, count.key, count.limit);
    let result: T;
    try {
      result = await check();
    } catch (error) {
      if (isWrongProof(error)) await this.#settleWrong(settling(reach), count, id, error);
      else await this.#settle(settling(reach), count, id, 'NEITHER');
      throw error;
    }
    await this.#settle(settling(reach), count, id, count.outcome(result));
    return result;
  }

  /** Counts what nothing is checked for; false when the count is used up. */
  async #strike(reach: Reach, key: string, limit: AttemptLimit): Promise<boolean> {
    const now = this.clock.now();
    const permit = await this.attempts.reserve(reach, key, limit, now, SETTLE_MS);
    if (typeof permit === 'string') return false;
    await this.attempts.settle(reach, key, permit.id, 'WRONG', limit, now);
    return true;
  }

  #settle(
    reach: Reach,
    { key, limit }: Pick<Count<never>, 'key' | 'limit'>,
    id: string,
    outcome: AttemptOutcome,
  ): Promise<boolean> {
    return this.attempts.settle(reach, key, id, outcome, limit, this.clock.now());
  }

  /** Counts a wrong attempt together with the record of it, and of the block that it is the last one before. */
  async #settleWrong(reach: Reach, count: Count<never>, id: string, error: IdentityError): Promise<void> {
    const entry = count.told?.(error);
    if (!entry) {
      await this.#settle(reach, count, id, 'WRONG');
      return;
    }
    const work = async (tx: Tx) => {
      const blocks = await this.#settle(tx, count, id, 'WRONG');
      const { domain_id, target } = entry;
      // What nobody has cannot be locked.
      const lock: AuditEntry[] = blocks && target.id ? [{ action: 'user.lock', domain_id, target }] : [];
      const ended = endings.get(error);
      await this.audit.record(tx, entry, ...(ended ? [ended] : []), ...lock);
    };
    await this.#wrongs.run(reach, count.key, () => this.mongo.transaction(reach, work));
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
      await this.#turns.wait(reach, () => sleep(wait));
    }
  }
}
