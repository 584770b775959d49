import { randomInt } from 'node:crypto';
import { isCommonPassword } from './common-passwords.js';
import { IdentityError } from './errors.js';
import { HashQueue } from './hash-queue.js';
import type { HashQueueSettings, Waiting } from './hash-queue.js';
import { compareInThread, hashInThread } from './hash-threads.js';
import { identityKey } from './ids.js';
import { passwordStrength } from './password-strength.js';
import type { PasswordStrength } from './password-strength.js';

/** bcrypt takes no more; longer passwords are refused, never cut (D-20). */
const MAX_BYTES = 72;
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const rules: readonly [test: (password: string) => boolean, rule: string][] = [
  [(password) => password.length >= 8, 'At least 8 characters long'],
  [(password) => /[a-z]/.test(password), 'Contains at least one lowercase character'],
  [(password) => /[A-Z]/.test(password), 'Contains at least one uppercase character'],
  [(password) => /[0-9]/.test(password), 'Contains at least one number'],
  [(password) => Buffer.byteLength(password) <= MAX_BYTES, `At most ${MAX_BYTES} bytes long`],
  [(password) => !isCommonPassword(password), 'Is none of the commonest passwords'],
];

/**
 * Checks a new password, rule by rule in the reference's order (contract/behaviour.md 1.6, D-20).
 * @param names that it must not be, where the owner's count.
 * @throws IdentityError ERROR_INCORRECT_PASSWORD_FORMAT with the first rule broken.
 */
export function checkPasswordFormat(password: string, field: string, names: readonly string[] = []): void {
  const broken = rules.find(([test]) => !test(password));
  if (!broken) return checkIsNoName(password, names, field);
  const rule = broken[1];
  throw new IdentityError('ERROR_INCORRECT_PASSWORD_FORMAT', { rule }, [{ field, description: rule }]);
}

/**
 * Checks that a new password is none of the owner's names, forwards or backwards, in any letter case.
 * @throws IdentityError ERROR_INCORRECT_PASSWORD_FORMAT.
 */
function checkIsNoName(password: string, names: readonly string[], field: string): void {
  const key = identityKey(password);
  const reversed = [...key].reverse().join('');
  if (!names.some((name) => [key, reversed].includes(identityKey(name)))) return;
  const rule = 'Is neither the username nor its reverse';
  throw new IdentityError('ERROR_INCORRECT_PASSWORD_FORMAT', { rule }, [{ field, description: rule }]);
}

/** A temporary password: 12 letters and digits that pass every rule (contract/behaviour.md 1.6). */
export function temporaryPassword(): string {
  for (;;) {
    const password = Array.from({ length: 12 }, () => ALPHANUMERIC[randomInt(ALPHANUMERIC.length)]).join('');
    if (rules.every(([test]) => test(password))) return password;
  }
}

/** Whose password it is. */
type Owner = Partial<Record<'user_id' | 'username' | 'name' | 'email', string>>;

/** What is stored of a password. */
export interface StoredPassword {
  password: string;
  password_changed_at: Date;
  password_strength: PasswordStrength;
}

/** Hashes and compares passwords, a few at a time, behind one bounded queue. */
export class Passwords {
  readonly #queue: HashQueue;
  readonly #decoy: Promise<string>;

  constructor(
    private readonly cost: number,
    queue: HashQueueSettings,
  ) {
    this.#queue = new HashQueue(queue);
    // Through the queue, which learns from it how long a hash takes here.
    this.#decoy = this.#queue.run('NEW', () => hashInThread(temporaryPassword(), cost));
  }

  /**
   * What is stored of a password that passed `checkPasswordFormat`: its bcrypt hash, when it was set, and how hard it is
   * to guess for whoever knows the owner's names.
   * @throws IdentityError ERROR_TOO_BUSY, ERROR_REQUEST_TIMEOUT.
   */
  async secret(password: string, owner: Owner, now: Date, waiting: Waiting): Promise<StoredPassword> {
    const hash = await this.#queue.run('NEW', () => hashInThread(password, this.cost), waiting);
    const names = [owner.user_id, owner.username, owner.name, owner.email];
    const password_strength = passwordStrength(
      password,
      names.filter((name) => name !== undefined),
    );
    return { password: hash, password_changed_at: now, password_strength };
  }

  /**
   * True when the password belongs to the hash. Without a hash it is false after the same time, so that
   * nobody learns from the clock who exists (D-07).
   * @throws IdentityError ERROR_TOO_BUSY, ERROR_REQUEST_TIMEOUT; nothing was compared then.
   */
  async matches(password: string, hash: string | undefined, waiting: Waiting): Promise<boolean> {
    const against = hash ?? (await this.#decoy);
    const fits = Buffer.byteLength(password) <= MAX_BYTES;
    const compare = () => compareInThread(fits ? password : '', against);
    const equal = await this.#queue.run('CHECK', compare, waiting);
    return equal && fits && hash !== undefined;
  }

  /**
   * Does work that will check a password, with a turn for it that is promised before anything else is done.
   * @throws IdentityError ERROR_TOO_BUSY; what the work throws.
   */
  promise<T>(waiting: Waiting, work: () => Promise<T>): Promise<T> {
    return this.#queue.promise(waiting, work);
  }
}
