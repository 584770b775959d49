import type { Clock } from '../clock.js';
import { epochSeconds } from '../clock.js';
import type { Reach } from '../connectors/mongo.js';
import { IdentityError } from '../errors.js';
import { newTokenId } from '../ids.js';
import type { User, UserKey, Users } from '../models/user.js';
import type { SignInGuard } from './sign-in-guard.js';

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

/** Proves who signs in; tells of the account as soon as it is known that there is one. */
export type Check = (known: (user: UserKey) => void) => Promise<User>;

/** The one door for signing in, whatever API it is asked through. */
export class Admission {
  constructor(
    private readonly users: Users,
    private readonly guard: SignInGuard,
    private readonly clock: Clock,
  ) {}

  /**
   * Runs the check as one attempt at that account and begins a session when it succeeds.
   * @throws IdentityError what the check throws, ERROR_LOGIN_BLOCKED, ERROR_AUTHENTICATION_FAILURE.
   */
  async admit(reach: Reach, key: UserKey, { peer, noted }: SignInCall, check: Check): Promise<Admitted> {
    const known = (user: UserKey) => void (noted['user_id'] = user.user_id);
    try {
      const user = await this.guard.signIn(reach, { ...key, peer }, () => check(known));
      return await this.#welcome(reach, user);
    } catch (error) {
      if (isBlocked(error) && !noted['user_id'])
        await this.users.find(reach, key).then((user) => user && known(user));
      throw error;
    }
  }

  async #welcome(reach: Reach, user: User): Promise<Admitted> {
    const now = this.clock.now();
    const current = await this.users.recordSignIn(reach, user, now);
    // Disabled or given another password while this one was being checked.
    if (current?.state !== 'ENABLED' || current.generation !== user.generation) {
      throw new IdentityError('ERROR_AUTHENTICATION_FAILURE', { user_id: user.user_id });
    }
    return { user, session: { sid: newTokenId(), auth_time: epochSeconds(now) } };
  }
}

function isBlocked(error: unknown): boolean {
  return error instanceof IdentityError && error.reason === 'ERROR_LOGIN_BLOCKED';
}
