import { availableParallelism } from 'node:os';
import { randomInt } from 'node:crypto';
import bcrypt from 'bcrypt';
import PQueue from 'p-queue';
import { isCommonPassword } from './common-passwords.js';
import { IdentityError } from './errors.js';

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
 * @throws IdentityError ERROR_INCORRECT_PASSWORD_FORMAT with the first rule broken.
 */
export function checkPasswordFormat(password: string, field: string): void {
  const broken = rules.find(([test]) => !test(password));
  if (!broken) return;
  const rule = broken[1];
  throw new IdentityError('ERROR_INCORRECT_PASSWORD_FORMAT', { rule }, [{ field, description: rule }]);
}

/** A temporary password: 12 letters and digits that pass every rule (contract/behaviour.md 1.6). */
export function temporaryPassword(): string {
  for (;;) {
    const password = Array.from({ length: 12 }, () => ALPHANUMERIC[randomInt(ALPHANUMERIC.length)]).join('');
    if (rules.every(([test]) => test(password))) return password;
  }
}

/**
 * Hashes and compares passwords, as many at a time as there are cores: more would only take the processor
 * from the calls that hash nothing.
 */
export class Passwords {
  readonly #queue = new PQueue({ concurrency: availableParallelism() });
  readonly #decoy: Promise<string>;

  constructor(private readonly cost: number) {
    this.#decoy = bcrypt.hash(temporaryPassword(), cost);
  }

  /** The bcrypt hash of a password that passed `checkPasswordFormat`. */
  async hash(password: string): Promise<string> {
    return this.#queue.add(() => bcrypt.hash(password, this.cost));
  }

  /**
   * True when the password belongs to the hash. Without a hash it is false after the same time, so that
   * nobody learns from the clock who exists (D-07).
   */
  async matches(password: string, hash: string | undefined): Promise<boolean> {
    const against = hash ?? (await this.#decoy);
    const fits = Buffer.byteLength(password) <= MAX_BYTES;
    const equal = await this.#queue.add(() => bcrypt.compare(fits ? password : '', against));
    return equal && fits && hash !== undefined;
  }
}
