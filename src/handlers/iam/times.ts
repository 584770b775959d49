/** UTC as `2020-07-08 02:19:03.0`: a fraction of at least one digit and without further zeros; null when unset. */
export function osUserTime(at: Date | undefined): string | null {
  if (!at) return null;
  const [seconds, fraction] = at.toISOString().slice(0, -1).split('.') as [string, string];
  return `${seconds.replace('T', ' ')}.${fraction.replace(/(?<=\d)0+$/, '')}`;
}

/** UTC as `2022-04-13 16:57:36.532`, or null when unset. */
export function csmsTime(at: Date | undefined): string | null {
  return at ? at.toISOString().slice(0, -1).replace('T', ' ') : null;
}

/** UTC as `2016-12-07T00:00:00.000000Z`, with microseconds. */
export function tokenTime(at: Date): string {
  return at.toISOString().replace('Z', '000Z');
}

/** UTC as `2016-12-07T00:00:00.000000`, which is how users have it: no Z unless asked for; null when unset. */
export function userTime(at: Date | undefined, withZ: boolean): string | null {
  if (!at) return null;
  return withZ ? tokenTime(at) : tokenTime(at).slice(0, -1);
}
