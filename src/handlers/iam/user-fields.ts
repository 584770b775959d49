import { z } from 'zod';
import * as field from '../../rpc/fields.js';

/** Fields of a nested message that have a value: empty texts are absent ones, as they are outside of it. */
export function given(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return message;
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== ''));
}

/** The HTTP body of a call whose path holds fields too; without one, what is required in it is missing. */
export const body = <T extends z.ZodType>(user: T) =>
  z.preprocess((value) => value ?? {}, z.object({ user }));

/** A text by the rule, or none: null and an empty text. */
const orNone = (rule: z.ZodType<string>) =>
  z.preprocess((value) => (value === '' ? null : value), rule.nullable().optional());

/** What every IAM system takes of a user. How a name must look is checked with the user at hand: one that stays may be older than the rule. */
export const userFields = {
  enabled: field.anyBoolean.optional(),
  password: field.password.optional(),
  description: orNone(field.text(255)),
};

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
  pwd_status: field.anyBoolean.optional(),
  xuser_type: orNone(field.text(64)),
  xuser_id: orNone(field.text(128)),
};
