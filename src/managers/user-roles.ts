import type { Tx } from '../connectors/mongo.js';
import type { Domains } from '../models/domain.js';
import type { RoleBindings } from '../models/role-binding.js';
import type { Membership, User, UserKey } from '../models/user.js';
import type { WorkspaceGroups } from '../models/workspace-group.js';
import type { Workspaces } from '../models/workspace.js';
import { Turns } from '../turns.js';
import { EVERY_WORKSPACE } from './memberships.js';

/** Where a change of roles is counted. */
export interface CountedIn {
  domain_id: string;
  memberships: readonly Pick<Membership, 'workspace_id'>[];
}

/** The roles of users beside the user: bindings, groups, and how many users each workspace has (D-24). */
export class UserRoles {
  /**
   * Transactions that count users of one workspace change one document: side by side they would only make each other begin
   * again. Who waits keeps the place of their call, which bounds them.
   */
  readonly #counting = new Turns({ atATime: 1, waiting: Infinity, waitingInAll: Infinity });

  constructor(
    private readonly bindings: RoleBindings,
    private readonly workspaces: Workspaces,
    private readonly groups: WorkspaceGroups,
    private readonly domains: Domains,
  ) {}

  /** Does what counts users when it is its turn in each of their workspaces, which all take in one order. */
  inTurn<T>(counted: CountedIn, work: () => Promise<T>): Promise<T> {
    const keys = [...workspacesOf(counted)].sort().map((id) => `${counted.domain_id}/${id}`);
    return keys.reduceRight((inner, key) => () => this.#counting.run({}, key, inner), work)();
  }

  /**
   * Writes a role of a new user. To be called last in its transaction: who counts users there waits from here to the commit.
   * @throws IdentityError ERROR_NOT_FOUND when the workspace is gone.
   */
  async give(tx: Tx, { domain_id, user_id }: UserKey, membership: Membership): Promise<void> {
    await this.bindings.insert(tx, { ...membership, domain_id, user_id, resource_group: 'WORKSPACE' });
    await this.workspaces.addUsers(tx, domain_id, membership.workspace_id, 1);
  }

  /** Takes all roles of a user who is gone. To be called last, as above. */
  async takeAll(tx: Tx, gone: User): Promise<void> {
    await this.bindings.deleteAllOfUser(tx, gone);
    await this.groups.removeUser(tx, gone);
    const held = workspacesOf(gone);
    if (held.delete(EVERY_WORKSPACE)) await this.domains.removeWildcardMember(tx, gone.domain_id);
    if (held.size > 0) await this.workspaces.removeUser(tx, gone.domain_id, [...held]);
  }
}

function workspacesOf({ memberships }: CountedIn): Set<string> {
  return new Set(memberships.map(({ workspace_id }) => workspace_id));
}
