import type { Records, Reach } from '../connectors/mongo.js';
import { options, records } from '../connectors/mongo.js';
import { allOf, isUnbounded } from './query/filter.js';
import type { Filter } from './query/filter.js';
import type { ListPlan } from './query/list.js';
import { literally } from './query/regex.js';
import { runList, runStatistics } from './query/run.js';
import type { StatisticsPlan } from './query/statistics.js';
import type { Membership, User, Users, UserWithSecrets, WorkspaceRoleType } from './user.js';

/** The members of one workspace, or those with one role in it. */
export interface MemberScope {
  domain_id: string;
  workspace_id: string;
  role_type?: WorkspaceRoleType;
  /** The domain has users with a role in every workspace. */
  wildcard: boolean;
}

/** A row of a list: the selected fields, the id, and the roles that may count. */
export type MemberRow = Partial<User> & Pick<User, 'user_id' | 'memberships'>;

/** A user as WorkspaceUser.find shows it. */
export type UserSummary = Pick<User, 'user_id' | 'name' | 'state' | 'auth_type'>;

const SUMMARY = { _id: 0, user_id: 1, name: 1, state: 1, auth_type: 1 } as const;
/** Index of a domain's users by user id, as models/user.ts declares it. */
const BY_USER_ID = 'domain_id_1_user_id_1';
const SHOWN = [
  'user_id',
  'name',
  'state',
  'email',
  'email_verified',
  'auth_type',
  'role_type',
  'language',
  'timezone',
  'tags',
  'domain_id',
  'created_at',
  'last_accessed_at',
];

/** Users seen as members of workspaces: pages and statistics, each one index scan (docs/decisions/0001). */
export class Members {
  readonly #records: Records<UserWithSecrets>;

  constructor(users: Users) {
    this.#records = records(users.model);
  }

  /**
   * A page of members and their number.
   * @param equal fields that must have exactly these values.
   * @param total the number of all members when it is known without counting.
   */
  async list(
    reach: Reach,
    scope: MemberScope,
    equal: Filter,
    plan: ListPlan,
    total: (() => Promise<number>) | undefined,
  ): Promise<{ rows: MemberRow[]; total: number }> {
    const fields = [...(plan.fields ?? SHOWN), 'user_id', 'memberships'];
    const projection: Record<string, 0 | 1> = { _id: 0 };
    for (const field of fields) projection[field] = 1;
    const narrowing = allOf([equal, roleFilter(scope)]);
    const narrowed = {
      ...plan,
      filter: allOf([plan.filter, narrowing]),
      unfiltered: plan.unfiltered && isUnbounded(narrowing),
    };
    const reading = { projection, options: options(reach), total };
    const { results, total_count } = await runList(this.#records, memberFilter(scope), narrowed, reading);
    return { rows: results, total: total_count };
  }

  /** Users of the domain without a role in the workspace, by user id; one pass gives the page and the number. */
  async findCandidates(
    reach: Reach,
    scope: { domain_id: string; workspace_id: string },
    { keyword, ...equal }: { keyword?: string; state?: string; auth_type?: string },
    page: { skip: number; limit: number },
  ): Promise<{ users: UserSummary[]; total: number }> {
    const text = keyword ? literally(keyword) : undefined;
    const plan: ListPlan = {
      ...page,
      filter: allOf([
        { 'memberships.workspace_id': { $nin: [scope.workspace_id, '*'] } },
        equal,
        text ? { $or: [{ user_id: text }, { name: text }] } : {},
      ]),
      sort: { user_id: 1 },
      fields: undefined,
      countOnly: false,
      unwind: undefined,
      unfiltered: false,
    };
    const reading = { projection: SUMMARY, options: options(reach), hint: BY_USER_ID };
    const found = await runList(this.#records, { domain_id: scope.domain_id }, plan, reading);
    return { users: found.results, total: found.total_count };
  }

  /** The rows of a statistics query over the members. */
  async stat(
    reach: Reach,
    scope: MemberScope,
    plan: StatisticsPlan,
  ): Promise<{ results: unknown[]; total_count?: number }> {
    return runStatistics(this.#records, memberFilter(scope), plan, options(reach));
  }
}

/**
 * What bounds the index and leaves its order to the sort, and nothing else: one equality wherever possible
 * (docs/decisions/0001).
 */
function memberFilter(scope: MemberScope): Filter {
  return { domain_id: scope.domain_id, 'memberships.workspace_id': idsOf(scope) };
}

function roleFilter(scope: MemberScope): Filter {
  if (!scope.role_type) return {};
  return { memberships: { $elemMatch: { workspace_id: idsOf(scope), role_type: scope.role_type } } };
}

function idsOf({ workspace_id, wildcard }: MemberScope): unknown {
  return wildcard ? { $in: [workspace_id, '*'] } : workspace_id;
}

/** The roles of a row that count for the scope. */
export function heldIn(
  memberships: readonly Membership[],
  role_type: WorkspaceRoleType | undefined,
): Membership[] {
  return memberships.filter((one) => !role_type || one.role_type === role_type);
}
