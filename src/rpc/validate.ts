import type { z } from 'zod';
import type { FieldViolation, Reason } from '../errors.js';
import { IdentityError, invalidParameter, requiredParameter } from '../errors.js';

/** What a rule of rpc/fields.ts may say about its failure beyond a text. */
export interface RuleFailure {
  /** Reason to answer with instead of ERROR_INVALID_PARAMETER. */
  reason?: Reason;
  /** An empty text is a wrong value rather than none. */
  given?: boolean;
}

/**
 * Checks a message against the rules declared beside its method.
 * A scalar that equals its default counts as absent (contract/behaviour.md 1, "Presence").
 * @throws IdentityError with the first failure as its reason and all of them as field violations.
 */
export function validate(schema: z.ZodType, message: object, empty: object): unknown {
  const fields = given(message, empty);
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  throw failure(parsed.error.issues, fields);
}

/** The fields of a message that the caller has set. */
function given(message: object, empty: object): Record<string, unknown> {
  const defaults = empty as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(message).filter(
      ([key, value]) => value !== defaults[key] && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

function failure(issues: readonly z.core.$ZodIssue[], fields: Record<string, unknown>): IdentityError {
  const violations = issues.map((issue): FieldViolation => ({
    field: issue.path.join('.'),
    description: isMissing(issue, fields) ? 'is required' : issue.message,
  }));
  const [first] = issues;
  if (!first) return invalidParameter('request', 'is not valid');
  const field = first.path.join('.');
  const { reason } = ruleFailure(first);
  if (isMissing(first, fields) || reason === 'ERROR_REQUIRED_PARAMETER') {
    return withViolations(requiredParameter(field), violations);
  }
  if (reason) return new IdentityError(reason, { rule: first.message }, violations);
  return withViolations(invalidParameter(field, first.message), violations);
}

function isMissing(issue: z.core.$ZodIssue, fields: unknown): boolean {
  const value = issue.path.reduce<unknown>(
    (inside, key) => (inside as Record<PropertyKey, unknown> | undefined)?.[key],
    fields,
  );
  return issue.path.length > 0 && (value === undefined || (value === '' && !ruleFailure(issue).given));
}

function ruleFailure(issue: z.core.$ZodIssue): RuleFailure {
  return (issue as { params?: RuleFailure }).params ?? {};
}

function withViolations(error: IdentityError, violations: FieldViolation[]): IdentityError {
  return new IdentityError(error.reason, error.params, violations);
}
