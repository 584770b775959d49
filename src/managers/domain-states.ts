import type { Reach } from '../connectors/mongo.js';
import { IdentityError, authenticateFailure } from '../errors.js';
import type { Domain, Domains } from '../models/domain.js';
import type { Workspace, Workspaces } from '../models/workspace.js';
import { Memory } from './memory.js';

const MAX_ENTRIES = 10_000;

/**
 * Domains and workspaces as every call needs them, remembered for seconds (D-14). One that is not enabled is read every
 * time: it may have been enabled elsewhere.
 */
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
    return this.#domains.recall(reach, domain_id, this.#reading(domain_id), isEnabled);
  }

  /** The domain as it is now, or undefined when it does not exist or is deleted. */
  domainNow(reach: Reach, domain_id: string): Promise<Domain | undefined> {
    return this.#domains.refresh(reach, domain_id, this.#reading(domain_id));
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
   * @param now by the database alone, and not by what is remembered.
   * @throws IdentityError ERROR_AUTHENTICATE_FAILURE, ERROR_WORKSPACE_STATE.
   */
  async assertEnabled(
    reach: Reach,
    domain_id: string,
    workspace_id: string | undefined,
    now: boolean,
  ): Promise<void> {
    const [domain, workspace] = await Promise.all([
      now ? this.domainNow(reach, domain_id) : this.domain(reach, domain_id),
      workspace_id ? this.#workspace(reach, domain_id, workspace_id, now) : undefined,
    ]);
    if (!domain || !isEnabled(domain)) throw authenticateFailure('The domain is not enabled.');
    if (!workspace_id) return;
    if (!workspace) throw authenticateFailure('The workspace does not exist.');
    if (!isEnabled(workspace)) throw new IdentityError('ERROR_WORKSPACE_STATE', { workspace_id });
  }

  /** The workspace, or undefined when it does not exist or is deleted. */
  workspace(reach: Reach, domain_id: string, workspace_id: string): Promise<Workspace | undefined> {
    return this.#workspace(reach, domain_id, workspace_id, false);
  }

  #workspace(
    reach: Reach,
    domain_id: string,
    workspace_id: string,
    now: boolean,
  ): Promise<Workspace | undefined> {
    const key = `${domain_id}/${workspace_id}`;
    const read = (within: Reach) => this.workspaces.find(within, domain_id, workspace_id);
    return now
      ? this.#workspaces.refresh(reach, key, read)
      : this.#workspaces.recall(reach, key, read, isEnabled);
  }

  #reading(domain_id: string) {
    return (reach: Reach) => this.domains.find(reach, { domain_id });
  }
}

function isEnabled({ state }: Pick<Domain | Workspace, 'state'>): boolean {
  return state === 'ENABLED';
}
