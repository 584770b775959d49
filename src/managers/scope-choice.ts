import type { Reach } from '../connectors/mongo.js';
import { IdentityError, notFound } from '../errors.js';
import { ROOT_DOMAIN_ID } from '../ids.js';
import type { User } from '../models/user.js';
import type { Workspaces } from '../models/workspace.js';
import type { DomainName } from './account-lookup.js';
import type { DomainStates } from './domain-states.js';
import type { WantedScope } from './scoped-tokens.js';

/** What a token shall be good for, as callers of OpenStack Identity say it; a project is a workspace. */
export type ScopeWish =
  | { unscoped: true }
  | { system: true }
  | { domain: DomainName }
  | { project: { id: string } | { name: string; domain?: DomainName } };

/** Finds the scope that a caller means. Domains other than the user's own are as good as unknown. */
export class ScopeChoice {
  constructor(
    private readonly workspaces: Workspaces,
    private readonly states: DomainStates,
  ) {}

  /**
   * The scope of one of our tokens; undefined for none.
   * @throws IdentityError ERROR_NOT_FOUND.
   */
  async find(reach: Reach, user: User, wish: ScopeWish): Promise<WantedScope | undefined> {
    if ('unscoped' in wish) return undefined;
    if ('system' in wish) return { scope: 'SYSTEM' };
    if ('domain' in wish) {
      await this.#assertOwn(reach, user, wish.domain);
      return user.domain_id === ROOT_DOMAIN_ID ? { scope: 'SYSTEM', asDomain: true } : { scope: 'DOMAIN' };
    }
    const { project } = wish;
    if ('id' in project) return { scope: 'WORKSPACE', workspace_id: project.id };
    if (project.domain) await this.#assertOwn(reach, user, project.domain);
    const workspace = await this.workspaces.findEnabled(reach, user.domain_id, project.name);
    if (!workspace) throw notFound({ project_id: project.name });
    return { scope: 'WORKSPACE', workspace_id: workspace.workspace_id };
  }

  async #assertOwn(reach: Reach, user: User, called: DomainName): Promise<void> {
    const domain = await this.states.domain(reach, user.domain_id);
    const own = 'id' in called ? called.id === user.domain_id : called.name === domain?.name;
    if (!own) throw new IdentityError('ERROR_PERMISSION_DENIED');
  }
}
