import { z } from 'zod';
import { AddressRanges } from './address-ranges.js';

/** One setting: its environment name comes from the key, its meaning is the row of docs/configuration.md. */
export interface Setting<T> {
  type: string;
  meaning: string;
  fallback: string | undefined;
  schema: z.ZodType<T>;
}

/** Any text but the empty one. */
export const text = (fallback: string | undefined, meaning: string): Setting<string> => ({
  type: 'text',
  meaning,
  fallback,
  schema: z.string().min(1, 'must not be empty'),
});

/** A whole number within bounds. */
export const whole = (fallback: number, min: number, max: number, meaning: string): Setting<number> => ({
  type: `whole number ${min}..${max}`,
  meaning,
  fallback: String(fallback),
  schema: z.coerce
    .number({ error: 'must be a number' })
    .int('must be a whole number')
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`),
});

/** One of these words. */
export const oneOf = <const T extends readonly [string, ...string[]]>(
  values: T,
  fallback: T[number],
  meaning: string,
): Setting<T[number]> => ({
  type: values.join(' or '),
  meaning,
  fallback,
  schema: z.enum(values, { error: `must be ${values.join(' or ')}` }),
});

/** Yes or no. */
export const flag = (fallback: boolean, meaning: string): Setting<boolean> => ({
  type: 'true or false',
  meaning,
  fallback: String(fallback),
  schema: z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .transform((value) => value === 'true'),
});

/** Addresses and ranges of them, without blanks around them and without empty ones. */
export const addressRanges = (fallback: string, meaning: string): Setting<AddressRanges> => ({
  type: 'addresses and CIDR ranges, comma separated',
  meaning,
  fallback,
  schema: z.string().transform((value, context) => {
    const ranges = value.split(',').map((range) => range.trim());
    try {
      return new AddressRanges(ranges.filter(Boolean));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue(
        `must be addresses such as 10.0.0.7 and ranges such as 10.0.0.0/8, not ${error.message}`,
      );
      return z.NEVER;
    }
  }),
});

/** A file that need not be there; whoever uses it says what is wrong with it. */
export const optionalFile = (meaning: string): Setting<string | undefined> => ({
  type: 'file',
  meaning,
  fallback: '',
  schema: z.string().transform((value) => value || undefined),
});
