import type { Reach, Records } from '../connectors/mongo.js';
import { options, records } from '../connectors/mongo.js';
import { identityKey } from '../ids.js';
import type { Domains } from './domain.js';
import type { Page, PageBounds } from './page.js';
import { pageOf } from './page.js';
import type { User, Users, UserWithSecrets } from './user.js';

/** Which users a page is of. */
export interface PageScope {
  /** Those of this domain; without it, of all that are not deleted. */
  domain_id?: string;
  /** The one with this username, in any letter case. */
  username?: string;
  enabled?: boolean;
  /** When their password was set; whoever has none is left out. */
  passwordSet?: { operator: 'lt' | 'lte' | 'gt' | 'gte' | 'eq' | 'ne'; at: Date };
}

const SHOWN = [
  'id',
  'username',
  'domain_id',
  'state',
  'email',
  'description',
  'default_project_id',
  'password_changed_at',
] as const satisfies readonly (keyof User)[];

/** What a list shows of a user; the rest of one may be large. */
export type ListedUser = Pick<User, (typeof SHOWN)[number]>;

const projection = { _id: 0, ...Object.fromEntries(SHOWN.map((field) => [field, 1])) };

/** Ids are random, so a share of what they can be holds as large a share of the users. */
const ID_DIGITS = 8;
const ALL_IDS = 16 ** ID_DIGITS;
/** The first range that is read holds four pages of a domain of this size. */
const USERS_AT_FIRST = 100_000;
const PAGES_AT_FIRST = 4;
const WIDER = 32;

/**
 * Users by opaque id, page by page: every page costs about what it shows, however many came before. It is read from a
 * narrow range of ids, and from ever wider ones behind it while the page is not full, because not every engine stops
 * reading a range when the page is full.
 */
export class UserPages {
  readonly #records: Records<UserWithSecrets>;

  constructor(
    users: Users,
    private readonly domains: Domains,
  ) {
    this.#records = records(users.model);
  }

  /** The page. */
  async read(reach: Reach, scope: PageScope, { after, limit }: PageBounds): Promise<Page<ListedUser>> {
    const users: ListedUser[] = [];
    // Few have a name, wherever their ids are.
    let share = scope.username === undefined ? (PAGES_AT_FIRST * (limit + 1)) / USERS_AT_FIRST : 1;
    for (let from = after; ;) {
      const below = endOf(share, from);
      const found = await this.#between(reach, scope, from, below, limit + 1);
      users.push(...(await this.#listed(reach, scope, found)));
      const isRead = found.length <= limit;
      if (users.length > limit || (isRead && below === undefined))
        return pageOf(users, limit, ({ id }) => id);
      from = isRead ? below : found.at(-1)!.id;
      if (isRead) share *= WIDER;
    }
  }

  async #between(
    reach: Reach,
    { domain_id, username, enabled, passwordSet }: PageScope,
    after: string | undefined,
    below: string | undefined,
    limit: number,
  ): Promise<ListedUser[]> {
    const bounds = {
      ...(after === undefined ? {} : { $gt: String(after) }),
      ...(below === undefined ? {} : { $lt: below }),
    };
    const ids = Object.keys(bounds).length > 0 ? { id: bounds } : {};
    const isOne = domain_id !== undefined && username !== undefined;
    const range = {
      ...(domain_id === undefined ? {} : { domain_id: String(domain_id) }),
      ...(username === undefined ? {} : { login_keys: identityKey(username) }),
      ...(username === undefined && enabled === false ? { state: 'DISABLED' } : {}),
      ...(isOne ? {} : ids),
    };
    // The range apart from the rest: together some engines take another index for it.
    const rest = [
      ...(isOne ? [ids] : []),
      ...(enabled === undefined ? [] : [{ state: enabled ? { $ne: 'DISABLED' } : 'DISABLED' }]),
      ...(passwordSet
        ? [{ password_changed_at: { $exists: true, [`$${passwordSet.operator}`]: passwordSet.at } }]
        : []),
    ];
    const stages = [range, ...rest].map((one) => ({ $match: one }));
    const page = [...(isOne ? [] : [{ $sort: { id: 1 } }]), { $limit: limit }, { $project: projection }];
    return this.#records.aggregate<ListedUser>([...stages, ...page], options(reach)).toArray();
  }

  /** Those of what was found who are in the list. */
  async #listed(
    reach: Reach,
    { domain_id, username }: PageScope,
    found: ListedUser[],
  ): Promise<ListedUser[]> {
    const named =
      username === undefined
        ? found
        : // Whoever took another name keeps the first one as user_id.
          found.filter((user) => identityKey(user.username) === identityKey(username));
    if (domain_id !== undefined || named.length === 0) return named;
    const living = await this.domains.living(reach, new Set(named.map((user) => user.domain_id)));
    return named.filter((user) => living.has(user.domain_id));
  }
}

/** The id before which that share of all ids after the given one ends; undefined when it takes all that are left. */
function endOf(share: number, after: string | undefined): string | undefined {
  const start = after === undefined ? 0 : parseInt(after.slice(0, ID_DIGITS), 16);
  const end = start + Math.ceil(share * ALL_IDS);
  return end < ALL_IDS ? end.toString(16).padStart(ID_DIGITS, '0') : undefined;
}
