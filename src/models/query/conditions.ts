import type { Filter as Condition } from '../../gen/spaceone/api/core/v2/query.js';
import type { Filter } from './filter.js';
import { anyOf } from './filter.js';
import { atMost, queryError, shown } from './mistakes.js';
import { operators } from './operators.js';
import { anyLiterally, MAX_PATTERN_CHARACTERS } from './regex.js';
import type { Fields } from './resource.js';
import { knownField } from './resource.js';
import { costOfTexts, SearchBudget } from './search-budget.js';

/** What conditions may name, which time is now, and what the whole query may still spend. */
export interface ConditionContext {
  fields: Fields;
  now: Date;
  budget: SearchBudget;
}

const MAX_CONDITIONS = 50;
const MAX_WORDS = 10;

/**
 * Compiles conditions, one filter each (contract/query.md 2.1).
 * @param where place in the request, for error texts: `query.filter`.
 * @param offered names of the operators that may be used here; all when not given.
 * @throws IdentityError ERROR_DB_QUERY, ERROR_OPERATOR_*, ERROR_INVALID_PARAMETER when there is too much of something.
 */
export function compileConditions(
  where: string,
  conditions: readonly Condition[],
  context: ConditionContext,
  offered?: ReadonlySet<string>,
): Filter[] {
  atMost(conditions.length, MAX_CONDITIONS, where, 'conditions');
  return conditions.map((condition) => compileCondition(where, condition, context, offered));
}

function compileCondition(
  where: string,
  condition: Condition,
  { fields, now, budget }: ConditionContext,
  offered?: ReadonlySet<string>,
): Filter {
  const { field, name, value } = partsOf(condition);
  if (!field) throw queryError(`a condition of ${where} has no key`);
  if (!name) throw queryError(`a condition of ${where} has no operator`);
  const operator = offered && !offered.has(name) ? undefined : operators.get(name);
  if (!operator) throw queryError(`${where} uses an unknown operator: ${shown(name)}`);
  const type = knownField(fields, field, where);
  return operator(value, { where, field, type, operator: name, condition: sent(condition), now, budget });
}

/** Long and short names are the same (contract/query.md 2). */
function partsOf(condition: Condition): { field: string; name: string; value: unknown } {
  return {
    field: condition.key || condition.k || '',
    name: condition.operator || condition.o || '',
    value: condition.value ?? condition.v,
  };
}

function sent(condition: Condition): object {
  return Object.fromEntries(Object.entries(condition).filter(([, value]) => value !== undefined));
}

/**
 * Compiles a keyword: some word of it stands in some keyword field, in any letter case. It narrows filter_or
 * (D-26).
 * @throws IdentityError ERROR_INVALID_PARAMETER when it is too long.
 */
export function compileKeyword(
  keyword: string,
  fields: readonly string[],
  budget = new SearchBudget(),
): Filter {
  atMost(keyword.length, MAX_PATTERN_CHARACTERS, 'query.keyword', 'characters');
  const words = [...new Set(keyword.split(/\s+/).filter(Boolean))];
  atMost(words.length, MAX_WORDS, 'query.keyword', 'words');
  if (keyword.includes('\0')) throw queryError('query.keyword holds a NUL character');
  const expressions = anyLiterally(words);
  budget.spend(costOfTexts(words, expressions.length) * fields.length, 'query.keyword');
  return anyOf(fields.flatMap((field) => expressions.map((expression) => ({ [field]: expression }))));
}
