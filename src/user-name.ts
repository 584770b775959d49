import { invalidParameter } from './errors.js';

const USERNAME = /^[A-Za-z._-][A-Za-z0-9._-]{4,31}$/;

/**
 * Checks a username that is given through OpenStack Identity.
 * @throws IdentityError ERROR_INVALID_PARAMETER naming the rule.
 */
export function checkUsername(name: string, field: string): void {
  if (/^[0-9a-f]{32}$/i.test(name))
    throw invalidParameter(field, 'must not be 32 hexadecimal digits: the opaque ids of users are');
  if (USERNAME.test(name)) return;
  throw invalidParameter(
    field,
    'must be 5 to 32 letters, digits, hyphens, underscores or periods, and not start with a digit',
  );
}
