import { z } from 'zod';
import { isEmailAddress } from '../email-address.js';
import { isReadable, isVisible } from '../visible-text.js';

const STRUCT_BYTES = 65_536;
const TAGS: StructBounds = { depth: 16, values: 10_000, stored: true };
/** Of what a manager looks into, no field of which is an object with many. */
const SMALL: StructBounds = { depth: 8, values: 100, stored: false };

/** Text of seen characters alone, trimmed, of at most so many (contract/behaviour.md 1, "Strings"). */
export function text(max: number): z.ZodType<string> {
  return z
    .string('must be a text')
    .transform((value) => value.trim())
    .pipe(
      z
        .string()
        .max(max, `must be at most ${max} characters long`)
        .refine(isReadable, 'must not hold control or invisible characters'),
    );
}

/** Text as it was written, of at most so many seen characters, tabs and line breaks. */
export function lines(max: number): z.ZodType<string> {
  return z
    .string('must be a text')
    .max(max, `must be at most ${max} characters long`)
    .refine(
      (value) => isReadable(value.replace(/[\t\r\n]/g, '')),
      'must not hold control or invisible characters',
    );
}

/** Text that names something: blanks alone are no name at all. */
function identifier(max: number): z.ZodType<string> {
  return text(max).refine((value) => value !== '', {
    error: 'is required',
    params: { reason: 'ERROR_REQUIRED_PARAMETER' },
  });
}

/** An id of a resource. */
export const id = identifier(64);

/** A user id for a new user (D-36). */
export const newUserId = identifier(60)
  .refine((value) => !/\s/u.test(value), 'must not hold blanks')
  .refine(isVisible, 'must not hold control or invisible characters')
  .refine(
    (value) => !/^[0-9a-f]{32}$/i.test(value.normalize('NFKC')),
    'must not be 32 hexadecimal digits: the opaque ids of users are',
  );

/** The id of a user that exists. */
export const userId = identifier(60);

/** Longer than any id, and as much of a wrong one as an answer repeats. */
const REF_SHOWN = 64;

/** The id of a resource of the IAM systems, as it is. What can be no id is no mistake there but finds nothing. */
export const ref: z.ZodType<string> = z
  .string()
  .transform((value) => value.slice(0, REF_SHOWN))
  .refine((value) => value !== '', { error: 'is required', params: { reason: 'ERROR_REQUIRED_PARAMETER' } });

/** A user of the IAM systems: opaque id or user_id. */
export const userRef = ref;

/** A display name. */
export const name = text(128);

/** One e-mail address (D-21). */
export const email = text(254).refine(isEmailAddress, {
  error: 'Email format required: one address such as name@example.com',
  params: { reason: 'ERROR_INCORRECT_EMAIL_FORMAT' },
});

/** A password as it was typed: never trimmed; the rules for new ones are in password.ts. */
export const password = z.string('must be a text').max(1024, 'must be at most 1024 characters long');

/** A language tag of at most 7 characters (BCP 47, D-29). */
export const language = text(7).refine(
  (value) => /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,4})?$/.test(value),
  'must be a language tag such as en or pt-BR',
);

/** A name of the IANA time zone database, kept in its own letter case. */
export const timezone = text(64)
  .refine((value) => zoneName(value) !== undefined, 'Timezone is invalid.')
  .transform((value) => zoneName(value)!);

/** A code that was mailed or shown; blanks around it do not count. */
export const verifyCode = identifier(32);

/** A signed token. */
export const token = z.string().max(8192, 'must be at most 8192 characters long');

// Not z.record: it leaves a key named __proto__ out instead of reporting it.
const object = z.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
);

/** Free tags: a JSON object, bounded in depth and size, without keys that mean something to the database (P18). */
export const tags = object
  .superRefine((value, context) => {
    const problem = structProblem(value, TAGS);
    if (problem) context.addIssue({ code: 'custom', message: problem });
    else if (Buffer.byteLength(JSON.stringify(value)) > STRUCT_BYTES) {
      context.addIssue({ code: 'custom', message: `must be at most ${STRUCT_BYTES} bytes of JSON` });
    }
  })
  .transform((value) => trimmed(value) as Record<string, unknown>);

/** Any value of few parts, whose content is checked elsewhere. */
export const small = z.unknown().superRefine(ofFewParts);

