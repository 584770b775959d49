import type { Reach } from '../connectors/mongo.js';
import { IdentityError, invalidParameter, notFound } from '../errors.js';
import { ROOT_DOMAIN_ID } from '../ids.js';
import type { Domains } from '../models/domain.js';
import type { Page } from '../models/page.js';
import type { User, Users } from '../models/user.js';
import type { Workspace, WorkspacePageScope, Workspaces } from '../models/workspace.js';
import type { Administration } from './administration.js';
import { boundsOf } from './asked-page.js';
import type { AskedPage } from './asked-page.js';
import { membershipIn, workspaceIdsOf } from './memberships.js';
import type { Caller } from './sessions.js';

/** What an administrator needs to look at workspaces. */
export const READS_WORKSPACES = 'identity:Workspace.read';

/** Which workspaces of a domain are asked for, as the projects that they are there. */
export interface ProjectFilters extends Pick<WorkspacePageScope, 'domain_id' | 'name' | 'enabled'> {
  /** What is above them: the domain is above all. */
  parent_id?: string;
  /** None is a domain. */
  is_domain?: boolean;
}

const NONE: Page<Workspace> = { rows: [] };

/** The workspaces that somebody may look at through OpenStack Identity. */
export class WorkspaceDirectory {
  constructor(
    private readonly workspaces: Workspaces,
    private readonly users: Users,
    private readonly domains: Domains,
    private readonly administration: Administration,
  ) {}

  /**
   * The workspace: any of the domain for its administrators, for others one that they have a role in.
   * @throws IdentityError ERROR_PERMISSION_DENIED for others, whether there is one or not, ERROR_NOT_FOUND(project_id).
   */
  async get(reach: Reach, caller: Caller, workspace_id: string): Promise<Workspace> {
    const administered = await this.administration.domainOf(reach, caller, READS_WORKSPACES);
    if (!administered && !(await this.#hasRole(reach, caller, workspace_id)))
      throw new IdentityError('ERROR_PERMISSION_DENIED');
    const found = await this.#find(reach, administered === '*' ? undefined : caller.domain_id, workspace_id);
    const [living] = found ? await this.#living(reach, caller, [found]) : [];
    if (!living) throw notFound({ project_id: workspace_id });
    return living;
  }

  /**
   * A page by id of the workspaces of the domain that the caller names, else of what they administer; of at most 1000.
   * @throws IdentityError ERROR_PERMISSION_DENIED, ERROR_INVALID_PARAMETER(marker) when that is none of the domain.
   */
  async list(
    reach: Reach,
    caller: Caller,
    { domain_id: named, parent_id, is_domain, name, enabled }: ProjectFilters,
    asked: AskedPage,
  ): Promise<Page<Workspace>> {
    const domain_id = await this.administration.namedDomain(reach, caller, named, READS_WORKSPACES);
    const isElsewhere = parent_id !== undefined && domain_id !== undefined && parent_id !== domain_id;
    if (isElsewhere || is_domain) return NONE;
    const { rows, next } = await this.#page(
      reach,
      { domain_id: domain_id ?? parent_id, name, enabled },
      asked,
    );
    return { rows: await this.#living(reach, caller, rows), next };
  }

  /**
   * A page by id of the enabled workspaces that a user may enter, of at most 1000. The root domain has none.
   * @throws IdentityError ERROR_INVALID_PARAMETER(marker) when that is no workspace of the domain.
   */
  async ofUser(
    reach: Reach,
    user: User,
    { name, ...asked }: AskedPage & Pick<ProjectFilters, 'name'>,
  ): Promise<Page<Workspace>> {
    const { domain_id } = user;
    const ids = workspaceIdsOf(user);
    if (domain_id === ROOT_DOMAIN_ID || ids.length === 0) return NONE;
    // Only what is in the list: whether there are others is no matter of who has no role in them.
    if (asked.marker !== undefined && ids !== 'all' && !ids.includes(asked.marker)) throw noMarker();
    const only = ids === 'all' ? {} : { workspaceIds: ids };
    return this.#page(reach, { domain_id, ...only, name, enabled: true }, asked);
  }

  async #page(reach: Reach, scope: WorkspacePageScope, asked: AskedPage): Promise<Page<Workspace>> {
    const { marker } = asked;
    if (marker !== undefined && !(await this.#find(reach, scope.domain_id, marker))) throw noMarker();
    return this.workspaces.page(reach, scope, boundsOf(asked));
  }

  #find(reach: Reach, domain_id: string | undefined, workspace_id: string): Promise<Workspace | undefined> {
    return domain_id === undefined
      ? this.workspaces.findAnywhere(reach, workspace_id)
      : this.workspaces.find(reach, domain_id, workspace_id);
  }

  /** Nothing is in a domain that is deleted. */
  async #living(reach: Reach, caller: Caller, found: Workspace[]): Promise<Workspace[]> {
    // The caller's own is there, or the token would not be good.
    const others = new Set(found.map(({ domain_id }) => domain_id));
    others.delete(caller.kind === 'USER' ? caller.domain_id : '');
    if (others.size === 0) return found;
    const living = await this.domains.living(reach, others);
    return found.filter(({ domain_id }) => !others.has(domain_id) || living.has(domain_id));
  }

  async #hasRole(reach: Reach, caller: Caller, workspace_id: string): Promise<boolean> {
    const { kind, domain_id, user_id } = caller;
    if (kind !== 'USER') return false;
    if (caller.workspace_id === workspace_id) return true;
    const user = await this.users.find(reach, { domain_id, user_id });
    return user !== undefined && membershipIn(user, workspace_id) !== undefined;
  }
}

function noMarker(): IdentityError {
  return invalidParameter('marker', 'is the id of no project of this list');
}
