import type { Mongo, Reach, Tx } from '../connectors/mongo.js';
import { IdentityError, invalidParameter } from '../errors.js';
import type { User, UserChange } from '../models/user.js';
import type { AccountChanges } from './account-changes.js';
import { isOwn } from './administration.js';
import { ofUser } from './audit.js';
import type { Audit, AuditEntry } from './audit.js';
import type { LastAdministrator } from './last-administrator.js';
import { moving } from './new-addresses.js';
import type { NewAddresses } from './new-addresses.js';
import { assertKeptHere } from './new-passwords.js';
import type { NewPasswords, ReadyPassword } from './new-passwords.js';
import type { OwnPasswords } from './own-passwords.js';
import type { Caller, Sessions } from './sessions.js';
import type { SignInGuard } from './sign-in-guard.js';
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
import { asNameTaken } from './user-creation.js';

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

/** Administrators changing the users of a domain through the IAM systems. */
export class ManagedUsers {
  constructor(
    private readonly mongo: Mongo,
    private readonly changes: AccountChanges,
    private readonly newPasswords: NewPasswords,
    private readonly ownPasswords: OwnPasswords,
    private readonly addresses: NewAddresses,
    private readonly guard: SignInGuard,
    private readonly sessions: Sessions,
    private readonly lastAdministrator: LastAdministrator,
    private readonly audit: Audit,
  ) {}

  /**
   * Changes the given fields. Disabling, another address, a new password and the demand for one end every session (of
   * administrators who change their own address the others); enabling revives none. A password and enabling forget the
   * wrong attempts at a sign-in.
   * @throws IdentityError ERROR_PERMISSION_DENIED for who disables themself or the last administrator of the domain,
   * ERROR_NOT_UNIQUE(name), ERROR_NOT_UNIQUE(xuser_id), a broken rule, ERROR_NOT_FOUND when the user is gone meanwhile,
   * ERROR_AUTHENTICATE_FAILURE when the session that changes its own account has ended meanwhile.
   */
  async update(reach: Reach, by: Caller, user: User, given: GivenChange): Promise<User> {
    const owner = isOwn(by, user) ? by : undefined;
    const { name, enabled } = given;
    if (owner && enabled === false) throw new IdentityError('ERROR_PERMISSION_DENIED');
    if (given.domain_id !== undefined && given.domain_id !== user.domain_id)
      throw invalidParameter('domain_id', 'Cannot change Domain ID');
    checkPairs(given);
    const email = given.email === undefined ? user.email : (given.email ?? '');
    const secret = await this.#newPassword(reach, owner, user, given);
    const parts = merged(
      renaming(user, name),
      switching(user, enabled),
      detailChange(user, given),
      secret?.change ?? (await this.#demand(reach, user, given.pwd_status)),
    );
    const moved = email !== user.email;
    const unlocks = !owner && (secret !== undefined || enabled === true);
    if (!moved && Object.keys(parts).length === 0) {
      if (unlocks) await this.guard.forget(reach, user);
      return user;
    }
    const after = await this.mongo
      .transaction(reach, async (tx) => {
        const change = moved ? await this.#move(tx, owner, user, email, parts) : parts;
        const changed = await (owner
          ? this.changes.byOwner(tx, user, change)
          : this.changes.byAdministrator(tx, user, change));
        if (unlocks) await this.guard.forget(tx, user);
        if (change.$set?.state === 'DISABLED') await this.lastAdministrator.assertOneLeft(tx, by, changed);
        const replaced = secret ? [await secret.settle(tx)] : [];
        await this.audit.record(tx, ...entries(user, given, change), ...replaced);
        return changed;
      })
      .catch(asNameTaken(name ?? user.username, user.domain_id));
    this.sessions.forget(user);
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
    const before = await this.changes.read(tx, user);
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

  /** The password that an administrator chose: for somebody, or for themself as people do everywhere. */
  async #newPassword(
    reach: Reach,
    owner: Caller | undefined,
    user: User,
    { password, name = user.username, pwd_status }: GivenChange,
  ): Promise<ReadyPassword | undefined> {
    if (password === undefined) return undefined;
    const field = 'password';
    const account = { ...user, username: name };
    const names = [user.user_id, user.username, name];
    const given = { password, field, mustChange: pwd_status };
    if (!owner) return this.newPasswords.chosenFor(reach, account, given, names);
    const chosen = { ...given, names };
    return this.ownPasswords.recent(reach, { ...owner, account }, chosen).catch(asInvalidPassword);
  }
}

/** A sign-in that is too old for the own password, in the words of the IAM systems. */
function asInvalidPassword(error: unknown): never {
  const isTooOld = error instanceof IdentityError && error.reason === 'ERROR_REQUIRED_PARAMETER';
  throw isTooOld
    ? invalidParameter(
        'password',
        'The sign-in is too old to set the own password here: change it with the current one',
      )
    : error;
}

/** What is recorded of a change beside the password; values of fields are not. */
function entries(user: User, given: GivenChange, change: UserChange): AuditEntry[] {
  const changed = { ...change.$unset, ...change.$set };
  const demand = given.pwd_status ?? isDemanded(user);
  const fields = [...detailsIn(change), ...(demand === isDemanded(user) ? [] : ['pwd_status'])];
  return [
    ...(fields.length > 0 ? [ofUser('user.update', user, { detail: { fields } })] : []),
    ...('username' in changed ? [ofUser('user.rename', user)] : []),
    ...('state' in changed
      ? [ofUser(changed.state === 'DISABLED' ? 'user.disable' : 'user.enable', user)]
      : []),
    ...('email' in changed ? [ofUser('email.change', user)] : []),
  ];
}
