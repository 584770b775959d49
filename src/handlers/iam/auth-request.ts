import { z } from 'zod';
import type { Identity } from '../../gen/iam/v3/auth.js';
import type { Proofs } from '../../managers/iam-sign-in.js';
import type { ScopeWish } from '../../managers/scope-choice.js';
import * as field from '../../rpc/fields.js';

type Shape = Record<string, z.ZodType>;

const METHODS = ['password', 'totp', 'token'] as const;
const AN_OBJECT = 'must be an object';
const { id, domainName: name } = field;

/** Something by its id, or by name and what a name needs; null and an empty text are none. */
function byIdOrName<I extends Shape, N extends Shape>(withId: I, withName: N) {
  const kinds = [
    z.object({ by: z.literal('id'), id, ...withId }),
    z.object({ by: z.literal('name'), name, ...withName }),
  ] as const;
  return z.preprocess(
    (value) => {
      if (!isObject(value)) return value;
      const given = withoutNone(value);
      return { ...given, by: 'id' in given ? 'id' : 'name' };
    },
    z.discriminatedUnion('by', kinds, AN_OBJECT),
  );
}

const domain = byIdOrName({}, {});
const user = <S extends Shape>(secret: S) =>
  z.object(
    { user: byIdOrName({ domain: domain.optional(), ...secret }, { name: id, domain, ...secret }) },
    AN_OBJECT,
  );

/** Of the parts those count that `methods` names, and are required then. */
const identity = z.preprocess(
  (value) => {
    if (!isObject(value)) return value;
    const { methods: given, ...parts } = value as unknown as Identity;
    const methods = given.map((one) => one.trim());
    const named = METHODS.filter((one) => methods.includes(one));
    return { methods, ...Object.fromEntries(named.map((one) => [one, parts[one] ?? {}])) };
  },
  z
    .object({
      methods: z
        .array(z.string())
        .refine((methods) => methods.length > 0, {
          error: 'is required',
          params: { reason: 'ERROR_REQUIRED_PARAMETER' },
        })
        .refine(areSupported, { error: 'is not supported', params: { reason: 'ERROR_UNSUPPORTED_METHOD' } }),
      password: user({ password: field.password }).optional(),
      totp: user({ passcode: field.verifyCode }).optional(),
      token: z.preprocess(withoutNone, z.object({ id: field.token })).optional(),
    })
    .transform(({ password, totp, token }): Proofs => ({
      password: password && { user: password.user, secret: password.user.password },
      totp: totp && { user: totp.user, secret: totp.user.passcode },
      token: token?.id,
    })),
);

const scope = field.small.pipe(
  z.preprocess(
    (value) => {
      if (value === 'unscoped') return { unscoped: {} };
      const given = withoutNone(value);
      return isObject(given) && Object.keys(given).length === 0 ? undefined : given;
    },
    z
      .looseObject(
        {
          // Some clients leave the domain out: then it is the user's own.
          project: byIdOrName({}, { domain: domain.optional() }).optional(),
          domain: domain.optional(),
          system: z.object({ all: z.literal(true, 'must be true') }, AN_OBJECT).optional(),
          unscoped: z.object({}, AN_OBJECT).optional(),
        },
        'must be an object, or "unscoped"',
      )
      .transform(({ project, domain, system, unscoped }, context): ScopeWish => {
        if ([project, domain, system, unscoped].filter(Boolean).length !== 1)
          context.addIssue('must hold one of project, domain, system, unscoped');
        if (project) return { project };
        if (domain) return { domain };
        return system ? { system: true } : { unscoped: true };
      })
      .optional(),
  ),
);

/** Who signs in, and for what; without a scope nothing is said about it. */
export const auth = z.object({ identity, scope });

/** `?nocatalog`: whatever is in it, and nothing too. */
export const mark = z
  .string()
  .transform(() => true)
  .default(false);

function areSupported(methods: readonly string[]): boolean {
  const known = methods.every((one) => METHODS.some((method) => method === one));
  return known && (!methods.includes('token') || new Set(methods).size === 1);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is null or an empty text is not there. */
function withoutNone<T>(value: T): T | Record<string, unknown> {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null && one !== ''));
}
