import type { Administration } from '../../managers/administration.js';
import type { GivenChange, ManagedUsers } from '../../managers/managed-users.js';
import type { NewUser, UserCreation } from '../../managers/user-creation.js';
import type { User } from '../../models/user.js';
import type { CallerCall } from '../../rpc/call.js';

const CREATED = 201;

/** Making and changing users, the same in every IAM system. */
export class UserWork {
  constructor(
    private readonly administration: Administration,
    private readonly creation: UserCreation,
    private readonly managed: ManagedUsers,
  ) {}

  /** Makes a user of a domain that the caller administers. */
  async create({ reach, noted, answer }: CallerCall, domain_id: string, wanted: NewUser): Promise<User> {
    const created = await this.creation.create(reach, domain_id, wanted);
    noted['created_user_id'] = created.id;
    answer.status = CREATED;
    return created;
  }

  /** Changes the user whom the caller means. */
  async change({ reach, caller, noted }: CallerCall, ref: string, change: GivenChange): Promise<User> {
    const user = await this.administration.changeable(reach, caller, ref);
    const changed = await this.managed.update(reach, caller, user, change);
    noted['changed_user_id'] = user.id;
    return changed;
  }
}
