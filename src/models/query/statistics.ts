import type { StatisticsQuery } from '../../gen/spaceone/api/core/v2/query.js';
import { requiredParameter } from '../../errors.js';
import { compileConditions } from './conditions.js';
import type { ConditionContext } from './conditions.js';
import type { Filter } from './filter.js';
import { allOf, anyOf } from './filter.js';
import type { QueryContext } from './list.js';
import { compilePage } from './list.js';
import { atMost } from './mistakes.js';
import type { QueryResource } from './resource.js';
import { knownField } from './resource.js';
import { SearchBudget } from './search-budget.js';
import type { Scope, Stage } from './scope.js';
import { compileStage } from './stages.js';

/** What a stat method asks the database for. */
export interface StatisticsPlan {
  filter: Filter;
  stages: Stage[];
  /** Rows are plain values, under the name `value`. */
  distinct: boolean;
  /** The number of rows before paging is wanted. */
  counted: boolean;
  skip: number;
  /** Most rows, never 0. */
  limit: number;
}

const MAX_STAGES = 20;
const MAX_UNWINDS = 2;

/**
 * Compiles the query of a stat method (contract/query.md 3, with D-04 and D-26). A keyword is not part of it.
 * @throws IdentityError ERROR_REQUIRED_PARAMETER when nothing is asked for; else as `compileList`.
 */
export function compileStatistics(
  query: StatisticsQuery | undefined,
  resource: QueryResource,
  { now, maxRows }: QueryContext,
): StatisticsPlan {
  if (!query?.aggregate.length && !query?.distinct) throw requiredParameter('aggregate');
  const context = { fields: resource.fields, now, budget: new SearchBudget() };
  const filter = allOf([
    ...compileConditions('query.filter', query.filter, context),
    anyOf(compileConditions('query.filter_or', query.filter_or, context)),
  ]);
  const distinct = query.aggregate.length === 0;
  return {
    filter,
    stages: distinct ? distinctStages(query.distinct, resource) : aggregateStages(query, resource, context),
    distinct,
    counted: Boolean(query.page?.limit),
    ...compilePage(query.page, maxRows),
  };
}

function aggregateStages(
  { aggregate }: StatisticsQuery,
  resource: QueryResource,
  context: ConditionContext,
): Stage[] {
  atMost(aggregate.length, MAX_STAGES, 'query.aggregate', 'stages');
  const unwinds = aggregate.filter(({ unwind }) => unwind).length;
  atMost(unwinds, MAX_UNWINDS, 'query.aggregate', 'unwind stages');
  let scope: Scope = { fields: resource.fields, ties: [resource.unique], keys: [], shaped: false };
  const stages = aggregate.flatMap((stage) => {
    const compiled = compileStage(stage, scope, context);
    scope = compiled.scope;
    return compiled.stages;
  });
  // Rows that are still documents hold secrets too; only what the query may name goes out (D-04).
  return scope.shaped ? stages : [...stages, { $project: allowedFields(resource) }];
}

function allowedFields(resource: QueryResource): Record<string, 0 | 1> {
  return { _id: 0, ...Object.fromEntries([...resource.fields.keys()].map((field) => [field, 1])) };
}

/** The distinct values in their order; a list counts with its elements, a missing value not at all. */
function distinctStages(field: string, resource: QueryResource): Stage[] {
  const type = knownField(resource.fields, field, 'query.distinct');
  const spread = type === 'list' || type === 'dynamic' ? [{ $unwind: `$${field}` }] : [];
  return [
    ...spread,
    { $group: { _id: `$${field}` } },
    { $match: { _id: { $ne: null } } },
    { $sort: { _id: 1 } },
    { $project: { _id: 0, value: '$_id' } },
  ];
}
