import type { CallOptions, Records } from '../../connectors/mongo.js';
import type { Filter } from './filter.js';
import { allOf, isUnbounded } from './filter.js';
import type { ListPlan } from './list.js';
import { queryError } from './mistakes.js';
import { renderRows } from './render.js';
import type { Stage } from './scope.js';
import type { StatisticsPlan } from './statistics.js';

/** What `options(reach)` of the connector gives, and the index to read by. */
export type ReadOptions = CallOptions & { hint?: string };

/** How a list is read beside its plan. */
export interface ListReading {
  /** Fields to read for each row: the plan's fields and those that the rows are joined by. */
  projection: Record<string, 0 | 1>;
  options: ReadOptions;
  /** The number of all rows of the scope, when it is known without reading them. */
  total?: () => Promise<number>;
  /** Index that bounds the scope and delivers the order, where the engine would choose another. */
  hint?: string;
}

/** Rows that share one document with their number; more may outgrow the 16 MiB of a document. */
const MAX_ROWS_IN_ONE_DOCUMENT = 100;
const COUNT = { $count: 'rows' };

/**
 * Reads a page and the number of rows before paging.
 * @param scope what the caller may see; it stands in front of everything that the query says.
 * @throws IdentityError ERROR_DB_QUERY when the rows are too much for the database.
 */
export async function runList<T extends object>(
  collection: Records<T>,
  scope: Filter,
  plan: ListPlan,
  { projection, options: within, total, hint }: ListReading,
): Promise<{ results: T[]; total_count: number }> {
  const options = hint ? { ...within, hint } : within;
  const matched = [...matchStages(scope, plan.filter, hint), ...unwindStages(plan)];
  const counting = () => countRows(collection, matched, options);
  if (plan.countOnly)
    return { results: [], total_count: await (plan.unfiltered && total ? total : counting)() };
  const sort = { $sort: plan.sort };
  const rows = [...pageStages(plan), { $project: projection }];
  if (plan.unfiltered && total) {
    // A plain find: engines read less for it than for the same pipeline.
    const page = collection.find(scope as never, { ...options, projection }).sort(plan.sort);
    const [results, total_count] = await Promise.all([
      page.skip(plan.skip).limit(plan.limit).toArray(),
      total(),
    ]);
    return { results: results as unknown as T[], total_count };
  }
  const read = await readCounted(collection, { matched, sort: [sort], rows, page: plan }, options);
  return { results: read.results as T[], total_count: read.total_count };
}

/**
 * Runs a statistics plan; the number of rows before paging is there when a page was asked for.
 * @param scope what the caller may see; it stands in front of everything that the query says.
 * @throws IdentityError ERROR_DB_QUERY when the rows are too much for the database.
 */
export async function runStatistics<T extends object>(
  collection: Records<T>,
  scope: Filter,
  plan: StatisticsPlan,
  options: ReadOptions,
): Promise<{ results: unknown[]; total_count?: number }> {
  const matched = [...matchStages(scope, plan.filter), ...plan.stages];
  const rows = pageStages(plan);
  if (!plan.counted) {
    return { results: rendered(await aggregate(collection, [...matched, ...rows], options), plan) };
  }
  const read = await readCounted(collection, { matched, sort: [], rows, page: plan }, options);
  return { results: rendered(read.results, plan), total_count: read.total_count };
}

function rendered(rows: readonly Stage[], { distinct }: StatisticsPlan): unknown[] {
  return renderRows(distinct ? rows.map(({ value }) => value) : rows);
}

/** The scope first and alone, so that every engine bounds the read by an index whatever else is asked. */
function matchStages(scope: Filter, filter: Filter, hint?: string): Stage[] {
  if (hint) return [{ $match: allOf([scope, filter]) }];
  return [{ $match: scope }, ...(isUnbounded(filter) ? [] : [{ $match: filter }])];
}

function unwindStages({ unwind }: ListPlan): Stage[] {
  if (!unwind) return [];
  const matched = isUnbounded(unwind.filter) ? [] : [{ $match: unwind.filter }];
  return [{ $unwind: `$${unwind.path}` }, ...matched];
}

function pageStages({ skip, limit }: { skip: number; limit: number }): Stage[] {
  return [{ $skip: skip }, { $limit: limit }];
}

/** A pipeline in parts: the count needs no order. */
interface Pipeline {
  matched: Stage[];
  sort: Stage[];
  rows: Stage[];
  page: { skip: number; limit: number };
}

async function readCounted<T extends object>(
  collection: Records<T>,
  { matched, sort, rows, page: { skip, limit } }: Pipeline,
  options: ReadOptions,
): Promise<{ results: Stage[]; total_count: number }> {
  if (limit > MAX_ROWS_IN_ONE_DOCUMENT) {
    const results = await aggregate(collection, [...matched, ...sort, ...rows], options);
    // A page that is not full ends the rows, so they need not be met a second time.
    const last = results.length < limit && (results.length > 0 || skip === 0);
    const total_count = last ? skip + results.length : await countRows(collection, matched, options);
    return { results, total_count };
  }
  const facet = { $facet: { results: rows, counted: [COUNT] } };
  const [both] = await aggregate(collection, [...matched, ...sort, facet], options);
  const { results, counted } = both as { results: Stage[]; counted: Stage[] };
  return { results, total_count: numberIn(counted) };
}

async function countRows<T extends object>(
  collection: Records<T>,
  matched: readonly Stage[],
  options: ReadOptions,
): Promise<number> {
  return numberIn(await aggregate(collection, [...matched, COUNT], options));
}

/** No row at all is the count of nothing. */
const numberIn = ([counted]: readonly Stage[]) => Number(counted?.['rows'] ?? 0);

/**
 * What the database refuses because of the rows that a query meets: too large a result or sort, lists side by side
 * as sort keys.
 */
const TOO_MUCH = new Set([2, 146, 292, 10334, 16389, 16819, 17419]);

async function aggregate<T extends object>(
  collection: Records<T>,
  stages: readonly Stage[],
  options: ReadOptions,
): Promise<Stage[]> {
  try {
    return await collection.aggregate<Stage>([...stages], { ...options }).toArray();
  } catch (error) {
    if (!TOO_MUCH.has((error as { code?: number }).code ?? 0)) throw error;
    throw queryError('the rows that the query meets are too much for it, or of kinds that it cannot work on');
  }
}
