/** An entry covers a permission in whole segments only: `identity:User` is not `identity:UserProfile` (D-15). */
export function covers(entry: string, permission: string): boolean {
  const prefix = entry.endsWith('*') ? entry.slice(0, -1) : entry;
  if (prefix === '' || prefix === permission) return true;
  if (!permission.startsWith(prefix)) return false;
  return /[:.]$/.test(prefix) || /[:.]/.test(permission.charAt(prefix.length));
}

/** Whether a role or token with these permissions may do one of the accepted things; without any it may do all. */
export function permits(permissions: readonly string[], accepted: readonly string[]): boolean {
  if (permissions.length === 0) return true;
  return permissions.some((entry) => accepted.some((permission) => covers(entry, permission)));
}
