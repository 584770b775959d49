/** An entry covers a permission in whole segments only: `identity:User` is not `identity:UserProfile` (D-15). */
export function covers(entry: string, permission: string): boolean {
  const prefix = prefixOf(entry);
  if (prefix === '' || prefix === permission) return true;
  if (!permission.startsWith(prefix)) return false;
  return /[:.]$/.test(prefix) || /[:.]/.test(permission.charAt(prefix.length));
}

/** Whether a role or token with these permissions may do one of the accepted things; without any it may do all. */
export function permits(permissions: readonly string[], accepted: readonly string[]): boolean {
  if (permissions.length === 0) return true;
  return permissions.some((entry) => accepted.some((permission) => covers(entry, permission)));
}

/** Whether whoever has these permissions has all of the others too; a list without any is all there is. */
export function includesAll(held: readonly string[], others: readonly string[]): boolean {
  if (held.length === 0) return true;
  return others.length > 0 && others.every((other) => permits(held, [prefixOf(other)]));
}

/** An entry that covers nothing: a list without any would allow all. */
const NOTHING: readonly string[] = ['-'];

/** The permissions that both lists have; a list without any has all. */
export function common(left: readonly string[], right: readonly string[]): readonly string[] {
  if (right.length === 0 || isSame(left, right)) return left;
  if (left.length === 0) return right;
  const others = right.map(prefixOf);
  const both = left.map(prefixOf).flatMap((one) => others.flatMap((other) => narrower(one, other)));
  return both.length > 0 ? both : NOTHING;
}

function narrower(one: string, other: string): string[] {
  if (covers(one, other)) return [other];
  return covers(other, one) ? [one] : [];
}

function prefixOf(entry: string): string {
  return entry.endsWith('*') ? entry.slice(0, -1) : entry;
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((entry, index) => entry === right[index]);
}
