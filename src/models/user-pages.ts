import type { Reach, Records } from '../connectors/mongo.js';
import { options, records } from '../connectors/mongo.js';
import { identityKey } from '../ids.js';
import type { PageBounds } from './page.js';
import { pageOf } from './page.js';
import type { User, Users, UserWithSecrets } from './user.js';
import { withoutSecrets } from './user.js';

/** Which users a page is of. */
export interface PageScope {
  /** Those of this domain; without it, of all. */
  domain_id?: string;
  /** The one with this username, in any letter case. */
  username?: string;
  enabled?: boolean;
}

/** A page, and the opaque id after which the next one begins, if there is one. */
export interface UserPage {
  users: User[];
  next?: string;
}

/** Ids are random, so a share of what they can be holds as large a share of the users. */
const ID_DIGITS = 8;
const ALL_IDS = 16 ** ID_DIGITS;
/** The first range that is read holds four pages of a domain of this size. */
const USERS_AT_FIRST = 100_000;
const PAGES_AT_FIRST = 4;
const WIDER = 32;

/**
 * Users by opaque id, page by page: every page costs about what it shows, however many came before. It is read from a
 * narrow range of ids, and from a wider one while that is not full, because not every engine stops reading a range
 * when the page is full.
 */
export class UserPages {
  readonly #records: Records<UserWithSecrets>;

  constructor(users: Users) {
    this.#records = records(users.model);
  }

  /** The page. */
  async read(reach: Reach, scope: PageScope, { after, limit }: PageBounds): Promise<UserPage> {
    if (scope.username !== undefined) {
      const named = await this.#named(reach, scope, scope.username);
      return page(after === undefined ? named : named.filter(({ id }) => id > after), limit);
    }
    for (let share = (PAGES_AT_FIRST * (limit + 1)) / USERS_AT_FIRST; ; share *= WIDER) {
      const below = endOf(share, after);
      const found = await this.#between(reach, scope, after, below, limit + 1);
      if (found.length > limit || below === undefined) return page(found, limit);
    }
  }

  async #between(
    reach: Reach,
    { domain_id, enabled }: PageScope,
    after: string | undefined,
    below: string | undefined,
    limit: number,
  ): Promise<User[]> {
    const bounds = {
      ...(after === undefined ? {} : { $gt: String(after) }),
      ...(below === undefined ? {} : { $lt: below }),
    };
    const range = {
      ...(domain_id === undefined ? {} : { domain_id: String(domain_id) }),
      ...(domain_id !== undefined && enabled === false ? { state: 'DISABLED' } : {}),
      ...(Object.keys(bounds).length > 0 ? { id: bounds } : {}),
    };
    // The range apart from the rest: together some engines take another index for it.
    const state = enabled ? { $ne: 'DISABLED' } : 'DISABLED';
    const rest = enabled === undefined ? [] : [{ $match: { state } }];
    const stages = [{ $match: range }, ...rest, { $sort: { id: 1 } }, { $limit: limit }];
    return this.#records.aggregate<User>([...stages, { $project: withoutSecrets }], options(reach)).toArray();
  }

  /** At most one of each domain. */
  async #named(reach: Reach, { domain_id, enabled }: PageScope, username: string): Promise<User[]> {
    const key = identityKey(username);
    const scope = domain_id === undefined ? {} : { domain_id: String(domain_id) };
    const only = { ...options(reach), projection: withoutSecrets };
    const found = await this.#records.find({ ...scope, login_keys: key }, only).toArray();
    return (
      found
        // Whoever took another name keeps the first one as user_id.
        .filter((user) => identityKey(user.username) === key)
        .filter(({ state }) => enabled === undefined || enabled === (state !== 'DISABLED'))
        .sort((left, right) => (left.id < right.id ? -1 : 1))
    );
  }
}

/** The id before which that share of all ids after the given one ends; undefined when it takes all that are left. */
function endOf(share: number, after: string | undefined): string | undefined {
  const start = after === undefined ? 0 : parseInt(after.slice(0, ID_DIGITS), 16);
  const end = start + Math.ceil(share * ALL_IDS);
  return end < ALL_IDS ? end.toString(16).padStart(ID_DIGITS, '0') : undefined;
}

function page(found: readonly User[], limit: number): UserPage {
  const { rows: users, next } = pageOf(found, limit, ({ id }) => id);
  return { users, next };
}