/** An object of few parts whose content the manager checks itself (credentials, options). */
export const struct = object.superRefine(ofFewParts);

/** A value of an enum, by name. */
export function enumValue<const T extends readonly [string, ...string[]]>(values: T): z.ZodType<T[number]> {
  return z.enum(values, {
    error: (issue) => (issue.input === undefined ? undefined : `must be one of ${values.join(', ')}`),
  });
}

/** A true or absent flag. */
export const flag = z.boolean().default(false);

const SPELLINGS = new Map([
  ...['true', 't', 'yes', 'y', 'on', '1'].map((word) => [word, true] as const),
  ...['false', 'f', 'no', 'n', 'off', '0'].map((word) => [word, false] as const),
]);

/** A boolean in any spelling that clients of OpenStack Identity use: true, 1, "yes", "Off". */
export const anyBoolean: z.ZodType<boolean> = z.unknown().transform((value, context) => {
  if (typeof value === 'boolean') return value;
  const plain = typeof value === 'string' || typeof value === 'number';
  const known = plain ? SPELLINGS.get(String(value).toLowerCase()) : undefined;
  if (known === undefined)
    context.addIssue({
      code: 'custom',
      message: 'must be a boolean: true or false',
      params: { given: true },
    });
  return known ?? z.NEVER;
});

/** A field that is on the wire and has no effect here. */
export const ignored = z.unknown().optional();

/** Name of a domain. */
export const domainName = identifier(255);

/** The first administrator of a domain; an empty field of a nested message is an absent one too. */
export const admin = z.preprocess(
  (value) =>
    value &&
    Object.fromEntries(Object.entries(value).filter(([, item]) => item !== '' && item !== undefined)),
  z
    .object({
      user_id: newUserId,
      password: password.optional(),
      name,
      email: email.optional(),
      language: language.optional(),
      timezone: timezone.optional(),
      tags: tags.optional(),
      reset_password: flag,
    })
    .superRefine(({ password: given, reset_password }, context) => {
      if (given || reset_password) return;
      context.addIssue({ code: 'custom', path: ['password'], message: 'is required' });
    }),
);

/** Seconds. */
export const seconds = z.number();

/** A nested message whose content is checked by the compiler of the query language (contract/query.md). */
export function message<T>(): z.ZodType<T> {
  return z.custom<T>((value) => typeof value === 'object' && value !== null, 'must be an object');
}

/** The name as the database writes it; names are compared exactly elsewhere, but not by Intl. */
function zoneName(value: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(value)) return undefined;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions();
    return timeZone.toLowerCase() === value.toLowerCase() ? timeZone : value;
  } catch {
    return undefined;
  }
}

function ofFewParts(value: unknown, context: z.RefinementCtx): void {
  const problem = structProblem(value, SMALL);
  if (problem) context.addIssue({ code: 'custom', message: problem });
}

interface StructBounds {
  depth: number;
  /** Keys and elements of all levels together. */
  values: number;
  /** Whether it goes into the database, so that keys must not mean something there. */
  stored: boolean;
}

/** What is wrong with a value of a Struct; stops at the first problem, however large the rest is. */
function structProblem(
  value: unknown,
  bounds: StructBounds,
  depth = 1,
  left = { values: bounds.values },
): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return 'must hold finite numbers only';
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > bounds.depth) return `must be nested at most ${bounds.depth} deep`;
  // Object.keys, because entries of a huge list would all be made before the first is looked at.
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    if ((left.values -= 1) < 0) return `must hold at most ${bounds.values} values`;
    const problem =
      (bounds.stored && typeof key === 'string' && keyProblem(key)) ||
      structProblem((value as Record<string | number, unknown>)[key], bounds, depth + 1, left);
    if (problem) return problem;
  }
  return undefined;
}

/** Keys are stored trimmed, so the trimmed one is looked at. */
function keyProblem(key: string): string | undefined {
  if (key.trim() !== '__proto__' && !/[.\0]|^\s*\$|^\s*$/.test(key)) return undefined;
  const shown = key.replace(/\0/g, '\\0').slice(0, 64);
  return `must not hold the key '${shown}': keys start without $ and hold no dot and no NUL`;
}

function trimmed(value: unknown): unknown {
  if (typeof value === 'string') return value.trim();
  if (Array.isArray(value)) return value.map(trimmed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.trim(), trimmed(item)]));
}
