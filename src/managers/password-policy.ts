import type { Clock } from '../clock.js';
import { secondsAfter } from '../clock.js';
import type { User } from '../models/user.js';

const DAY_SECONDS = 86_400;

/** How long passwords are good for. */
export class PasswordPolicy {
  constructor(
    private readonly clock: Clock,
    private readonly settings: { validDays: number },
  ) {}

  /** When the password has to be changed; undefined when it never has to, or there is none. */
  expiry({ password_changed_at }: Pick<User, 'password_changed_at'>): Date | undefined {
    const { validDays } = this.settings;
    if (validDays === 0 || !password_changed_at) return undefined;
    return secondsAfter(password_changed_at, validDays * DAY_SECONDS);
  }

  /** When a password was set that ends then; undefined when none does. */
  setFor(expiry: Date): Date | undefined {
    const { validDays } = this.settings;
    return validDays === 0 ? undefined : secondsAfter(expiry, -validDays * DAY_SECONDS);
  }

  /** True when the password is older than it may be. */
  isExpired(user: Pick<User, 'password_changed_at'>): boolean {
    const expiry = this.expiry(user);
    return expiry !== undefined && expiry <= this.clock.now();
  }

  /** True when the password has to be changed before anything else: somebody demands it, or it is too old. */
  mustChange(user: Pick<User, 'required_actions' | 'password_changed_at'>): boolean {
    return user.required_actions.includes('UPDATE_PASSWORD') || this.isExpired(user);
  }
}
