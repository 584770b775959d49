import { IdentityError } from '../../errors.js';
import type { Filter } from './filter.js';
import { allOf, anyOf } from './filter.js';
import { atMost, queryError, shown } from './mistakes.js';
import type { Expression } from './regex.js';
import { anyLiterally, compileRegex, MAX_PATTERN_CHARACTERS } from './regex.js';
import type { FieldType } from './resource.js';
import type { SearchBudget } from './search-budget.js';
import { costOfTexts } from './search-budget.js';
import { parseTime, parseTimediff } from './time.js';

/** Where a condition stands and what it is about. */
export interface Subject {
  /** Place in the request, for error texts: `query.filter`. */
  where: string;
  field: string;
  type: FieldType;
  operator: string;
  /** The condition as sent, for error texts. */
  condition: unknown;
  now: Date;
  budget: SearchBudget;
}

/** Compiles one condition. */
export type Operator = (value: unknown, subject: Subject) => Filter;

type Scalar = string | number | boolean | null;

const MAX_LIST = 1000;
const MAX_PATTERNS = 100;
const MAX_TEXT = 1024;

type WrongValue = 'VALUE_TYPE' | 'LIST_VALUE_TYPE' | 'DICT_VALUE_TYPE' | 'BOOLEAN_TYPE';

function wrongValue(kind: WrongValue, { where, operator, condition }: Subject): IdentityError {
  const violation = { field: where, description: `wrong value for the ${operator} operator` };
  return new IdentityError(`ERROR_OPERATOR_${kind}`, { operator, condition: shown(condition) }, [violation]);
}

/** A value that can be compared and never be an operator of the database (D-45). */
function scalar(value: unknown, subject: Subject): Scalar {
  if (Array.isArray(value)) throw wrongValue('VALUE_TYPE', subject);
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return text(value, subject, MAX_TEXT);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  throw queryError(`the value of the ${subject.operator} operator must not be an object`);
}

function text(value: unknown, { operator, where }: Subject, longest: number): string {
  if (typeof value !== 'string') throw queryError(`the value of the ${operator} operator must be a string`);
  atMost(value.length, longest, where, `characters in a value of ${operator}`);
  if (value.includes('\0')) throw queryError(`the value of the ${operator} operator holds a NUL character`);
  return value;
}

/** A text that is looked for inside values. */
function pattern(value: unknown, subject: Subject): string {
  if (Array.isArray(value)) throw wrongValue('VALUE_TYPE', subject);
  return text(value, subject, MAX_PATTERN_CHARACTERS);
}

function list(value: unknown, subject: Subject, longest: number): unknown[] {
  if (!Array.isArray(value)) throw wrongValue('LIST_VALUE_TYPE', subject);
  atMost(value.length, longest, subject.where, `values of ${subject.operator}`);
  return value;
}

const scalars = (value: unknown, subject: Subject) =>
  list(value, subject, MAX_LIST).map((item) => scalar(item, subject));

const literal = (value: unknown, subject: Subject) => findAny([pattern(value, subject)], subject);

const literals = (value: unknown, subject: Subject) =>
  findAny(
    list(value, subject, MAX_PATTERNS).map((item) => pattern(item, subject)),
    subject,
  );

function findAny(texts: readonly string[], { budget, where }: Subject): Expression[] {
  const expressions = anyLiterally(texts);
  budget.spend(costOfTexts(texts, expressions.length), where);
  return expressions;
}

function regex(value: unknown, subject: Subject): Expression {
  const { expression, cost } = compileRegex(pattern(value, subject), subject.type === 'dynamic');
  subject.budget.spend(cost, subject.where);
  return expression;
}

const regexes = (value: unknown, subject: Subject) =>
  list(value, subject, MAX_PATTERNS).map((item) => regex(item, subject));

function boolean(value: unknown, subject: Subject): boolean {
  if (typeof value !== 'boolean') throw wrongValue('BOOLEAN_TYPE', subject);
  return value;
}

