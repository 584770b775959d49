import type { Reach } from '../connectors/mongo.js';
import { IdentityError, notFound } from '../errors.js';
import { ROOT_DOMAIN_ID, auditId, newTokenId } from '../ids.js';
import type { RoleType } from '../models/role.js';
import type { User } from '../models/user.js';
import type { Workspaces } from '../models/workspace.js';
import { membershipIn } from './memberships.js';
import type { RoleStates } from './role-states.js';
import type { Claims, TokenRole, Tokens } from './tokens.js';

/** What a token can be good for. */
export const SCOPES = ['SYSTEM', 'DOMAIN', 'WORKSPACE', 'USER'] as const;
export type Scope = (typeof SCOPES)[number];

/** A scope, and the workspace if it is one. */
export interface WantedScope {
  scope: Scope;
  workspace_id?: string;
}

/** The role that somebody has in a scope, and what it allows. */
export interface ScopeRole {
  role_type: RoleType | 'USER';
  role_id?: string;
  name?: string;
  permissions: string[];
}

/** Claims that a token takes over from the sign-in behind it. */
export type SignInClaims = Pick<Claims, 'gen' | 'sid' | 'auth_time' | 'sgn' | 'amr' | 'par'>;

const ALLOWED: Record<Scope, readonly ScopeRole['role_type'][]> = {
  SYSTEM: ['DOMAIN_ADMIN'],
  DOMAIN: ['DOMAIN_ADMIN'],
  WORKSPACE: ['DOMAIN_ADMIN', 'WORKSPACE_OWNER', 'WORKSPACE_MEMBER'],
  USER: ['DOMAIN_ADMIN', 'WORKSPACE_OWNER', 'WORKSPACE_MEMBER', 'USER'],
};

/** Access tokens for a scope: who gets one, and what stands in it. */
export class ScopedTokens {
  constructor(
    private readonly roles: RoleStates,
    private readonly workspaces: Workspaces,
    private readonly tokens: Tokens,
  ) {}

  /**
   * Makes an access token for the scope, with the name that audits call it by.
   * @param seconds its life, more than 0.
   * @throws IdentityError ERROR_PERMISSION_DENIED without a role that allows it.
   */
  async make(
    reach: Reach,
    user: User,
    { scope, workspace_id }: WantedScope,
    signIn: SignInClaims,
    seconds: number,
  ): Promise<{ access_token: string; audit_id: string; role: ScopeRole }> {
    const role = await this.role(reach, user, workspace_id);
    const elsewhere = scope === 'SYSTEM' && user.domain_id !== ROOT_DOMAIN_ID;
    if (elsewhere || !ALLOWED[scope].includes(role.role_type)) throw denied();
    const jti = newTokenId();
    const access_token = await this.tokens.sign(
      reach,
      {
        typ: 'ACCESS_TOKEN',
        own: 'USER',
        did: user.domain_id,
        aud: user.user_id,
        rol: tokenRole(scope, role.role_type),
        ...(workspace_id ? { wid: workspace_id } : {}),
        ...(role.permissions.length > 0 ? { permissions: role.permissions } : {}),
        ...signIn,
        jti,
      },
      seconds,
    );
    return { access_token, audit_id: auditId(jti), role };
  }

  /**
   * Refuses a domain's users scopes that they cannot have, whatever their role, and workspaces that are not in use.
   * @throws IdentityError ERROR_PERMISSION_DENIED, ERROR_NOT_FOUND, ERROR_WORKSPACE_STATE.
   */
  async assertOffered(reach: Reach, domain_id: string, { scope, workspace_id }: WantedScope): Promise<void> {
    if (domain_id === ROOT_DOMAIN_ID && scope !== 'SYSTEM') throw denied();
    if (!workspace_id) return;
    const workspace = await this.workspaces.find(reach, domain_id, workspace_id);
    if (!workspace) throw notFound({ domain_id, workspace_id });
    if (workspace.state !== 'ENABLED') throw new IdentityError('ERROR_WORKSPACE_STATE', { workspace_id });
  }

  /** A domain administrator is one in every scope; others have the role of the workspace, or none (D-31, D-33). */
  async role(reach: Reach, user: User, workspace_id: string | undefined): Promise<ScopeRole> {
    const bound =
      user.role_type === 'DOMAIN_ADMIN'
        ? { role_type: 'DOMAIN_ADMIN' as const, role_id: user.role_id }
        : workspace_id && membershipIn(user, workspace_id);
    if (!bound || !bound.role_id) return { role_type: 'USER', permissions: [] };
    const role = await this.roles.find(reach, user.domain_id, bound.role_id);
    if (role?.state !== 'ENABLED') return { role_type: 'USER', permissions: [] };
    const { name, permissions } = role;
    return { role_type: bound.role_type, role_id: bound.role_id, name, permissions };
  }
}

function tokenRole(scope: Scope, role: ScopeRole['role_type']): TokenRole {
  if (scope === 'SYSTEM') return 'SYSTEM_ADMIN';
  if (scope === 'USER') return 'USER';
  return scope === 'WORKSPACE' && role === 'DOMAIN_ADMIN' ? 'WORKSPACE_OWNER' : role;
}

function denied(): IdentityError {
  return new IdentityError('ERROR_PERMISSION_DENIED');
}
