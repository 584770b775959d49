import type { FieldViolation } from '../../errors.js';
import { IdentityError, invalidParameter } from '../../errors.js';

const SHOWN_CHARACTERS = 120;

/**
 * A query that cannot be carried out: the caller's mistake (D-26). The reason is free of data that the caller
 * did not send.
 */
export function queryError(reason: string, violations: readonly FieldViolation[] = []): IdentityError {
  return new IdentityError('ERROR_DB_QUERY', { reason }, violations);
}

/** What the caller sent, quoted for an error text, cut to a readable length. */
export function shown(sent: unknown): string {
  const text = typeof sent === 'string' ? `"${sent}"` : (JSON.stringify(sent) ?? 'null');
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

/**
 * Refuses more of something than a query may hold.
 * @throws IdentityError ERROR_INVALID_PARAMETER naming the place and the bound.
 */
export function atMost(count: number, bound: number, key: string, what: string): void {
  if (count > bound) throw invalidParameter(key, `at most ${bound} ${what} are allowed`);
}
