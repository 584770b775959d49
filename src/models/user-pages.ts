import type { Reach, Records } from '../connectors/mongo.js';
import { options, records } from '../connectors/mongo.js';
import { identityKey } from '../ids.js';
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

/** Where a page begins, and how many users it has at most. */
export interface PageBounds {
  /** Opaque id of the last user of the page before. */
  after?: string;
  limit: number;
}

/** A page, and the opaque id after which the next one begins, if there is one. */
export interface UserPage {
  users: User[];
  next?: string;
}

/** Users by opaque id, page by page: every page is one range of one index, however many came before. */
export class UserPages {
  readonly #records: Records<UserWithSecrets>;

  constructor(users: Users) {
    this.#records = records(users.model);
  }

  /** The page; one with a next one may be short, even empty, when a name is asked for. */
  async read(reach: Reach, scope: PageScope, { after, limit }: PageBounds): Promise<UserPage> {
    const found = await this.#records
      .find(filterOf(scope, after), { ...options(reach), projection: withoutSecrets })
      .sort({ id: 1 })
      .limit(limit + 1)
      .toArray();
    const page = found.slice(0, limit);
    const next = found.length > limit ? page.at(-1)!.id : undefined;
    // A user who gave this name up for another one keeps it as user_id.
    const key = scope.username === undefined ? undefined : identityKey(scope.username);
    return { users: page.filter(({ username }) => !key || identityKey(username) === key), next };
  }
}

function filterOf({ domain_id, username, enabled }: PageScope, after: string | undefined) {
  return {
    ...(domain_id === undefined ? {} : { domain_id: String(domain_id) }),
    ...(username === undefined ? {} : { login_keys: identityKey(username) }),
    ...(enabled === undefined
      ? {}
      : { state: enabled ? { $ne: 'DISABLED' as const } : ('DISABLED' as const) }),
    ...(after === undefined ? {} : { id: { $gt: String(after) } }),
  };
}
