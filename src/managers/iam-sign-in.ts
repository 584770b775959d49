import type { Clock } from '../clock.js';
import { epochSeconds } from '../clock.js';
import type { Reach } from '../connectors/mongo.js';
import type { Reason } from '../errors.js';
import { IdentityError, authenticateFailure } from '../errors.js';
import { auditId } from '../ids.js';
import type { User } from '../models/user.js';
import type { SignInCall } from './admission.js';
import type { DomainStates } from './domain-states.js';
import type { Asked, IamProof, UserProofs } from './iam-proof.js';
import type { TokenFacts } from './issued-tokens.js';
import type { PasswordPolicy } from './password-policy.js';
import type { ScopeChoice, ScopeWish } from './scope-choice.js';
import type { ScopedTokens, SignInClaims, WantedScope } from './scoped-tokens.js';
import type { Sessions } from './sessions.js';
import { PASSWORD_PERMISSIONS } from './sign-in.js';
import type { Claims } from './tokens.js';

/** Proofs of a user, or a token of the same sign-in. */
export type Proofs = UserProofs & { token?: string };

/** A request for a token; without a scope the default project of the user counts. */
export interface TokenRequest {
  proofs: Proofs;
  scope?: ScopeWish;
}

/** A new token, and what it stands for. */
export type Issued = TokenFacts & { token: string };

/** What a token is besides its user's. */
type Made = Pick<Issued, 'token' | 'claims' | 'scope'>;

/** What goes wrong in proving who somebody is or may be; callers are told one thing for all of it. */
const ALIKE: ReadonlySet<Reason> = new Set<Reason>([
  'ERROR_AUTHENTICATE_FAILURE',
  'ERROR_AUTHENTICATION_FAILURE',
  'ERROR_INVALID_CREDENTIALS',
  'ERROR_INVALID_VERIFY_CODE',
  'ERROR_LOGIN_BLOCKED',
  'ERROR_USER_STATE_DISABLED',
  'ERROR_DOMAIN_STATE',
  'ERROR_WORKSPACE_STATE',
  'ERROR_NOT_FOUND',
  'ERROR_PERMISSION_DENIED',
]);

/** Signing in at OpenStack Identity: who it is, then for what. */
export class IamSignIn {
  constructor(
    private readonly proof: IamProof,
    private readonly states: DomainStates,
    private readonly choice: ScopeChoice,
    private readonly scoped: ScopedTokens,
    private readonly sessions: Sessions,
    private readonly policy: PasswordPolicy,
    private readonly clock: Clock,
    private readonly settings: { accessSeconds: number },
  ) {}

  /**
   * Makes a token, or asks for the second factor.
   * @throws IdentityError ERROR_AUTHENTICATE_FAILURE whatever is wrong with user, proofs, domain or scope; after the right
   * proofs ERROR_PASSWORD_EXPIRED, ERROR_ADDITIONAL_AUTHENTICATION; ERROR_PERMISSION_DENIED for a token that is good
   * for less than its sign-in.
   */
  async create(reach: Reach, { proofs, scope }: TokenRequest, call: SignInCall): Promise<Issued | Asked> {
    if (proofs.token) return this.#exchange(reach, proofs.token, scope, call);
    const proven = await alike(this.proof.prove(reach, proofs, call));
    if ('receipt' in proven) return proven;
    const { user, domain, session, amr } = proven;
    if (user.required_actions.includes('ENFORCE_MFA'))
      throw new IdentityError('ERROR_ADDITIONAL_AUTHENTICATION');
    const signIn = { ...session, gen: user.generation, sgn: true, amr };
    const made = await alike(this.#make(reach, user, scope, signIn, this.settings.accessSeconds));
    return { ...made, user, domain };
  }

  /** Another scope for the same sign-in: no longer than the token that it is asked with. */
  async #exchange(
    reach: Reach,
    token: string,
    scope: ScopeWish | undefined,
    { noted }: SignInCall,
  ): Promise<Issued> {
    // By what the database says: a token that ended must not live on in another.
    const { claims } = await alike(this.sessions.authenticate(reach, token));
    noted['domain_id'] = claims.did;
    noted['user_id'] = claims.aud;
    // A mailed link is no sign-in either.
    if (!claims.sgn || claims.permissions?.length) throw new IdentityError('ERROR_PERMISSION_DENIED');
    const { user, domain } = await alike(this.#owner(reach, claims));
    const now = this.clock.now();
    const seconds = Math.min(this.settings.accessSeconds, claims.exp! - epochSeconds(now));
    // Its time is over, though clocks that go late are given some more.
    if (seconds <= 0) throw refused();
    const { gen, sid, auth_time, amr, par = auditId(claims.jti) } = claims;
    const signIn = { gen, sid, auth_time, sgn: true, ...(amr ? { amr } : {}), par };
    const made = await alike(this.#make(reach, user, scope, signIn, seconds));
    return { ...made, user, domain };
  }

  /** Whose token it is. */
  async #owner(reach: Reach, claims: Claims): Promise<Pick<Issued, 'user' | 'domain'>> {
    const [user, domain] = await Promise.all([
      this.sessions.refreshing(reach, claims),
      this.states.domain(reach, claims.did),
    ]);
    if (!domain) throw authenticateFailure('The domain does not exist.');
    return { user, domain };
  }

  async #make(
    reach: Reach,
    user: User,
    wish: ScopeWish | undefined,
    signIn: SignInClaims,
    seconds: number,
  ): Promise<Made> {
    const scoped = async (wanted: WantedScope): Promise<Made> => {
      const offered = await this.scoped.offered(reach, user.domain_id, wanted);
      const { role, workspace, ...signed } = await this.scoped.grant(reach, user, offered, signIn, seconds);
      return { ...signed, scope: { role, workspace } };
    };
    if (this.policy.mustChange(user)) {
      if (wish && !('unscoped' in wish)) throw new IdentityError('ERROR_PASSWORD_EXPIRED', { id: user.id });
      return this.scoped.own(reach, user, signIn, seconds, PASSWORD_PERMISSIONS);
    }
    if (wish) {
      const wanted = await this.choice.find(reach, user, wish);
      if (wanted) return scoped(wanted);
    } else if (user.default_project_id) {
      const project = { scope: 'WORKSPACE' as const, workspace_id: user.default_project_id };
      const usable = await scoped(project).catch(unlessAlike);
      if (usable) return usable;
    }
    return this.scoped.own(reach, user, signIn, seconds);
  }
}

async function alike<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isAlike(error)) throw refused(error);
    throw error;
  }
}

function isAlike(error: unknown): boolean {
  return error instanceof IdentityError && ALIKE.has(error.reason);
}

function unlessAlike(error: unknown): undefined {
  if (!isAlike(error)) throw error;
}

/** The one answer; its cause is for the log. */
function refused(cause?: unknown): IdentityError {
  const { reason, params } = authenticateFailure('The request you have made requires authentication.');
  return new IdentityError(reason, params, [], { cause });
}
