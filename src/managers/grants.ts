import type { Clock } from '../clock.js';
import type { Reach } from '../connectors/mongo.js';
import {
  IdentityError,
  authenticateFailure,
  invalidParameter,
  notFound,
  requiredParameter,
} from '../errors.js';
import { ROOT_DOMAIN_ID } from '../ids.js';
import type { RoleType, Roles } from '../models/role.js';
import type { User, Users } from '../models/user.js';
import type { Workspaces } from '../models/workspace.js';
import type { DomainStates } from './domain-states.js';
import { membershipIn } from './memberships.js';
import type { Sessions } from './sessions.js';
import type { SignInSettings } from './sign-in.js';
import { accessSeconds } from './sign-in.js';
import type { Claims, TokenRole, Tokens } from './tokens.js';

const SCOPES = ['SYSTEM', 'DOMAIN', 'WORKSPACE', 'USER'] as const;
type Scope = (typeof SCOPES)[number];

/** A request of Token.grant. */
export interface GrantRequest {
  grant_type: string;
  token: string;
  scope: string;
  timeout?: number;
  workspace_id?: string;
}

/** The answer of Token.grant. */
export interface Granted {
  access_token: string;
  role_type: RoleType | 'USER';
  role_id?: string;
  domain_id: string;
  workspace_id?: string;
}

interface Role {
  role_type: RoleType | 'USER';
  role_id?: string;
  permissions: string[];
}

const ALLOWED: Record<Scope, readonly Role['role_type'][]> = {
  SYSTEM: ['DOMAIN_ADMIN'],
  DOMAIN: ['DOMAIN_ADMIN'],
  WORKSPACE: ['DOMAIN_ADMIN', 'WORKSPACE_OWNER', 'WORKSPACE_MEMBER'],
  USER: ['DOMAIN_ADMIN', 'WORKSPACE_OWNER', 'WORKSPACE_MEMBER', 'USER'],
};

/** Access tokens for a scope in exchange for a refresh token (contract/behaviour.md 4.1, Token.grant). */
export class Grants {
  constructor(
    private readonly users: Users,
    private readonly roles: Roles,
    private readonly workspaces: Workspaces,
    private readonly states: DomainStates,
    private readonly tokens: Tokens,
    private readonly sessions: Sessions,
    private readonly clock: Clock,
    private readonly settings: SignInSettings,
  ) {}

  /**
   * Grants an access token for the scope.
   * @throws IdentityError as contract/behaviour.md 4.1 orders the checks.
   */
  async grant(reach: Reach, request: GrantRequest): Promise<Granted> {
    const scope = checkedScope(request);
    const claims = await this.tokens.verify(reach, request.token, 'refresh');
    if (claims.did === ROOT_DOMAIN_ID && scope !== 'SYSTEM') throw denied();
    const workspace_id =
      scope === 'WORKSPACE' ? await this.#workspace(reach, claims.did, request.workspace_id!) : undefined;
    await this.#assertDomain(reach, claims.did);
    if (claims.typ !== request.grant_type) {
      throw new IdentityError('ERROR_INVALID_GRANT_TYPE', { grant_type: request.grant_type });
    }
    if (claims.own !== 'USER') throw denied();
    const user = await this.#user(reach, claims);
    const role = await this.#role(reach, user, workspace_id);
    if (!ALLOWED[scope].includes(role.role_type) || (scope === 'SYSTEM' && claims.did !== ROOT_DOMAIN_ID))
      throw denied();
    const access_token = await this.#sign(reach, claims, user, role, scope, workspace_id, request.timeout);
    await this.users.update(reach, user, { $set: { last_accessed_at: this.clock.now() } });
    return {
      access_token,
      role_type: role.role_type,
      role_id: role.role_id,
      domain_id: claims.did,
      workspace_id,
    };
  }

  #sign(
    reach: Reach,
    claims: Claims,
    user: User,
    role: Role,
    scope: Scope,
    workspace_id: string | undefined,
    timeout: number | undefined,
  ): Promise<string> {
    return this.tokens.sign(
      reach,
      {
        typ: 'ACCESS_TOKEN',
        own: 'USER',
        did: user.domain_id,
        aud: user.user_id,
        rol: tokenRole(scope, role.role_type),
        ...(workspace_id ? { wid: workspace_id } : {}),
        ...(role.permissions.length > 0 ? { permissions: role.permissions } : {}),
        gen: user.generation,
        sid: claims.sid,
        auth_time: claims.auth_time,
      },
      accessSeconds(timeout, this.settings),
    );
  }

  async #workspace(reach: Reach, domain_id: string, workspace_id: string): Promise<string> {
    const workspace = await this.workspaces.find(reach, domain_id, workspace_id);
    if (!workspace) throw notFound({ domain_id, workspace_id });
    if (workspace.state !== 'ENABLED') throw new IdentityError('ERROR_WORKSPACE_STATE', { workspace_id });
    return workspace_id;
  }

  async #assertDomain(reach: Reach, domain_id: string): Promise<void> {
    const domain = await this.states.domain(reach, domain_id);
    if (!domain) throw authenticateFailure('The domain does not exist.');
    if (domain.state !== 'ENABLED') throw new IdentityError('ERROR_DOMAIN_STATE', { domain_id });
  }

  async #user(reach: Reach, claims: Claims): Promise<User> {
    const user = await this.sessions.refreshing(reach, claims);
    const { user_id } = user;
    if (user.state === 'DISABLED') throw new IdentityError('ERROR_USER_STATE_DISABLED', { user_id });
    if (user.required_actions.includes('UPDATE_PASSWORD')) {
      throw new IdentityError('ERROR_UPDATE_PASSWORD_REQUIRED', { user_id });
    }
    return user;
  }

  /** A domain administrator is one in every scope; others have the role of the workspace, or none (D-31, D-33). */
  async #role(reach: Reach, user: User, workspace_id: string | undefined): Promise<Role> {
    const bound =
      user.role_type === 'DOMAIN_ADMIN'
        ? { role_type: 'DOMAIN_ADMIN' as const, role_id: user.role_id }
        : workspace_id && membershipIn(user, workspace_id);
    if (!bound || !bound.role_id) return { role_type: 'USER', permissions: [] };
    const role = await this.roles.find(reach, user.domain_id, bound.role_id);
    if (role?.state !== 'ENABLED') return { role_type: 'USER', permissions: [] };
    return { role_type: bound.role_type, role_id: bound.role_id, permissions: role.permissions };
  }
}

function checkedScope({ scope, workspace_id }: GrantRequest): Scope {
  const known = SCOPES.find((one) => one === scope);
  if (!known) throw invalidParameter('scope', `must be one of ${SCOPES.join(', ')}`);
  if (known === 'WORKSPACE' && !workspace_id) throw requiredParameter('workspace_id');
  return known;
}

function tokenRole(scope: Scope, role: Role['role_type']): TokenRole {
  if (scope === 'SYSTEM') return 'SYSTEM_ADMIN';
  if (scope === 'USER') return 'USER';
  return scope === 'WORKSPACE' && role === 'DOMAIN_ADMIN' ? 'WORKSPACE_OWNER' : role;
}

function denied(): IdentityError {
  return new IdentityError('ERROR_PERMISSION_DENIED');
}
