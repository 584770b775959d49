import { IdentityError } from '../errors.js';
import type { Caller } from '../managers/sessions.js';
import type { Access } from './call.js';

/**
 * Whether this kind of caller may call the method (contract/behaviour.md 1.4). A system token may call all.
 * @throws IdentityError ERROR_PERMISSION_DENIED.
 */
export function authorize(
  caller: Caller,
  access: Exclude<Access, { anonymous: true }>,
  ownName: string,
): void {
  if (caller.kind === 'SYSTEM') return;
  if (!caller.role_type) throw denied();
  if (!('self' in access) && !access.roleTypes.includes(caller.role_type)) throw denied();
  if (caller.permissions.length === 0) return;
  const accepted = [...access.permissions, ownName];
  if (!caller.permissions.some((entry) => accepted.some((permission) => covers(entry, permission))))
    throw denied();
}

/** An entry covers a permission in whole segments only: `identity:User` is not `identity:UserProfile` (D-15). */
export function covers(entry: string, permission: string): boolean {
  const prefix = entry.endsWith('*') ? entry.slice(0, -1) : entry;
  if (prefix === '' || prefix === permission) return true;
  if (!permission.startsWith(prefix)) return false;
  return /[:.]$/.test(prefix) || /[:.]/.test(permission.charAt(prefix.length));
}

function denied(): IdentityError {
  return new IdentityError('ERROR_PERMISSION_DENIED');
}
