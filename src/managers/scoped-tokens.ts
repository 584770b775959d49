import type { Clock } from '../clock.js';
import type { Reach } from '../connectors/mongo.js';
import { IdentityError, notFound } from '../errors.js';
import { ROOT_DOMAIN_ID, auditId } from '../ids.js';
import type { RoleType } from '../models/role.js';
import type { User, Users } from '../models/user.js';
import type { Workspace, Workspaces } from '../models/workspace.js';
import { actsAs, ofUser } from './audit.js';
import type { Audit } from './audit.js';
import { membershipIn } from './memberships.js';
import type { RoleStates } from './role-states.js';
import type { Claims, SignedToken, TokenRole, Tokens } from './tokens.js';

/** What a token can be good for. */
export const SCOPES = ['SYSTEM', 'DOMAIN', 'WORKSPACE', 'USER'] as const;
export type Scope = (typeof SCOPES)[number];

/** A scope, and the workspace if it is one. */
export interface WantedScope {
  scope: Scope;
  workspace_id?: string;
  /** All domains, asked for as the root domain: looked at, the token tells what it was asked for. */
  asDomain?: boolean;
}

/** A scope that a user of the domain gets with a role for it. */
export interface OfferedScope {
  scope: Scope;
  workspace?: Workspace;
  asDomain?: boolean;
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

/** A token for a scope, and the role that it was given for. */
export type ScopedToken = SignedToken & { role: ScopeRole; workspace?: Workspace };

/** Access tokens for a scope: who gets one, what stands in it, and the record of it. */
export class ScopedTokens {
  constructor(
    private readonly users: Users,
    private readonly roles: RoleStates,
    private readonly workspaces: Workspaces,
    private readonly tokens: Tokens,
    private readonly audit: Audit,
    private readonly clock: Clock,
  ) {}

  /**
   * Finds what is wanted, except scopes that a domain's users cannot have, whatever their role, and workspaces that are
   * not in use.
   * @throws IdentityError ERROR_PERMISSION_DENIED, ERROR_NOT_FOUND, ERROR_WORKSPACE_STATE.
   */
  async offered(reach: Reach, domain_id: string, wanted: WantedScope): Promise<OfferedScope> {
    const { scope, workspace_id, asDomain } = wanted;
    if (domain_id === ROOT_DOMAIN_ID && scope !== 'SYSTEM') throw denied();
    if (!workspace_id) return { scope, asDomain };
    const workspace = await this.workspaces.find(reach, domain_id, workspace_id);
    if (!workspace) throw notFound({ domain_id, workspace_id });
    if (workspace.state !== 'ENABLED') throw new IdentityError('ERROR_WORKSPACE_STATE', { workspace_id });
    return { scope, workspace };
  }

  /**
   * Gives the user an access token for the scope, and records it.
   * @param seconds its life, more than 0.
   * @throws IdentityError ERROR_PERMISSION_DENIED without a role that allows it.
   */
  async grant(
    reach: Reach,
    user: User,
    offered: OfferedScope,
    signIn: SignInClaims,
    seconds: number,
  ): Promise<ScopedToken> {
    const { scope, workspace, asDomain } = offered;
    const wid = workspace?.workspace_id;
    const role = await this.role(reach, user, wid);
    const elsewhere = scope === 'SYSTEM' && user.domain_id !== ROOT_DOMAIN_ID;
    if (elsewhere || !ALLOWED[scope].includes(role.role_type)) throw denied();
    const claims = {
      ...signIn,
      ...accessOf(user),
      rol: tokenRole(scope, role.role_type),
      ...(wid ? { wid } : {}),
      ...(asDomain ? { dom: true } : {}),
      ...(role.permissions.length > 0 ? { permissions: role.permissions } : {}),
    };
    const signed = await this.tokens.issue(reach, claims, seconds);
    await this.#note(reach, user, offered, role, signed.claims);
    return { ...signed, role, workspace };
  }

  /**
   * Gives the user a token for the own account alone. The first one of a sign-in is recorded as the sign-in, not as a grant.
   * @param permissions what it is narrowed to, if it is.
   */
  async own(
    reach: Reach,
    user: User,
    signIn: SignInClaims,
    seconds: number,
    permissions?: string[],
  ): Promise<SignedToken> {
    const narrowed = permissions ? { permissions } : {};
    const claims = { ...signIn, ...accessOf(user), rol: 'USER' as const, ...narrowed };
    const signed = await this.tokens.issue(reach, claims, seconds);
    if (!isFirst(signIn)) {
      const role = await this.role(reach, user, undefined);
      await this.#note(reach, user, { scope: 'USER' }, role, signed.claims);
    }
    return signed;
  }

  /** No transaction: of many grants to one user at once all but one would have to begin again. */
  async #note(
    reach: Reach,
    user: User,
    { scope, workspace }: OfferedScope,
    { role_type, role_id }: ScopeRole,
    claims: Claims,
  ): Promise<void> {
    actsAs(reach, { type: 'USER', id: user.user_id, domain_id: user.domain_id });
    const detail = { scope, role_type, role_id, audit_id: auditId(claims.jti) };
    const entry = ofUser('token.grant', user, { workspace_id: workspace?.workspace_id, detail });
    const accessed = { $set: { last_accessed_at: this.clock.now() } };
    await Promise.all([
      this.audit.record(reach, entry),
      isFirst(claims) ? undefined : this.users.update(reach, user, accessed),
    ]);
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

/** The token is given with the sign-in, which has just been noted, and not for another token. */
function isFirst({ sgn, par }: SignInClaims): boolean {
  return sgn === true && par === undefined;
}

function accessOf({ domain_id, user_id }: User) {
  return { typ: 'ACCESS_TOKEN', own: 'USER', did: domain_id, aud: user_id } as const;
}

function tokenRole(scope: Scope, role: ScopeRole['role_type']): TokenRole {
  if (scope === 'SYSTEM') return 'SYSTEM_ADMIN';
  if (scope === 'USER') return 'USER';
  return scope === 'WORKSPACE' && role === 'DOMAIN_ADMIN' ? 'WORKSPACE_OWNER' : role;
}

function denied(): IdentityError {
  return new IdentityError('ERROR_PERMISSION_DENIED');
}
