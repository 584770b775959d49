import type { Reach } from '../connectors/mongo.js';
import { ROOT_DOMAIN_ID } from '../ids.js';
import type { Domain } from '../models/domain.js';
import type { User, UserKey, Users } from '../models/user.js';
import type { Aim } from './attempt-counts.js';
import type { DomainStates } from './domain-states.js';

/** A domain by its id or its name. */
export type DomainName = { id: string } | { name: string };

/** A user by opaque id, by user_id and domain, or by username or user_id and domain. */
export type UserReference = { id: string; domain?: DomainName } | { name: string; domain: DomainName };

/** Whom a reference means, as far as there is such a user. */
export interface Account {
  /** What the caller wrote: a name, a user_id or an opaque id. */
  called: string;
  /** At whom attempts count. */
  at: Aim;
  /** The user of that name, however it is written. */
  user?: User;
  /** The name is written so that this user can sign in by it. */
  fits: boolean;
  domain?: Domain;
}

/** Finds accounts by what a caller calls them, with the same reading whether there is such an account or not (D-07). */
export class AccountLookup {
  constructor(
    private readonly users: Users,
    private readonly states: DomainStates,
  ) {}

  /** The account that is meant by a user_id, written exactly so, in the domain with that id. */
  byUserId(reach: Reach, { domain_id, user_id }: UserKey): Promise<Account> {
    return this.#inDomain(reach, { id: domain_id }, user_id, 'user_id');
  }

  /** The account that is meant. */
  async find(reach: Reach, ref: UserReference): Promise<Account> {
    if ('name' in ref) return this.#inDomain(reach, ref.domain, ref.name, 'any name');
    const user = await this.users.findById(reach, ref.id);
    if (!ref.domain) {
      // An id that nobody has is of the root domain: it is looked up, counted and recorded like any other.
      const domain = await this.states.domain(reach, user?.domain_id ?? ROOT_DOMAIN_ID);
      return account(ref.id, domain, '', user);
    }
    const other = await this.#inDomain(reach, ref.domain, ref.id, 'user_id');
    const { domain } = other;
    return user && user.domain_id === domain?.domain_id ? account(ref.id, domain, '', user) : other;
  }

  async #inDomain(
    reach: Reach,
    called: DomainName,
    name: string,
    by: 'any name' | 'user_id',
  ): Promise<Account> {
    const domain =
      'id' in called
        ? await this.states.domain(reach, called.id)
        : await this.states.domainNamed(reach, called.name);
    // In no domain there is nobody, but it is looked for all the same.
    const domain_id = domain?.domain_id ?? '';
    const user = await this.users.findByLogin(reach, domain_id, name);
    const found = account(name, domain, 'id' in called ? called.id : called.name, user);
    // Whoever may be meant is the one who is guessed at, at every door.
    return { ...found, fits: found.fits && (by === 'any name' || user?.user_id === name) };
  }
}

function account(
  called: string,
  domain: Domain | undefined,
  written: string,
  user: User | undefined,
): Account {
  const at = user && domain ? { user } : { nobody: { name: called, domain: domain?.domain_id ?? written } };
  return { called, at, user: domain && user, fits: Boolean(user && domain), domain };
}
