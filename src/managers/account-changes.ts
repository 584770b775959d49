import type { Clock } from '../clock.js';
import type { Tx } from '../connectors/mongo.js';
import { authenticateFailure, notFound } from '../errors.js';
import type { PendingCodes } from '../models/pending-code.js';
import type { User, UserChange, UserKey, Users } from '../models/user.js';
import { userNotFound } from '../models/user.js';

/** How accounts change: what ends every session ends every flow that waits for a code, too. */
export class AccountChanges {
  constructor(
    private readonly users: Users,
    private readonly codes: PendingCodes,
    private readonly clock: Clock,
  ) {}

  /**
   * A change by the owner. One that ends sessions is made by a session that was not ended meanwhile: one of many at once.
   * @param account as it was when the session was looked at.
   * @throws IdentityError ERROR_AUTHENTICATE_FAILURE, ERROR_NOT_FOUND.
   */
  async byOwner(tx: Tx, account: User, change: UserChange): Promise<User> {
    const condition = change.$inc ? { generation: account.generation } : {};
    const after = await this.apply(tx, account, change, condition);
    if (!after) throw change.$inc ? authenticateFailure('The session has ended.') : userNotFound(account);
    return after;
  }

  /**
   * A change by an administrator, whose own session has nothing to do with it.
   * @throws IdentityError ERROR_NOT_FOUND when the user is gone meanwhile, also when somebody else has the user_id now.
   */
  async byAdministrator(tx: Tx, user: User, change: UserChange): Promise<User> {
    const after = await this.apply(tx, user, change);
    // Not a condition of the change: some engines leave the index of the key for it. The error undoes it.
    if (after?.id !== user.id) throw notFound({ user_id: user.id });
    return after;
  }

  /**
   * The account as it is at this moment.
   * @throws IdentityError ERROR_NOT_FOUND when it is gone meanwhile.
   */
  async read(tx: Tx, user: User): Promise<User> {
    const found = await this.users.find(tx, user);
    if (found?.id !== user.id) throw notFound({ user_id: user.id });
    return found;
  }

  /** A change under a condition of its own; undefined when that does not hold, or nobody is there. */
  async apply(tx: Tx, user: UserKey, change: UserChange, condition?: object): Promise<User | undefined> {
    const after = await this.users.change(tx, user, change, this.clock.now(), condition);
    if (after && change.$inc && !change.$set?.kept_session) await this.codes.dropAll(tx, user);
    return after;
  }
}
