import type { Clock } from '../clock.js';
import { epochSeconds } from '../clock.js';
import type { Reach } from '../connectors/mongo.js';
import type { Reason } from '../errors.js';
import { IdentityError, authenticateFailure } from '../errors.js';
import { auditId } from '../ids.js';
import type { User, Users } from '../models/user.js';
import type { SignInCall } from './admission.js';
import { actsAs, ofUser } from './audit.js';
import type { Audit } from './audit.js';
import type { Asked, IamProof, UserProofs } from './iam-proof.js';
import { isScoped } from './issued-tokens.js';
import type { PasswordPolicy } from './password-policy.js';
import type { ScopeChoice, ScopeWish } from './scope-choice.js';
import type { ScopedTokens, SignInClaims, WantedScope } from './scoped-tokens.js';
import type { Sessions } from './sessions.js';
import { PASSWORD_PERMISSIONS } from './sign-in.js';
import type { Claims, Tokens } from './tokens.js';

/** Proofs of a user, or a token of the same sign-in. */
export type Proofs = UserProofs & { token?: string };

/** A request for a token; without a scope the default project of the user counts. */
export interface TokenRequest {
  proofs: Proofs;
  scope?: ScopeWish;
}

/** A new token. */
export interface Issued {
  token: string;
  claims: Claims;
}

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
    private readonly users: Users,
    private readonly choice: ScopeChoice,
    private readonly scoped: ScopedTokens,
    private readonly tokens: Tokens,
    private readonly sessions: Sessions,
    private readonly policy: PasswordPolicy,
    private readonly audit: Audit,
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
    const { user, session, amr } = proven;
    if (user.required_actions.includes('ENFORCE_MFA'))
      throw new IdentityError('ERROR_ADDITIONAL_AUTHENTICATION');
    const signIn = { ...session, gen: user.generation, sgn: true, amr };
    const issued = await alike(this.#issue(reach, user, scope, signIn, this.settings.accessSeconds));
    // Without a scope it is the sign-in itself, which is recorded as such.
    if (isScoped(issued.claims.rol)) await this.#recordGrant(reach, issued.claims);
    return issued;
  }

  /** Another scope for the same sign-in: no longer than the token that it is asked with. */
  async #exchange(
    reach: Reach,
    token: string,
    scope: ScopeWish | undefined,
    { noted }: SignInCall,
  ): Promise<Issued> {
    const claims = await alike(this.#standing(reach, token));
    noted['domain_id'] = claims.did;
    noted['user_id'] = claims.aud;
    // A mailed link is no sign-in either.
    if (!claims.sgn || claims.permissions?.length) throw new IdentityError('ERROR_PERMISSION_DENIED');
    const user = await alike(this.sessions.refreshing(reach, claims));
    const now = this.clock.now();
    const seconds = Math.min(this.settings.accessSeconds, claims.exp! - epochSeconds(now));
    // Its time is over, though clocks that go late are given some more.
    if (seconds <= 0) throw refused();
    const { gen, sid, auth_time, amr, par = auditId(claims.jti) } = claims;
    const signIn = { gen, sid, auth_time, sgn: true, ...(amr ? { amr } : {}), par };
    const issued = await alike(this.#issue(reach, user, scope, signIn, seconds));
    actsAs(reach, { type: 'USER', id: user.user_id, domain_id: user.domain_id });
    await Promise.all([
      this.#recordGrant(reach, issued.claims),
      this.users.update(reach, user, { $set: { last_accessed_at: now } }),
    ]);
    return issued;
  }

  #recordGrant(reach: Reach, { did: domain_id, aud: user_id, wid, rol, jti }: Claims): Promise<void> {
    const scope = wid ? 'WORKSPACE' : rol === 'SYSTEM_ADMIN' ? 'SYSTEM' : isScoped(rol) ? 'DOMAIN' : 'USER';
    const detail = { scope, role_type: rol, audit_id: auditId(jti) };
    return this.audit.record(
      reach,
      ofUser('token.grant', { domain_id, user_id }, { workspace_id: wid, detail }),
    );
  }

  /** The claims of a token that is good now. */
  async #standing(reach: Reach, token: string): Promise<Claims> {
    await this.sessions.authenticate(reach, token, { self: false, system_scope: {} });
    return this.tokens.verify(reach, token, 'access');
  }

  async #issue(
    reach: Reach,
    user: User,
    wish: ScopeWish | undefined,
    signIn: SignInClaims,
    seconds: number,
  ): Promise<Issued> {
    const token = await this.#sign(reach, user, wish, signIn, seconds);
    return { token, claims: await this.tokens.verify(reach, token, 'access') };
  }

  async #sign(
    reach: Reach,
    user: User,
    wish: ScopeWish | undefined,
    signIn: SignInClaims,
    seconds: number,
  ): Promise<string> {
    const mustChange = this.policy.mustChange(user);
    if (mustChange && wish && !('unscoped' in wish))
      throw new IdentityError('ERROR_PASSWORD_EXPIRED', { id: user.id });
    const scoped = async (wanted: WantedScope) => {
      await this.scoped.assertOffered(reach, user.domain_id, wanted);
      return (await this.scoped.make(reach, user, wanted, signIn, seconds)).access_token;
    };
    if (wish && !mustChange) {
      const wanted = await this.choice.find(reach, user, wish);
      if (wanted) return scoped(wanted);
    }
    if (!wish && !mustChange && user.default_project_id) {
      const usable = await scoped({ scope: 'WORKSPACE', workspace_id: user.default_project_id }).catch(
        unlessAlike,
      );
      if (usable) return usable;
    }
    const permissions = mustChange ? { permissions: PASSWORD_PERMISSIONS } : {};
    const whose = { own: 'USER', did: user.domain_id, aud: user.user_id } as const;
    const claims = { typ: 'ACCESS_TOKEN', rol: 'USER', ...whose, ...permissions, ...signIn } as const;
    return this.tokens.sign(reach, claims, seconds);
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
