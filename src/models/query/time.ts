const ISO =
  /^(\d{4})-(\d{2})(?:-(\d{2}))?(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/;
const TIMEDIFF = /^ ?now(?:\/([dwm]))?(?: ?([+-]) ?(\d{1,10}) ?([smhdw]))? ?$/;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const UNIT_MS: Record<string, number> = {
  s: 1000,
  m: MINUTE_MS,
  h: 60 * MINUTE_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
};

/**
 * Reads an ISO 8601 time; one without a zone is UTC (contract/query.md 2.1, datetime_*). Undefined when the text
 * is none, names a day that does not exist or a time outside of the years 0001 to 9999, which engines cannot tell.
 */
export function parseTime(text: string): Date | undefined {
  const parts = ISO.exec(text);
  if (!parts) return undefined;
  const [, year, month, day = '1', hour = '0', minute = '0', second = '0', fraction = '0', zone = 'Z'] =
    parts;
  const values = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [y, mo, d, h, mi, s] = values;
  const milliseconds = Number(fraction.padEnd(3, '0').slice(0, 3));
  const time = new Date(0);
  time.setUTCFullYear(y, mo - 1, d);
  time.setUTCHours(h, mi, s, milliseconds);
  const exists = time.getUTCMonth() === mo - 1 && time.getUTCDate() === d && h < 24 && mi < 60 && s < 60;
  const offset = zoneMilliseconds(zone);
  return exists && offset !== undefined ? tellable(new Date(time.getTime() - offset)) : undefined;
}

function tellable(time: Date): Date | undefined {
  const year = time.getUTCFullYear();
  return year >= 1 && year <= 9999 ? time : undefined;
}

function zoneMilliseconds(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
}

/**
 * Reads a time relative to now, in UTC: `now`, `now/d` (midnight), `now/w` (Monday), `now/m` (first of the month),
 * each with `+|- N s|m|h|d|w` (contract/query.md 2.1, timediff_*). Undefined when the text is none.
 */
export function parseTimediff(text: string, now: Date): Date | undefined {
  const parts = TIMEDIFF.exec(text);
  if (!parts) return undefined;
  const [, base, sign, amount, unit] = parts;
  const shift = unit ? Number(amount) * UNIT_MS[unit]! * (sign === '-' ? -1 : 1) : 0;
  return tellable(new Date(startOf(base, now) + shift));
}

function startOf(base: string | undefined, now: Date): number {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  if (base === 'd') return Date.UTC(year, month, day);
  if (base === 'w') return Date.UTC(year, month, day - ((now.getUTCDay() + 6) % 7));
  if (base === 'm') return Date.UTC(year, month, 1);
  return now.getTime();
}
