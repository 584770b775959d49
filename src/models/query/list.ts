import type { Page, Query, Sort, Unwind } from '../../gen/spaceone/api/core/v2/query.js';
import { invalidParameter } from '../../errors.js';
import { compileConditions, compileKeyword } from './conditions.js';
import type { ConditionContext } from './conditions.js';
import type { Filter } from './filter.js';
import { allOf, anyOf, isUnbounded } from './filter.js';
import { atMost, queryError, shown } from './mistakes.js';
import type { Fields, QueryResource } from './resource.js';
import { fieldType, knownField } from './resource.js';
import { SearchBudget } from './search-budget.js';

/** Order of an answer: field to direction, the first field counting most. */
export type Order = Record<string, 1 | -1>;

/** What a list method asks the database for. */
export interface ListPlan {
  filter: Filter;
  sort: Order;
  skip: number;
  /** Most rows, never 0. */
  limit: number;
  /** Fields to answer; undefined: all. */
  fields: string[] | undefined;
  /** No rows, only their number. */
  countOnly: boolean;
  /** One row for each element of the list at `path`, of those that meet the filter. */
  unwind: { path: string; filter: Filter } | undefined;
  /** Nothing narrows the answer, so that its number of rows may be known otherwise. */
  unfiltered: boolean;
}

/** What is known when a query is compiled. */
export interface QueryContext {
  now: Date;
  /** Most rows of one answer (PAGE_LIMIT). */
  maxRows: number;
}

const MAX_SORT = 10;
const MAX_ONLY = 50;

/**
 * Compiles the query of a list method (contract/query.md 2, with D-03, D-25, D-26).
 * @throws IdentityError ERROR_DB_QUERY for what cannot be carried out, ERROR_OPERATOR_* for values of the wrong
 * kind, ERROR_INVALID_PARAMETER for what is not offered or too much.
 */
export function compileList(
  query: Query | undefined,
  resource: QueryResource,
  { now, maxRows }: QueryContext,
): ListPlan {
  refuseRawParts(query);
  const context: ConditionContext = { fields: resource.fields, now, budget: new SearchBudget() };
  const sort = compileSort(query?.sort ?? [], resource, Boolean(query?.only.length));
  const unwind = query?.unwind && compileUnwind(query.unwind, context, query.only);
  const filter = allOf([
    ...compileConditions('query.filter', query?.filter ?? [], context),
    anyOf(compileConditions('query.filter_or', query?.filter_or ?? [], context)),
    compileKeyword(query?.keyword ?? '', resource.keyword, context.budget),
  ]);
  return {
    filter,
    sort,
    ...compilePage(query?.page, maxRows),
    fields: selectedFields(query, resource),
    countOnly: query?.count_only ?? false,
    unwind,
    unfiltered: !unwind && isUnbounded(filter),
  };
}

/** A join or a computed field would reach any collection and any field (D-03). */
function refuseRawParts(query: Query | undefined): void {
  if (query?.lookup?.length) throw invalidParameter('query.lookup', 'is not offered');
  if (Object.keys(query?.add_fields ?? {}).length)
    throw invalidParameter('query.add_fields', 'is not offered');
}

/**
 * Reads a page: rows are counted from 1, no limit means all up to the cap, and then the start does not count
 * (contract/query.md 2).
 * @param where the page stands in the request
 * @throws IdentityError ERROR_INVALID_PARAMETER when more rows than the cap are asked for.
 */
export function compilePage(
  page: Page | undefined,
  maxRows: number,
  where = 'query.page',
): { skip: number; limit: number } {
  if (!page?.limit) return { skip: 0, limit: maxRows };
  if (page.limit > maxRows) throw invalidParameter(`${where}.limit`, `at most ${maxRows} rows are allowed`);
  return { skip: Math.max(page.start, 1) - 1, limit: page.limit };
}

function compileSort(sort: readonly Sort[], resource: QueryResource, only: boolean): Order {
  atMost(sort.length, MAX_SORT, 'query.sort', 'keys');
  const order: Order = {};
  for (const { key, desc } of sort) {
    if (!key) throw queryError('an entry of query.sort has no key');
    if (fieldType(resource.fields, key)) order[key] ??= desc ? -1 : 1;
    else if (only) throw queryError(`query.sort names an unknown field: ${shown(key)}`);
  }
  if (Object.keys(order).length === 0)
    for (const key of resource.order) order[key] = resource.largestFirst ? -1 : 1;
  // In the direction of the last key, so that one index delivers the whole order forwards or backwards.
  order[resource.unique] ??= Object.values(order).at(-1)!;
  return order;
}

function compileUnwind({ path, filter }: Unwind, context: ConditionContext, only: readonly string[]) {
  if (!path) throw queryError('query.unwind has no path');
  knownField(context.fields, path, 'query.unwind.path');
  if (only.length === 0) throw queryError('query.unwind needs query.only');
  return { path, filter: allOf(compileConditions('query.unwind.filter', filter, context)) };
}

/** The fields to answer: those selected, and those that the order was asked or defaulted to (contract/query.md 2). */
function selectedFields(query: Query | undefined, resource: QueryResource): string[] | undefined {
  const only = query?.only ?? [];
  atMost(only.length, MAX_ONLY, 'query.only', 'fields');
  if (only.length === 0) return query?.minimal ? [...resource.minimal] : undefined;
  const sorted = query!.sort.length > 0 ? query!.sort.map(({ key }) => key) : resource.order;
  const selected = new Set([...only.flatMap((key) => expand(resource.fields, key)), ...sorted]);
  return [...selected].filter((key) => !isBelowAny(key, selected));
}

/** A field as it is, or all known fields below the name. */
function expand(fields: Fields, key: string): string[] {
  if (fieldType(fields, key)) return [key];
  const below = [...fields.keys()].filter((field) => field.startsWith(`${key}.`));
  if (below.length === 0) throw queryError(`query.only names an unknown field: ${shown(key)}`);
  return below;
}

function isBelowAny(key: string, selected: ReadonlySet<string>): boolean {
  const segments = key.split('.');
  return segments.some((_, index) => index > 0 && selected.has(segments.slice(0, index).join('.')));
}
