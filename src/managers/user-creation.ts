import type { Mongo, Reach, Tx } from '../connectors/mongo.js';
import { IdentityError, notFound } from '../errors.js';
import type { User, Users } from '../models/user.js';
import { checkPasswordFormat } from '../password.js';
import { checkUsername } from '../user-name.js';
import type { Accounts } from './accounts.js';
import { userCreated } from './audit.js';
import type { Audit } from './audit.js';
import type { DomainStates } from './domain-states.js';
import { checkPairs, detailsOf } from './user-changes.js';
import type { GivenDetails } from './user-changes.js';

/** What a user is made from. */
export interface NewUser extends GivenDetails {
  name: string;
  password?: string;
  email?: string | null;
  enabled?: boolean;
  /** The owner has to choose another password first of all. */
  pwd_status?: boolean;
}

/** Administrators making users of a domain through the IAM systems. */
export class UserCreation {
  constructor(
    private readonly mongo: Mongo,
    private readonly users: Users,
    private readonly accounts: Accounts,
    private readonly states: DomainStates,
    private readonly audit: Audit,
  ) {}

  /**
   * Makes a user without a role, whose user_id is the name. Without a password nobody signs in as them.
   * @throws IdentityError for a broken rule, ERROR_NOT_FOUND(domain_id), ERROR_NOT_UNIQUE(name), (xuser_id).
   */
  async create(reach: Reach, domain_id: string, given: NewUser): Promise<User> {
    const { name, password } = given;
    const details = detailsOf(given);
    checkUsername(name, 'user.name');
    checkPairs(details);
    if (password !== undefined) checkPasswordFormat(password, 'user.password', [name]);
    const [domain, taken] = await Promise.all([
      this.states.domainNow(reach, domain_id),
      this.users.exists(reach, { domain_id, user_id: name }),
    ]);
    if (!domain) throw notFound({ domain_id });
    if (taken) throw nameTaken(name, domain_id);
    const account = {
      user_id: name,
      auth_type: 'LOCAL' as const,
      password,
      email: given.email ?? undefined,
    };
    const role = { role_type: 'USER' as const, memberships: [] };
    const prepared = await this.accounts.prepare(reach, domain_id, account, role);
    const user = { ...prepared.user, ...details, ...standing(given) };
    const write = async (tx: Tx) => {
      const made = await this.accounts.insert(tx, domain, { ...prepared, user });
      await this.audit.record(tx, userCreated(made));
      return made;
    };
    return this.mongo.transaction(reach, write).catch(asNameTaken(name, domain_id));
  }
}

/** What the administrator says of signing in; what they do not say is as for every new account. */
function standing({ enabled, pwd_status }: NewUser): Partial<Pick<User, 'state' | 'required_actions'>> {
  return {
    ...(enabled === false ? { state: 'DISABLED' } : {}),
    ...(pwd_status === undefined ? {} : { required_actions: pwd_status ? ['UPDATE_PASSWORD'] : [] }),
  };
}

function nameTaken(name: string, domain_id: string, cause?: unknown): IdentityError {
  return new IdentityError('ERROR_NOT_UNIQUE', { key: 'name', value: name, domain_id }, [], { cause });
}

/** The database's word on a taken login, in the words of the IAM systems. */
export function asNameTaken(name: string, domain_id: string): (error: unknown) => never {
  return (error) => {
    const taken = error instanceof IdentityError && error.reason === 'ERROR_SAVE_UNIQUE_VALUES';
    throw taken ? nameTaken(name, domain_id, error) : error;
  };
}
