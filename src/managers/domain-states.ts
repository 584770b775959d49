import type { Reach } from '../connectors/mongo.js';
import { IdentityError, authenticateFailure } from '../errors.js';
import type { Domain, Domains } from '../models/domain.js';
import type { Workspace, Workspaces } from '../models/workspace.js';
import { Memory } from './memory.js';

const MAX_ENTRIES = 10_000;

/** Domains and workspaces as every call needs them, remembered for seconds (D-14). */
export class DomainStates {
  readonly #domains: Memory<Domain>;
  readonly #workspaces: Memory<Workspace>;

  constructor(
    private readonly domains: Domains,
    private readonly workspaces: Workspaces,
    settings: { cacheMs: number },
  ) {
    const cache = { max: MAX_ENTRIES, ...settings };
    this.#domains = new Memory(cache);
    this.#workspaces = new Memory(cache);
  }

  /** The domain, or undefined when it does not exist or is deleted. */
  domain(reach: Reach, domain_id: string): Promise<Domain | undefined> {
    return this.#domains.recall(domain_id, () => this.domains.find(reach, { domain_id }));
  }

  /** The domain with that name, or undefined; names may change, so nothing is remembered. */
  async domainNamed(reach: Reach, name: string): Promise<Domain | undefined> {
    return this.domains.find(reach, { name });
  }

  /** Forgets what is remembered of a domain, after a change of it. */
  forget(domain_id: string): void {
    this.#domains.forget(domain_id);
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
  workspace(reach: Reach, domain_id: string, workspace_id: string): Promise<Workspace | undefined> {
    return this.#workspaces.recall(`${domain_id}/${workspace_id}`, () =>
      this.workspaces.find(reach, domain_id, workspace_id),
    );
  }
}
