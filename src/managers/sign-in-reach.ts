import type { Reach } from '../connectors/mongo.js';
import { ROOT_DOMAIN_ID } from '../ids.js';
import type { Domain } from '../models/domain.js';
import type { User, Users } from '../models/user.js';
import type { Workspace } from '../models/workspace.js';
import type { DomainStates } from './domain-states.js';
import type { MyWorkspaces } from './my-workspaces.js';
import type { Caller } from './sessions.js';

/** What somebody can get a token for, beyond an unscoped one. */
export class SignInReach {
  constructor(
    private readonly users: Users,
    private readonly states: DomainStates,
    private readonly mine: MyWorkspaces,
  ) {}

  /** The own domain, for its administrators. */
  async domains(reach: Reach, caller: Caller): Promise<Domain[]> {
    const user = await this.#account(reach, caller);
    if (user?.role_type !== 'DOMAIN_ADMIN') return [];
    const domain = await this.states.domain(reach, user.domain_id);
    return domain?.state === 'ENABLED' ? [domain] : [];
  }

  /** Enabled workspaces by name: all for a domain administrator, else those with a role. The root domain has none. */
  async workspaces(reach: Reach, caller: Caller): Promise<Workspace[]> {
    const user = await this.#account(reach, caller);
    if (!user || user.domain_id === ROOT_DOMAIN_ID) return [];
    return (await this.mine.list(reach, user, undefined)).map(({ workspace }) => workspace);
  }

  async #account(reach: Reach, { kind, domain_id, user_id }: Caller): Promise<User | undefined> {
    return kind === 'USER' ? this.users.find(reach, { domain_id, user_id }) : undefined;
  }
}
