import { status } from '@grpc/grpc-js';
import type { Reach } from '../connectors/mongo.js';
import { IdentityError, authenticateFailure, notFound } from '../errors.js';
import type { Domain } from '../models/domain.js';
import type { User, Users } from '../models/user.js';
import type { Workspace } from '../models/workspace.js';
import type { Administration, UserPermission } from './administration.js';
import type { DomainStates } from './domain-states.js';
import type { Revocations } from './revocations.js';
import type { ScopeRole, ScopedTokens } from './scoped-tokens.js';
import type { Caller, Sessions } from './sessions.js';
import { isForEnrolment } from './sign-in.js';
import type { Claims } from './tokens.js';

/** What a token stands for now. */
export interface TokenFacts {
  claims: Claims;
  user: User;
  domain: Domain;
  /** Undefined for an unscoped token. */
  scope?: { workspace?: Workspace; role: ScopeRole };
}

/** Tokens as things to look at and to end. */
export class IssuedTokens {
  constructor(
    private readonly users: Users,
    private readonly states: DomainStates,
    private readonly scoped: ScopedTokens,
    private readonly sessions: Sessions,
    private readonly revocations: Revocations,
    private readonly administration: Administration,
  ) {}

  /**
   * What a token stands for, told to its owner and to who administers the owner.
   * @throws IdentityError ERROR_NOT_FOUND when it is good no more or of another domain, ERROR_PERMISSION_DENIED.
   */
  async read(reach: Reach, caller: Caller, token: string): Promise<TokenFacts> {
    return this.#describe(reach, await this.#subject(reach, caller, token, 'identity:User.read'));
  }

  /**
   * Ends a token.
   * @throws IdentityError ERROR_NOT_FOUND when it is good no more or of another domain, ERROR_PERMISSION_DENIED.
   */
  async revoke(reach: Reach, caller: Caller, token: string): Promise<void> {
    await this.revocations.revoke(reach, await this.#subject(reach, caller, token, 'identity:User.write'));
  }

  /**
   * Refuses callers whose token is good for no domain and no project.
   * @throws IdentityError ERROR_PERMISSION_DENIED.
   */
  assertScoped({ kind, role_type }: Caller): void {
    if (kind !== 'SYSTEM' && !isScoped(role_type)) throw new IdentityError('ERROR_PERMISSION_DENIED');
  }

  async #describe(reach: Reach, claims: Claims): Promise<TokenFacts> {
    const { did: domain_id, wid, rol } = claims;
    const [user, domain, workspace] = await Promise.all([
      this.users.find(reach, { domain_id, user_id: claims.aud }),
      this.states.domain(reach, domain_id),
      wid ? this.states.workspace(reach, domain_id, wid) : undefined,
    ]);
    if (!user) throw authenticateFailure('The user does not exist.');
    if (!domain) throw authenticateFailure('The domain does not exist.');
    if (!isScoped(rol)) return { claims, user, domain };
    return { claims, user, domain, scope: { workspace, role: await this.scoped.role(reach, user, wid) } };
  }

  async #subject(reach: Reach, caller: Caller, token: string, permission: UserPermission): Promise<Claims> {
    if (caller.link || isForEnrolment(caller.permissions)) throw new IdentityError('ERROR_PERMISSION_DENIED');
    const claims = await this.#claims(reach, token);
    if (caller.kind === 'USER' && caller.domain_id === claims.did && caller.user_id === claims.aud)
      return claims;
    const administered = await this.administration.domainOf(reach, caller, permission);
    if (!administered) throw new IdentityError('ERROR_PERMISSION_DENIED');
    // As good as unknown: a service that checks tokens takes 403 for a fault of its own account.
    if (administered !== '*' && administered !== claims.did) throw unknownToken();
    return claims;
  }

  /** The claims of a user's access token that is good now. */
  async #claims(reach: Reach, token: string): Promise<Claims> {
    // Ending it once more changes nothing.
    const { claims } = await this.sessions.authenticate(reach, token, { onlyReads: true }).catch(asUnknown);
    // Nobody has signed in with a mailed link, nor with a second factor that is not there yet.
    const signedIn = !claims.lnk && !isForEnrolment(claims.permissions);
    if (claims.typ !== 'ACCESS_TOKEN' || !signedIn) throw unknownToken();
    return claims;
  }
}

function asUnknown(error: unknown): never {
  if (error instanceof IdentityError && NO_TOKEN.has(error.code)) throw unknownToken();
  throw error;
}

function unknownToken(): IdentityError {
  return notFound({ token: '' });
}

/** Statuses that tell of the token, and not of the service. */
const NO_TOKEN: ReadonlySet<status> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
]);

/** True for the role of a token that is good for a domain or a project. */
export function isScoped(rol: Claims['rol']): boolean {
  return rol !== undefined && rol !== 'USER';
}
