import type { Tx } from '../connectors/mongo.js';
import { IdentityError } from '../errors.js';
import type { Domains } from '../models/domain.js';
import type { Roles } from '../models/role.js';
import type { User, Users } from '../models/user.js';
import { permits } from '../permissions.js';
import type { UserPermission } from './administration.js';
import type { Caller } from './sessions.js';

const ADMINISTERS: UserPermission = 'identity:User.write';

/** Keeps the administrators of a domain from leaving it without one, also when several act at once. */
export class LastAdministrator {
  constructor(
    private readonly users: Users,
    private readonly domains: Domains,
    private readonly roles: Roles,
  ) {}

  /**
   * To be called in the transaction that has just disabled or removed the user. Who comes from another domain
   * administers the system, and may leave this one without an administrator.
   * @throws IdentityError ERROR_PERMISSION_DENIED when the domain has nobody left who is enabled and whose role is, and lets
   * them change users; it undoes the change.
   */
  async assertOneLeft(tx: Tx, by: Caller, { domain_id, role_type }: User): Promise<void> {
    if (role_type !== 'DOMAIN_ADMIN') return;
    // Of two at once each would still see the other; both write the domain, so the second begins again.
    await this.domains.countAdministratorLoss(tx, domain_id);
    if (by.kind === 'SYSTEM' || by.domain_id !== domain_id) return;
    for (const role_id of await this.users.administratorRoles(tx, domain_id)) {
      const role = await this.roles.find(tx, domain_id, role_id);
      if (role?.state === 'ENABLED' && permits(role.permissions, [ADMINISTERS])) return;
    }
    throw new IdentityError('ERROR_PERMISSION_DENIED');
  }
}