/** Equality of checked keys with checked scalars, for one element of a list. */
function element(value: unknown, subject: Subject): Filter {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongValue('DICT_VALUE_TYPE', subject);
  }
  const pairs = Object.entries(value);
  atMost(pairs.length, 20, subject.where, 'keys in a value of match');
  return Object.fromEntries(
    pairs.map(([key, item]) => {
      if (!/^[^$.\0][^.\0]{0,127}$/.test(key) || key === '__proto__') {
        throw queryError(`the value of the match operator has a key that is not allowed: ${shown(key)}`);
      }
      return [key, { $eq: scalar(item, subject) }];
    }),
  );
}

/** A test of the condition's own field. */
const test =
  (compile: (value: unknown, subject: Subject) => unknown): Operator =>
  (value, subject) => ({ [subject.field]: compile(value, subject) });

/** Order holds within one type only; null equals null and missing, and is neither above nor below anything. */
const compare = (operator: '$lt' | '$lte' | '$gt' | '$gte') =>
  test((value, subject) => {
    const bound = scalar(value, subject);
    if (bound !== null) return { [operator]: bound };
    return operator.endsWith('e') ? { $eq: null } : { $in: [] };
  });

const datetime = (operator: string) =>
  test((value, subject) => {
    const time = parseTime(pattern(value, subject));
    if (!time) throw queryError(`the value of the ${subject.operator} operator must be an ISO 8601 time`);
    return { [operator]: time };
  });

const timediff = (operator: string) =>
  test((value, subject) => {
    const time = parseTimediff(pattern(value, subject), subject.now);
    if (time) return { [operator]: time };
    throw queryError(
      `the value of the ${subject.operator} operator must be now, now/d, now/w or now/m, with + or - a number of s, m, h, d or w`,
    );
  });

/**
 * The field matches one of the expressions. Each its own test: inside $in some engines look expressions up in an
 * index as if they were values.
 */
function matchesAny(expressions: readonly Expression[], { field }: Subject): Filter {
  if (expressions.length === 0) return { [field]: { $in: [] } };
  return anyOf(expressions.map((expression) => ({ [field]: expression })));
}

function matchesNone(expressions: readonly Expression[], { field }: Subject): Filter {
  return allOf(expressions.map((expression) => ({ [field]: { $not: expression } })));
}

/** Every filter operator (contract/query.md 2.1, with the meanings of D-26). */
export const operators: ReadonlyMap<string, Operator> = new Map([
  ['eq', test((value, subject) => ({ $eq: scalar(value, subject) }))],
  ['not', test((value, subject) => ({ $ne: scalar(value, subject) }))],
  ['lt', compare('$lt')],
  ['lte', compare('$lte')],
  ['gt', compare('$gt')],
  ['gte', compare('$gte')],
  ['in', test((value, subject) => ({ $in: scalars(value, subject) }))],
  ['not_in', test((value, subject) => ({ $nin: scalars(value, subject) }))],
  ['contain', (value, subject) => matchesAny(literal(value, subject), subject)],
  ['not_contain', (value, subject) => matchesNone(literal(value, subject), subject)],
  ['contain_in', (value, subject) => matchesAny(literals(value, subject), subject)],
  ['not_contain_in', (value, subject) => matchesNone(literals(value, subject), subject)],
  ['exists', test((value, subject) => ({ $exists: boolean(value, subject) }))],
  ['match', test((value, subject) => ({ $elemMatch: element(value, subject) }))],
  ['regex', (value, subject) => matchesAny([regex(value, subject)], subject)],
  ['regex_in', (value, subject) => matchesAny(regexes(value, subject), subject)],
  ['datetime_lt', datetime('$lt')],
  ['datetime_lte', datetime('$lte')],
  ['datetime_gt', datetime('$gt')],
  ['datetime_gte', datetime('$gte')],
  ['timediff_lt', timediff('$lt')],
  ['timediff_lte', timediff('$lte')],
  ['timediff_gt', timediff('$gt')],
  ['timediff_gte', timediff('$gte')],
]);
