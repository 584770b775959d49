import type { Clock } from '../clock.js';
import { secondsAfter } from '../clock.js';
import type { Mongo, Reach, Tx } from '../connectors/mongo.js';
import { IdentityError, invalidParameter, notFound } from '../errors.js';
import type { PageScope, UserPage, UserPages } from '../models/user-pages.js';
import type { User, UserChange, UserDetail, Users } from '../models/user.js';
import { loginKeys } from '../models/user.js';
import { checkPasswordFormat, checkPasswordIsNoName } from '../password.js';
import { checkUsername } from '../user-name.js';
import type { Accounts } from './accounts.js';
import { isOwn } from './administration.js';
import { ofUser, userCreated } from './audit.js';
import type { Audit, AuditEntry } from './audit.js';
import type { DomainStates } from './domain-states.js';
import type { LastAdministrator } from './last-administrator.js';
import { assertKeptHere } from './new-passwords.js';
import type { NewPasswords } from './new-passwords.js';
import type { Caller, Sessions } from './sessions.js';

/** Fields that an administrator sets; null clears one. */
type GivenDetail = { [Key in 'description' | 'default_project_id']?: UserDetail[Key] | null };

/** What a user is made from. */
export interface NewUser extends GivenDetail {
  name: string;
  password?: string;
  email?: string;
  enabled?: boolean;
}

/** What an administrator changes of a user. */
export interface GivenChange extends GivenDetail {
  name?: string;
  /** Only there to be compared: nobody moves to another domain. */
  domain_id?: string;
  password?: string;
  enabled?: boolean;
}

export interface ManagedUserSettings {
  /** Whoever gets a password from somebody else has to change it (D-42). */
  forceUpdate: boolean;
  /** Age of a sign-in that still allows to set the own password without the current one. */
  recentSeconds: number;
}

/** Users on a page, unless fewer are asked for. */
export const MAX_PAGE = 1000;

/** Administrators making, listing and changing the users of a domain through OpenStack Identity. */
export class ManagedUsers {
  constructor(
    private readonly mongo: Mongo,
    private readonly users: Users,
    private readonly pages: UserPages,
    private readonly accounts: Accounts,
    private readonly newPasswords: NewPasswords,
    private readonly sessions: Sessions,
    private readonly states: DomainStates,
    private readonly lastAdministrator: LastAdministrator,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly settings: ManagedUserSettings,
  ) {}

  /**
   * Makes a user without a role, whose user_id is the name. Without a password nobody signs in as them.
   * @throws IdentityError for a broken rule, ERROR_NOT_FOUND(domain_id), ERROR_NOT_UNIQUE(name).
   */
  async create(reach: Reach, domain_id: string, given: NewUser): Promise<User> {
    const { name, password, email, enabled = true } = given;
    checkUsername(name, 'user.name');
    if (password !== undefined) checkNewPassword(password, [name], 'user.password');
    const [domain, taken] = await Promise.all([
      this.states.domain(reach, domain_id),
      this.users.exists(reach, { domain_id, user_id: name }),
    ]);
    if (!domain) throw notFound({ domain_id });
    if (taken) throw nameTaken(name, domain_id);
    const account = { user_id: name, auth_type: 'LOCAL' as const, password, email };
    const role = { role_type: 'USER' as const, memberships: [] };
    const prepared = await this.accounts.prepare(reach, domain_id, account, role);
    const user = {
      ...prepared.user,
      ...detailSet(given),
      ...(enabled ? {} : { state: 'DISABLED' as const }),
    };
    const write = async (tx: Tx) => {
      await this.accounts.insert(tx, domain, { ...prepared, user });
      await this.audit.record(tx, userCreated(user));
    };
    await this.mongo.transaction(reach, write).catch(asNameTaken(name, domain_id));
    return { ...user, login_keys: [] };
  }

  /**
   * A page of users by opaque id, of at most 1000.
   * @param marker opaque id of the last user of the page before.
   * @throws IdentityError ERROR_INVALID_PARAMETER(marker) when nobody in the scope has that id.
   */
  async list(reach: Reach, scope: PageScope, marker?: string, limit = MAX_PAGE): Promise<UserPage> {
    if (marker !== undefined) {
      const last = await this.users.findById(reach, marker);
      if (!last || (scope.domain_id !== undefined && last.domain_id !== scope.domain_id))
        throw invalidParameter('marker', 'is the id of no user of this list');
    }
    return this.pages.read(reach, scope, { after: marker, limit: Math.min(limit, MAX_PAGE) });
  }

  /**
   * Changes the given fields. Disabling and a new password end every session; enabling revives none.
   * @throws IdentityError ERROR_PERMISSION_DENIED for who disables themself or the last administrator of the domain,
   * ERROR_NOT_UNIQUE(name), a broken rule, ERROR_NOT_FOUND when the user is gone meanwhile.
   */
  async update(reach: Reach, by: Caller, user: User, given: GivenChange): Promise<User> {
    const own = isOwn(by, user);
    if (own && given.enabled === false) throw new IdentityError('ERROR_PERMISSION_DENIED');
    if (given.domain_id !== undefined && given.domain_id !== user.domain_id)
      throw invalidParameter('domain_id', 'Cannot change Domain ID');
    const renamed = renaming(user, given.name);
    const secret =
      given.password === undefined ? {} : await this.#newPassword(reach, own ? by : undefined, user, given);
    const change = [renamed, switching(user, given.enabled), detailChange(user, given), secret].reduce(
      merged,
    );
    if (Object.keys(change).length === 0) return user;
    const withPassword = given.password !== undefined;
    const write = async (tx: Tx) => {
      const changed = await this.#write(tx, user, change, withPassword);
      if (change.$set?.state === 'DISABLED') await this.lastAdministrator.assertOneLeft(tx, by, changed);
      const way = own ? 'RECENT_SIGN_IN' : 'ADMINISTRATOR';
      await this.audit.record(tx, ...changes(user, change, withPassword ? way : undefined));
      return changed;
    };
    const after = await this.mongo
      .transaction(reach, write)
      .catch(asNameTaken(given.name ?? user.username, user.domain_id));
    this.sessions.forget(user);
    return after;
  }

