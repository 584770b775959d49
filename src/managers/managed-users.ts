import type { Clock } from '../clock.js';
import { secondsAfter } from '../clock.js';
import type { Mongo, Reach, Tx } from '../connectors/mongo.js';
import { IdentityError, invalidParameter, notFound } from '../errors.js';
import type { PageScope, UserPage, UserPages } from '../models/user-pages.js';
import type { User, UserChange, Users } from '../models/user.js';
import { isOwn } from './administration.js';
import { ofUser } from './audit.js';
import type { Audit, AuditEntry } from './audit.js';
import type { LastAdministrator } from './last-administrator.js';
import { moving } from './new-addresses.js';
import type { NewAddresses } from './new-addresses.js';
import { assertKeptHere } from './new-passwords.js';
import type { NewPasswords } from './new-passwords.js';
import type { Caller, Sessions } from './sessions.js';
import {
  checkPairs,
  demanding,
  detailChange,
  detailsIn,
  isDemanded,
  merged,
  renaming,
  switching,
} from './user-changes.js';
import type { GivenDetails } from './user-changes.js';
import { asNameTaken, checkNewPassword } from './user-creation.js';

/** What an administrator changes of a user. */
export interface GivenChange extends GivenDetails {
  name?: string;
  /** Only there to be compared: nobody moves to another domain. */
  domain_id?: string;
  password?: string;
  /** Null and an empty text: none. */
  email?: string | null;
  enabled?: boolean;
  /** The owner has to choose another password first of all. */
  pwd_status?: boolean;
}

export interface ManagedUserSettings {
  /** Whoever gets a password from somebody else has to change it (D-42). */
  forceUpdate: boolean;
  /** Age of a sign-in that still allows to set the own password without the current one. */
  recentSeconds: number;
}

/** Users on a page, unless fewer are asked for. */
export const MAX_PAGE = 1000;

/** Administrators listing and changing the users of a domain through the IAM systems. */
export class ManagedUsers {
  constructor(
    private readonly mongo: Mongo,
    private readonly users: Users,
    private readonly pages: UserPages,
    private readonly newPasswords: NewPasswords,
    private readonly addresses: NewAddresses,
    private readonly sessions: Sessions,
    private readonly lastAdministrator: LastAdministrator,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly settings: ManagedUserSettings,
  ) {}

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
   * Changes the given fields. Disabling, another address, a new password and the demand for one end every session (of
   * administrators who change their own address the others); enabling revives none.
   * @throws IdentityError ERROR_PERMISSION_DENIED for who disables themself or the last administrator of the domain,
   * ERROR_NOT_UNIQUE(name), ERROR_NOT_UNIQUE(xuser_id), a broken rule, ERROR_NOT_FOUND when the user is gone meanwhile.
   */
  async update(reach: Reach, by: Caller, user: User, given: GivenChange): Promise<User> {
    const own = isOwn(by, user);
    const { name, enabled, password } = given;
    if (own && enabled === false) throw new IdentityError('ERROR_PERMISSION_DENIED');
    if (given.domain_id !== undefined && given.domain_id !== user.domain_id)
      throw invalidParameter('domain_id', 'Cannot change Domain ID');
    checkPairs(given);
    const email = given.email === undefined ? user.email : (given.email ?? '');
    const parts = merged(
      renaming(user, name),
      switching(user, enabled),
      detailChange(user, given),
      password === undefined
        ? await this.#demand(reach, user, given.pwd_status)
        : await this.#newPassword(reach, own ? by : undefined, user, given),
    );
    const moved = email !== user.email;
    if (!moved && Object.keys(parts).length === 0) return user;
    const after = await this.mongo
      .transaction(reach, async (tx) => {
        const change = moved ? await this.#move(tx, own ? by : undefined, user, email, parts) : parts;
        const changed = await this.#write(tx, user, change, password !== undefined);
        if (change.$set?.state === 'DISABLED') await this.lastAdministrator.assertOneLeft(tx, by, changed);
        await this.audit.record(tx, ...entries(user, given, change, own));
        return changed;
      })
      .catch(asNameTaken(name ?? user.username, user.domain_id));
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

  /** The change with another address in it; which address is proven counts at this moment. */
  async #move(
    tx: Tx,
    owner: Caller | undefined,
    user: User,
    email: string,
    change: UserChange,
  ): Promise<UserChange> {
    const before = await this.users.find(tx, user);
    if (before?.id !== user.id) throw notFound({ user_id: user.id });
    await this.addresses.settle(tx, before, email);
    // What ends every session spares none.
    return merged(change, moving(before, email, change.$inc ? undefined : owner?.session));
  }

  /** The change that demands another password, or takes the demand back. */
  async #demand(reach: Reach, user: User, demanded: boolean | undefined): Promise<UserChange> {
    const field = 'pwd_status';
    if (demanded) assertKeptHere(user, field);
    const takenBack = demanded === false && isDemanded(user);
    // An invitation lets its owner set the first password because of the demand.
    if (takenBack && !(await this.newPasswords.isSet(reach, user)))
      throw invalidParameter(field, 'must be true until there is a password');
    return demanding(user, demanded);
  }

  /** The change that puts a password in force which an administrator chose, for themself if there is an owner. */
  async #newPassword(
    reach: Reach,
    owner: Caller | undefined,
    user: User,
    { password = '', name = user.username, pwd_status }: GivenChange,
  ): Promise<UserChange> {
    const field = 'password';
    assertKeptHere(user, field);
    if (owner) this.#assertRecent(owner);
    checkNewPassword(password, [user.user_id, user.username, name], field);
    const mustChange = pwd_status ?? (this.settings.forceUpdate && !owner);
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

/** What is recorded of a change; values of fields are not. */
function entries(user: User, given: GivenChange, change: UserChange, own: boolean): AuditEntry[] {
  const changed = { ...change.$unset, ...change.$set };
  const demand = given.pwd_status ?? isDemanded(user);
  const fields = [...detailsIn(change), ...(demand === isDemanded(user) ? [] : ['pwd_status'])];
  const way = own ? 'RECENT_SIGN_IN' : 'ADMINISTRATOR';
  return [
    ...(fields.length > 0 ? [ofUser('user.update', user, { detail: { fields } })] : []),
    ...('username' in changed ? [ofUser('user.rename', user)] : []),
    ...('state' in changed
      ? [ofUser(changed.state === 'DISABLED' ? 'user.disable' : 'user.enable', user)]
      : []),
    ...('email' in changed ? [ofUser('email.change', user)] : []),
    ...(given.password === undefined ? [] : [ofUser('password.change', user, { detail: { way } })]),
  ];
}
