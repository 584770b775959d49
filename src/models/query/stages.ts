import type {
  AggregateProject,
  AggregateProjectField,
  StatisticsAggregate,
  Unwind,
} from '../../gen/spaceone/api/core/v2/query.js';
import { compileConditions } from './conditions.js';
import type { ConditionContext } from './conditions.js';
import { allOf } from './filter.js';
import { compileGroup, onlyIf, typeIs } from './group.js';
import { atMost, queryError, shown } from './mistakes.js';
import type { Fields, FieldType } from './resource.js';
import type { Compiled, Scope } from './scope.js';
import { distinctNames, fieldPath, resultName } from './scope.js';

const MAX_FIELDS = 20;
const MAX_SORT = 10;
const UNWIND_OPERATORS: ReadonlySet<string> = new Set([
  'eq',
  'not',
  'in',
  'not_in',
  'contain',
  'not_contain',
  'contain_in',
  'not_contain_in',
]);

/**
 * Compiles one stage of a StatisticsQuery (contract/query.md 3.1).
 * @throws IdentityError ERROR_DB_QUERY.
 */
export function compileStage(stage: StatisticsAggregate, scope: Scope, context: ConditionContext): Compiled {
  if (stage.unwind) return compileUnwind(stage.unwind, scope, context);
  if (stage.group) return compileGroup(stage.group, scope);
  if (stage.count) return compileCount(stage.count.name);
  if (stage.sort) return compileSort(stage.sort, scope);
  if (stage.project) return compileProject(stage.project, scope);
  if (stage.limit !== undefined) return compileLimit(stage.limit, scope);
  if (stage.skip !== undefined) return compileSkip(stage.skip, scope);
  throw queryError('aggregate has a stage without unwind, group, count, sort, project, limit or skip');
}

function compileUnwind({ path: key, filter }: Unwind, scope: Scope, context: ConditionContext): Compiled {
  if (!key) throw queryError('aggregate.unwind has no path');
  const { path, type } = fieldPath(scope.fields, key, 'aggregate.unwind');
  const where = 'aggregate.unwind.filter';
  const met = compileConditions(where, filter, { ...context, fields: scope.fields }, UNWIND_OPERATORS);
  const fields = new Map(scope.fields);
  if (type === 'list') fields.set(key, 'string');
  return {
    stages: [{ $unwind: path }, ...(met.length > 0 ? [{ $match: allOf(met) }] : [])],
    scope: { ...scope, fields, ties: [] },
  };
}

function compileCount(given: string): Compiled {
  const name = resultName(given, 'aggregate.count');
  // Not $count: engines differ in whether that gives a row over nothing, and there must be none.
  return {
    stages: [{ $group: { _id: null, [name]: { $sum: 1 } } }, { $project: { _id: 0 } }],
    scope: { fields: new Map([[name, 'number']]), ties: [], keys: [], shaped: true },
  };
}

function compileSort(entries: readonly unknown[], scope: Scope): Compiled {
  const where = 'aggregate.sort';
  if (entries.length === 0) throw queryError(`${where} is empty`);
  atMost(entries.length, MAX_SORT, where, 'keys');
  const order: Record<string, 1 | -1> = {};
  for (const entry of entries) {
    const { key, desc } = (entry ?? {}) as { key?: unknown; desc?: unknown };
    if (typeof key !== 'string') throw queryError(`an entry of ${where} has no key`);
    fieldPath(scope.fields, key, where);
    if (desc !== undefined && desc !== null && typeof desc !== 'boolean') {
      throw queryError(`${where} has a desc that is no boolean: ${shown(desc)}`);
    }
    order[key] ??= desc ? -1 : 1;
  }
  for (const key of scope.ties) order[key] ??= 1;
  return { stages: [{ $sort: order }], scope };
}

function compileLimit(limit: number, scope: Scope): Compiled {
  if (limit < 1) throw queryError('aggregate.limit must be 1 or more');
  return { stages: [{ $limit: limit }], scope };
}

function compileSkip(skip: number, scope: Scope): Compiled {
  if (skip < 0) throw queryError('aggregate.skip must be 0 or more');
  return { stages: [{ $skip: skip }], scope };
}

function compileProject({ fields: given, exclude_keys }: AggregateProject, scope: Scope): Compiled {
  const where = 'aggregate.project';
  if (given.length === 0) throw queryError(`${where} needs fields`);
  atMost(given.length, MAX_FIELDS, where, 'fields');
  const results = given.map((field) => compileProjectField(field, scope.fields));
  const names = results.map(({ name }) => name);
  distinctNames(names, where);
  const keys = exclude_keys ? [] : scope.keys.filter((key) => !names.includes(key));
  const row = Object.fromEntries(results.map(({ name, expression }) => [name, expression]));
  const types = [
    ...keys.map((key) => [key, scope.fields.get(key)!] as const),
    ...results.map(({ name, type }) => [name, type] as const),
  ];
  return {
    stages: [{ $project: { _id: 0, ...Object.fromEntries(keys.map((key) => [key, 1])), ...row } }],
    scope: {
      fields: new Map(types),
      ties: keys.length === scope.ties.length ? keys : [],
      keys,
      shaped: true,
    },
  };
}

/** `element` is one entry of the list; entries that are no key with a value are left out. */
const arrayToObject = (path: string) => {
  const entries = { $filter: { input: path, as: 'entry', cond: typeIs('$$entry.k', 'string') } };
  const pair = { k: '$$entry.k', v: { $ifNull: ['$$entry.v', null] } };
  return { $arrayToObject: [{ $map: { input: entries, as: 'entry', in: pair } }] };
};

interface ProjectOperator {
  /** Types of fields that it can work on; it passes over other values of a dynamic one. */
  takes: ReadonlySet<FieldType>;
  gives: FieldType;
  compile: (path: string) => object;
}

const LISTS: ReadonlySet<FieldType> = new Set(['list', 'dynamic']);
const projectOperators: ReadonlyMap<string, ProjectOperator> = new Map<string, ProjectOperator>([
  [
    'size',
    { takes: LISTS, gives: 'number', compile: (path) => onlyIf({ $isArray: [path] }, { $size: path }) },
  ],
  ['sum', { takes: new Set(['number', 'dynamic']), gives: 'number', compile: (path) => ({ $sum: path }) }],
  [
    'array_to_object',
    {
      takes: LISTS,
      gives: 'dynamic',
      compile: (path) => onlyIf({ $isArray: [path] }, arrayToObject(path)),
    },
  ],
  [
    'object_to_array',
    {
      takes: new Set(['dynamic']),
      gives: 'dynamic',
      compile: (path) => onlyIf(typeIs(path, 'object'), { $objectToArray: path }),
    },
  ],
]);

function compileProjectField(
  { key, k, name, n, operator, o }: AggregateProjectField,
  fields: Fields,
): { name: string; type: FieldType; expression: string | object } {
  const where = 'aggregate.project';
  const { path, type } = fieldPath(fields, key || k, where);
  const result = { name: resultName(name || n, where), type, expression: path };
  const wanted = operator || o;
  if (!wanted) return result;
  const project = projectOperators.get(wanted);
  if (!project) throw queryError(`${where} uses an unknown operator: ${shown(wanted)}`);
  if (!project.takes.has(type))
    throw queryError(`${where} uses ${wanted} on ${shown(key || k)}, whose values are of type ${type}`);
  return { ...result, type: project.gives, expression: project.compile(path) };
}
