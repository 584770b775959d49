import type { Mongo, Reach, Tx } from '../connectors/mongo.js';
import { IdentityError, notFound } from '../errors.js';
import type { PasswordLinks } from '../models/password-link.js';
import type { PendingCodes } from '../models/pending-code.js';
import type { Membership, User, Users } from '../models/user.js';
import { isOwn } from './administration.js';
import { ofUser } from './audit.js';
import type { Audit, AuditEntry } from './audit.js';
import type { DomainStates } from './domain-states.js';
import type { LastAdministrator } from './last-administrator.js';
import { EVERY_WORKSPACE } from './memberships.js';
import type { Caller, Sessions } from './sessions.js';
import type { SignInGuard } from './sign-in-guard.js';
import type { UserRoles } from './user-roles.js';

/** Removing users for good, with everything that hangs on them. */
export class UserRemoval {
  constructor(
    private readonly mongo: Mongo,
    private readonly users: Users,
    private readonly roles: UserRoles,
    private readonly codes: PendingCodes,
    private readonly links: PasswordLinks,
    private readonly states: DomainStates,
    private readonly guard: SignInGuard,
    private readonly sessions: Sessions,
    private readonly lastAdministrator: LastAdministrator,
    private readonly audit: Audit,
  ) {}

  /**
   * Removes a user, their roles and what they have pending: all of it, or nothing. Their tokens are dead at once.
   * @throws IdentityError ERROR_PERMISSION_DENIED for the own account and the last administrator of the domain,
   * ERROR_NOT_FOUND when the user is gone already.
   */
  async remove(reach: Reach, by: Caller, user: User): Promise<void> {
    if (isOwn(by, user)) throw new IdentityError('ERROR_PERMISSION_DENIED');
    await this.roles.inTurn(user, () => this.mongo.transaction(reach, (tx) => this.#remove(tx, by, user)));
    this.sessions.forget(user);
    this.states.forget(user.domain_id);
  }

  async #remove(tx: Tx, by: Caller, user: User): Promise<void> {
    // Roles as they are now, not as they were when the caller was looked at.
    const gone = await this.users.remove(tx, user);
    // Somebody else may have got the user_id; the error undoes it.
    if (gone?.id !== user.id) throw notFound({ user_id: user.id });
    if (gone.state !== 'DISABLED') await this.lastAdministrator.assertOneLeft(tx, by, gone);
    await this.codes.dropAll(tx, gone);
    await this.links.drop(tx, gone);
    await this.guard.forget(tx, gone);
    await this.audit.record(tx, ofUser('user.delete', gone), ...rolesTaken(gone));
    await this.roles.takeAll(tx, gone);
  }
}

/** The entries for the roles that go with a user. */
function rolesTaken(gone: User): AuditEntry[] {
  const { role_type, role_id, memberships } = gone;
  const everywhere =
    role_type === 'DOMAIN_ADMIN' ? [{ role_id, role_type, workspace_id: EVERY_WORKSPACE }] : [];
  return [...everywhere, ...memberships.map(named)].map(({ workspace_id, ...detail }) =>
    ofUser('role.revoke', gone, { workspace_id, detail }),
  );
}

function named({ role_id, role_type, role_binding_id, workspace_id }: Membership) {
  return { role_id, role_type, role_binding_id, workspace_id };
}