  async #write(tx: Tx, user: User, change: UserChange, withPassword: boolean): Promise<User> {
    const after = await this.users.change(tx, user, change, this.clock.now());
    // Not a condition of the change: some engines leave the index of the key for it. The error undoes it.
    if (after?.id !== user.id) throw notFound({ user_id: user.id });
    if (withPassword) await this.newPasswords.settle(tx, after);
    return after;
  }

  /** The change that puts a password in force which an administrator chose, for themself if there is an owner. */
  async #newPassword(
    reach: Reach,
    owner: Caller | undefined,
    user: User,
    { password = '', name = user.username }: GivenChange,
  ): Promise<UserChange> {
    const field = 'password';
    assertKeptHere(user, field);
    if (owner) this.#assertRecent(owner);
    checkNewPassword(password, [user.user_id, user.username, name], field);
    const mustChange = this.settings.forceUpdate && !owner;
    return this.newPasswords.change(reach, { ...user, username: name }, { password, field, mustChange });
  }

  /** The rule of UserProfile.update: whoever finds a session open does not get the account with it. */
  #assertRecent(owner: Caller): void {
    const since = secondsAfter(this.clock.now(), -this.settings.recentSeconds);
    if (owner.signed_in_at >= since) return;
    throw invalidParameter(
      'password',
      'The sign-in is too old to set the own password here: change it with the current one',
    );
  }
}

function checkNewPassword(password: string, names: readonly string[], field: string): void {
  checkPasswordFormat(password, field);
  checkPasswordIsNoName(password, names, field);
}

/** A name that stays is not checked: it may be an address, which is older than the rule. */
function renaming(user: User, name: string | undefined): UserChange {
  if (name === undefined || name === user.username) return {};
  checkUsername(name, 'name');
  return { $set: { username: name, login_keys: loginKeys(user.user_id, name) } };
}

function switching(user: User, enabled: boolean | undefined): UserChange {
  if (enabled === undefined || enabled === (user.state !== 'DISABLED')) return {};
  return {
    $set: { state: enabled ? 'ENABLED' : 'DISABLED' },
    $unset: { kept_session: '' },
    $inc: { generation: 1 },
  };
}

const DETAIL = ['description', 'default_project_id'] as const;

function detailSet(given: GivenDetail): UserDetail {
  return Object.fromEntries(DETAIL.filter((key) => given[key]).map((key) => [key, given[key]]));
}

function detailChange(user: User, given: GivenDetail): UserChange {
  const changed = DETAIL.filter(
    (key) => given[key] !== undefined && (given[key] ?? '') !== (user[key] ?? ''),
  );
  const set = changed.filter((key) => given[key]);
  const unset = changed.filter((key) => !given[key]);
  return {
    ...(set.length > 0 ? { $set: Object.fromEntries(set.map((key) => [key, given[key]])) } : {}),
    ...(unset.length > 0 ? { $unset: Object.fromEntries(unset.map((key) => [key, ''])) } : {}),
  };
}

/** What is recorded of a change; values of fields are not. */
function changes(user: User, { $set, $unset }: UserChange, passwordWay: string | undefined): AuditEntry[] {
  const changed = { ...$unset, ...$set };
  const fields = DETAIL.filter((key) => key in changed);
  const way = { detail: { way: passwordWay } };
  return [
    ...(fields.length > 0 ? [ofUser('user.update', user, { detail: { fields } })] : []),
    ...('username' in changed ? [ofUser('user.rename', user)] : []),
    ...('state' in changed
      ? [ofUser(changed.state === 'DISABLED' ? 'user.disable' : 'user.enable', user)]
      : []),
    ...(passwordWay ? [ofUser('password.change', user, way)] : []),
  ];
}

/** Both changes in one; what both do the same way, such as ending sessions, happens once. */
function merged(left: UserChange, right: UserChange): UserChange {
  const all = new Map<string, unknown>(Object.entries(left));
  for (const [operator, fields] of Object.entries(right))
    all.set(operator, { ...(all.get(operator) as object | undefined), ...(fields as object) });
  return Object.fromEntries(all);
}

function nameTaken(name: string, domain_id: string, cause?: unknown): IdentityError {
  return new IdentityError('ERROR_NOT_UNIQUE', { key: 'name', value: name, domain_id }, [], { cause });
}

/** The database's word on a taken login, in the words of this API. */
function asNameTaken(name: string, domain_id: string): (error: unknown) => never {
  return (error) => {
    const taken = error instanceof IdentityError && error.reason === 'ERROR_SAVE_UNIQUE_VALUES';
    throw taken ? nameTaken(name, domain_id, error) : error;
  };
}
