import type {
  AggregateGroup,
  AggregateGroupField,
  AggregateGroupKey,
  AggregateSubCondition,
} from '../../gen/spaceone/api/core/v2/query.js';
import { atMost, queryError, shown } from './mistakes.js';
import type { Fields, FieldType } from './resource.js';
import type { Compiled, Scope } from './scope.js';
import { distinctNames, fieldPath, literal, resultName } from './scope.js';

type Expression = string | object;

interface Result {
  name: string;
  type: FieldType;
  expression: Expression;
}

const WHERE = 'aggregate.group';
const MAX_RESULTS = 20;
const MAX_FORMAT_CHARACTERS = 64;
const SECONDS_FORMAT = '%Y-%m-%dT%H:%M:%SZ';

/**
 * Compiles a group stage (contract/query.md 3.1). Rows come in the order of their keys.
 * @throws IdentityError ERROR_DB_QUERY.
 */
export function compileGroup({ keys, fields }: AggregateGroup, scope: Scope): Compiled {
  if (keys.length + fields.length === 0) throw queryError(`${WHERE} needs keys or fields`);
  atMost(keys.length, MAX_RESULTS, `${WHERE}.keys`, 'keys');
  atMost(fields.length, MAX_RESULTS, `${WHERE}.fields`, 'fields');
  const by = keys.map((key) => compileKey(key, scope.fields));
  const results = fields.map((field) => compileField(field, scope.fields));
  const names = by.map(({ name }) => name);
  distinctNames([...names, ...results.map(({ name }) => name)], WHERE);
  const row = [...names.map((name) => [name, `$_id.${name}`]), ...results.map(({ name }) => [name, 1])];
  return {
    stages: [
      { $group: { _id: by.length > 0 ? expressionsOf(by) : null, ...expressionsOf(results) } },
      ...(by.length > 0 ? [{ $sort: { _id: 1 } }] : []),
      { $project: { _id: 0, ...Object.fromEntries(row) } },
    ],
    scope: {
      fields: new Map([...by, ...results].map(({ name, type }) => [name, type])),
      ties: names,
      keys: names,
      shaped: true,
    },
  };
}

function expressionsOf(results: readonly Result[]): Record<string, Expression> {
  return Object.fromEntries(results.map(({ name, expression }) => [name, expression]));
}

function compileKey({ key, k, name, n, date_format }: AggregateGroupKey, fields: Fields): Result {
  const where = `${WHERE}.keys`;
  const { path, type } = fieldPath(fields, key || k, where);
  const result = { name: resultName(name || n, where), type, expression: path };
  if (!date_format) return result;
  if (type !== 'date') throw queryError(`${where} uses date_format on ${shown(key || k)}, which is no time`);
  if (date_format === 'year' || date_format === 'month' || date_format === 'day') {
    const part = { year: '$year', month: '$month', day: '$dayOfMonth' }[date_format];
    return { ...result, type: 'number', expression: { [part]: path } };
  }
  return { ...result, type: 'string', expression: formatted(path, checkedFormat(date_format, where)) };
}

function checkedFormat(format: string, where: string): string {
  atMost(format.length, MAX_FORMAT_CHARACTERS, where, 'characters in date_format');
  if (/^(?:[^%\0]|%[YmdHMSLjuVGzZ%])*$/.test(format)) return format;
  throw queryError(`${where} has a date_format that is not offered: ${shown(format)}`);
}

const formatted = (path: string, format: string) => ({ $dateToString: { format, date: path } });

type GroupOperator = (
  field: AggregateGroupField,
  fields: Fields,
) => { expression: Expression; type: FieldType };

const count: GroupOperator = ({ conditions }, fields) => ({
  expression: { $sum: conditions.length > 0 ? { $cond: [meets(conditions, fields), 1, 0] } : 1 },
  type: 'number',
});

/** A document that fails the conditions counts as 0, in an average too (contract/query.md 3.1). */
const reckon =
  (operator: '$sum' | '$avg'): GroupOperator =>
  ({ key, k, conditions }, fields) => {
    const { path } = fieldPath(fields, key || k, `${WHERE}.fields`);
    const value = conditions.length > 0 ? { $cond: [meets(conditions, fields), path, 0] } : path;
    return { expression: { [operator]: value }, type: 'number' };
  };

