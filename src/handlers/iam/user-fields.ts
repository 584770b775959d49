import { z } from 'zod';
import type { GivenChange } from '../../managers/managed-users.js';
import * as field from '../../rpc/fields.js';

/** What a field must look like, for everything that can be given of a user. */
type Shape<Key extends keyof GivenChange> = { [One in Key]: z.ZodType<GivenChange[One]> };

/** Fields whose empty text is a value, and a wrong one. */
const WITH_EMPTY = new Set(['enabled', 'pwd_status']);

/** Fields of a nested message that have a value: empty texts are absent ones, as they are outside of it. */
export function given(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return message;
  return Object.fromEntries(
    Object.entries(message).filter(([key, value]) => value !== '' || WITH_EMPTY.has(key)),
  );
}

/** The HTTP body of a call whose path holds fields too; without one, what is required in it is missing. */
export const body = <T extends z.ZodType>(user: T) =>
  z.preprocess((value) => value ?? {}, z.object({ user }));

/** A text by the rule, or none: null and an empty text. */
const orNone = (rule: z.ZodType<string>) =>
  z.preprocess((value) => (value === '' ? null : value), rule.nullable().optional());

/** A username as it was written. How it must look is checked with the user at hand: one that stays may be older than the rule. */
export const username = z.string('must be a text').max(128, 'must be at most 128 characters long');

/** What every IAM system takes of a user. */
export const userFields = {
  enabled: field.anyBoolean.optional(),
  password: field.password.optional(),
  pwd_status: field.anyBoolean.optional(),
  description: orNone(field.lines(255)),
} satisfies Shape<'enabled' | 'password' | 'pwd_status' | 'description'>;

/** What OS-USER takes beyond. */
export const detailFields = {
  ...userFields,
  email: orNone(field.email),
  areacode: orNone(
    field
      .text(11)
      .refine((value) => /^\+?\d{1,10}$/.test(value), 'must be a country code such as 0049 or +49'),
  ),
  // Digits alone: clients read the number behind the last hyphen that they are shown.
  phone: orNone(field.text(32).refine((value) => /^\d+$/.test(value), 'must be digits alone')),
  xuser_type: orNone(field.text(64)),
  xuser_id: orNone(field.text(128)),
} satisfies Shape<keyof typeof userFields | 'email' | 'areacode' | 'phone' | 'xuser_type' | 'xuser_id'>;

/** What OpenStack Identity takes beyond. */
export const identityFields = {
  ...userFields,
  default_project_id: field.text(64).nullable().optional(),
  options: z
    .record(z.string(), z.unknown())
    .optional()
    .superRefine((options = {}, context) => {
      // Null takes an option away.
      const name = Object.keys(options).find((key) => options[key] !== null);
      if (name !== undefined)
        context.addIssue({ code: 'custom', path: [name], message: 'is no option that can be set here' });
    })
    .transform(() => undefined),
};
