import type { Reach } from '../connectors/mongo.js';
import { invalidParameter } from '../errors.js';
import type { Page } from '../models/page.js';
import type { ListedUser, PageScope, UserPages } from '../models/user-pages.js';
import { boundsOf } from './asked-page.js';
import type { AskedPage } from './asked-page.js';
import type { DomainStates } from './domain-states.js';
import type { PasswordPolicy } from './password-policy.js';

/** How OpenStack Identity compares times. */
export const EXPIRY_OPERATORS = ['lt', 'lte', 'gt', 'gte', 'eq', 'neq'] as const;

/** When the passwords end that are asked for. */
export interface ExpiryBound {
  operator: (typeof EXPIRY_OPERATORS)[number];
  at: Date;
}

/** Which users are asked for. */
export interface UserFilters extends Pick<PageScope, 'domain_id' | 'username' | 'enabled'> {
  expiry?: ExpiryBound;
}

const OPAQUE_ID = /^[0-9a-f]{32}$/;
const NONE: Page<ListedUser> = { rows: [] };

/** The users that administrators look through in OpenStack Identity. */
export class UserDirectory {
  constructor(
    private readonly pages: UserPages,
    private readonly states: DomainStates,
    private readonly policy: PasswordPolicy,
  ) {}

  /**
   * A page by opaque id, of at most 1000. Nobody is in a domain that is not there.
   * @param asked `marker` is the id of the last user of the page before, who may be gone meanwhile.
   * @throws IdentityError ERROR_INVALID_PARAMETER(marker) when it can be no id.
   */
  async list(reach: Reach, { expiry, ...filters }: UserFilters, asked: AskedPage): Promise<Page<ListedUser>> {
    const { marker } = asked;
    if (marker !== undefined && !OPAQUE_ID.test(marker))
      throw invalidParameter('marker', 'is the id of no user');
    const scope = expiry ? this.#ending(filters, expiry) : filters;
    if (!scope) return NONE;
    const { domain_id } = scope;
    if (domain_id !== undefined && !(await this.states.domain(reach, domain_id))) return NONE;
    return this.pages.read(reach, scope, boundsOf(asked));
  }

  /** Those of whom passwords end then; undefined where none ends. */
  #ending(filters: PageScope, { operator, at }: ExpiryBound): PageScope | undefined {
    const set = this.policy.setFor(at);
    if (!set) return undefined;
    return { ...filters, passwordSet: { operator: operator === 'neq' ? 'ne' : operator, at: set } };
  }
}