const take =
  (operator: '$max' | '$min' | '$first' | '$last'): GroupOperator =>
  ({ key, k }, fields) => {
    const { path, type } = fieldPath(fields, key || k, `${WHERE}.fields`);
    return { expression: { [operator]: path }, type };
  };

const addToSet: GroupOperator = ({ key, k }, fields) => ({
  expression: { $addToSet: fieldPath(fields, key || k, `${WHERE}.fields`).path },
  type: 'dynamic',
});

const mergeObjects: GroupOperator = ({ key, k }, fields) => {
  const { path } = fieldPath(fields, key || k, `${WHERE}.fields`);
  return { expression: { $mergeObjects: onlyIf(typeIs(path, 'object'), path) }, type: 'dynamic' };
};

const push: GroupOperator = ({ key, k, fields: parts }, fields) => {
  const where = `${WHERE}.fields.fields`;
  if (parts.length === 0) {
    return { expression: { $push: fieldPath(fields, key || k, `${WHERE}.fields`).path }, type: 'dynamic' };
  }
  atMost(parts.length, MAX_RESULTS, where, 'fields');
  const results = parts.map((part) => {
    const { path, type } = fieldPath(fields, part.key || part.k, where);
    const expression = type === 'date' ? formatted(path, SECONDS_FORMAT) : path;
    return { name: resultName(part.name || part.n, where), type, expression };
  });
  distinctNames(
    results.map(({ name }) => name),
    where,
  );
  return { expression: { $push: expressionsOf(results) }, type: 'dynamic' };
};

const groupOperators: ReadonlyMap<string, GroupOperator> = new Map([
  ['count', count],
  ['sum', reckon('$sum')],
  ['average', reckon('$avg')],
  ['max', take('$max')],
  ['min', take('$min')],
  ['first', take('$first')],
  ['last', take('$last')],
  ['add_to_set', addToSet],
  ['merge_objects', mergeObjects],
  ['push', push],
]);
const conditional = new Set(['count', 'sum', 'average']);

function compileField(field: AggregateGroupField, fields: Fields): Result {
  const where = `${WHERE}.fields`;
  const operator = field.operator || field.o;
  if (!operator) throw queryError(`${where} has no operator`);
  const compile = groupOperators.get(operator);
  if (!compile) throw queryError(`${where} uses an unknown operator: ${shown(operator)}`);
  if (field.conditions.length > 0 && !conditional.has(operator)) {
    throw queryError(`${where} allows no conditions with the ${operator} operator`);
  }
  return { name: resultName(field.name || field.n, where), ...compile(field, fields) };
}

const comparisons = new Map([
  ['eq', '$eq'],
  ['not', '$ne'],
  ['gt', '$gt'],
  ['gte', '$gte'],
  ['lt', '$lt'],
  ['lte', '$lte'],
]);

/** True in the database for documents that meet all conditions. */
function meets(conditions: readonly AggregateSubCondition[], fields: Fields): Expression {
  const where = `${WHERE}.fields.conditions`;
  atMost(conditions.length, MAX_RESULTS, where, 'conditions');
  return { $and: conditions.flatMap((condition) => compileSubCondition(condition, fields, where)) };
}

function compileSubCondition(condition: AggregateSubCondition, fields: Fields, where: string): Expression[] {
  const { path } = fieldPath(fields, condition.key || condition.k, where);
  const name = condition.operator || condition.o || '';
  const comparison = comparisons.get(name);
  if (!comparison) throw queryError(`${where} uses an unknown operator: ${shown(name)}`);
  const value: unknown = condition.value ?? condition.v;
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw queryError(`${where} needs a string, a number or a boolean as value`);
  }
  if (typeof value === 'string') atMost(value.length, 1024, where, 'characters in a value');
  const holds = { [comparison]: [path, literal(value)] };
  // Expressions order values of different types too; a filter does not, and nor does a condition.
  return name === 'eq' || name === 'not' ? [holds] : [isLike(path, value), holds];
}

function isLike(path: string, value: string | number | boolean): Expression {
  if (typeof value === 'number') return { $in: [{ $type: path }, ['int', 'long', 'double', 'decimal']] };
  return typeIs(path, typeof value === 'string' ? 'string' : 'bool');
}

/** True in the database when the value is of that type. */
export const typeIs = (path: string, type: string) => ({ $eq: [{ $type: path }, type] });

/** The value when the condition holds, else null, which leaves the result out. */
export const onlyIf = (condition: Expression, value: Expression) => ({ $cond: [condition, value, null] });
