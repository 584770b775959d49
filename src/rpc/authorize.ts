import { IdentityError } from '../errors.js';
import type { Caller } from '../managers/sessions.js';
import { permits } from '../permissions.js';
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
  if (caller.kind === 'SYSTEM' || 'anyToken' in access) return;
  if (!caller.role_type) throw denied();
  if (!('self' in access) && !access.roleTypes.includes(caller.role_type)) throw denied();
  if (!permits(caller.permissions, [...access.permissions, ownName])) throw denied();
}

function denied(): IdentityError {
  return new IdentityError('ERROR_PERMISSION_DENIED');
}
