import { LRUCache } from 'lru-cache';
import type { Reach } from '../connectors/mongo.js';
import { IdentityError, authenticateFailure } from '../errors.js';
import type { Domain, Domains } from '../models/domain.js';
import type { Workspace, Workspaces } from '../models/workspace.js';

const MAX_ENTRIES = 10_000;

/** Domains and workspaces as every call needs them, remembered for seconds (D-14). */
export class DomainStates {
  readonly #domains: LRUCache<string, Domain>;
  readonly #workspaces: LRUCache<string, Workspace>;

  constructor(
    private readonly domains: Domains,
    private readonly workspaces: Workspaces,
    settings: { cacheMs: number },
  ) {
    const cache = { max: MAX_ENTRIES, ttl: Math.max(1, settings.cacheMs) };
    this.#domains = new LRUCache(cache);
    this.#workspaces = new LRUCache(cache);
  }

  /** The domain, or undefined when it does not exist or is deleted. */
  async domain(reach: Reach, domain_id: string): Promise<Domain | undefined> {
    const cached = this.#domains.get(domain_id);
    if (cached) return cached;
    const domain = await this.domains.find(reach, { domain_id });
    if (domain) this.#domains.set(domain_id, domain);
    return domain;
  }

  /** The domain with that name, or undefined; names may change, so nothing is remembered. */
  async domainNamed(reach: Reach, name: string): Promise<Domain | undefined> {
    return this.domains.find(reach, { name });
  }

  /** Forgets what is remembered of a domain, after a change of it. */
  forget(domain_id: string): void {
    this.#domains.delete(domain_id);
  }

  /**
   * Refuses a token whose domain or workspace is gone or disabled.
   * @throws IdentityError ERROR_AUTHENTICATE_FAILURE, ERROR_WORKSPACE_STATE.
   */
  async assertEnabled(reach: Reach, domain_id: string, workspace_id: string | undefined): Promise<void> {
    const [domain, workspace] = await Promise.all([
      this.domain(reach, domain_id),
      workspace_id ? this.workspace(reach, domain_id, workspace_id) : undefined,
    ]);
    if (domain?.state !== 'ENABLED') throw authenticateFailure('The domain is not enabled.');
    if (workspace_id && !workspace) throw authenticateFailure('The workspace does not exist.');
    if (workspace_id && workspace?.state !== 'ENABLED')
      throw new IdentityError('ERROR_WORKSPACE_STATE', { workspace_id });
  }

  /** The workspace, or undefined when it does not exist or is deleted. */
  async workspace(reach: Reach, domain_id: string, workspace_id: string): Promise<Workspace | undefined> {
    const key = `${domain_id}/${workspace_id}`;
    const cached = this.#workspaces.get(key);
    if (cached) return cached;
    const workspace = await this.workspaces.find(reach, domain_id, workspace_id);
    if (workspace) this.#workspaces.set(key, workspace);
    return workspace;
  }
}
