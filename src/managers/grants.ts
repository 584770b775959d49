import type { Reach } from '../connectors/mongo.js';
import { IdentityError, authenticateFailure, invalidParameter, requiredParameter } from '../errors.js';
import type { User } from '../models/user.js';
import type { DomainStates } from './domain-states.js';
import type { PasswordPolicy } from './password-policy.js';
import { SCOPES } from './scoped-tokens.js';
import type { Scope, ScopeRole, ScopedTokens } from './scoped-tokens.js';
import type { Sessions } from './sessions.js';
import type { SignInSettings } from './sign-in.js';
import { accessSeconds } from './sign-in.js';
import type { Claims, Tokens } from './tokens.js';

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
  role_type: ScopeRole['role_type'];
  role_id?: string;
  domain_id: string;
  workspace_id?: string;
}

/** Access tokens for a scope in exchange for a refresh token (contract/behaviour.md 4.1, Token.grant). */
export class Grants {
  constructor(
    private readonly states: DomainStates,
    private readonly tokens: Tokens,
    private readonly scoped: ScopedTokens,
    private readonly sessions: Sessions,
    private readonly policy: PasswordPolicy,
    private readonly settings: SignInSettings,
  ) {}

  /**
   * Grants an access token for the scope.
   * @throws IdentityError as contract/behaviour.md 4.1 orders the checks.
   */
  async grant(reach: Reach, request: GrantRequest): Promise<Granted> {
    const scope = checkedScope(request);
    const wanted = { scope, workspace_id: scope === 'WORKSPACE' ? request.workspace_id : undefined };
    const claims = await this.tokens.verify(reach, request.token, 'refresh');
    const offered = await this.scoped.offered(reach, claims.did, wanted);
    await this.#assertDomain(reach, claims.did);
    if (claims.typ !== request.grant_type) {
      throw new IdentityError('ERROR_INVALID_GRANT_TYPE', { grant_type: request.grant_type });
    }
    if (claims.own !== 'USER') throw new IdentityError('ERROR_PERMISSION_DENIED');
    const user = await this.#user(reach, claims);
    const signIn = { gen: user.generation, sid: claims.sid, auth_time: claims.auth_time };
    const seconds = accessSeconds(request.timeout, this.settings);
    const { token, role } = await this.scoped.grant(reach, user, offered, signIn, seconds);
    const { role_type, role_id } = role;
    return {
      access_token: token,
      role_type,
      role_id,
      domain_id: claims.did,
      workspace_id: wanted.workspace_id,
    };
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
    if (this.policy.mustChange(user)) throw new IdentityError('ERROR_UPDATE_PASSWORD_REQUIRED', { user_id });
    return user;
  }
}

function checkedScope({ scope, workspace_id }: GrantRequest): Scope {
  const known = SCOPES.find((one) => one === scope);
  if (!known) throw invalidParameter('scope', `must be one of ${SCOPES.join(', ')}`);
  if (known === 'WORKSPACE' && !workspace_id) throw requiredParameter('workspace_id');
  return known;
}
