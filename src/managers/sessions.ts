import type { Reach } from '../connectors/mongo.js';
import { IdentityError, authenticateFailure, requiredParameter } from '../errors.js';
import { ROOT_DOMAIN_ID } from '../ids.js';
import type { PasswordLinks } from '../models/password-link.js';
import type { Role } from '../models/role.js';
import type { User, UserKey, Users } from '../models/user.js';
import { common, includesAll } from '../permissions.js';
import type { DomainStates } from './domain-states.js';
import { EVERY_WORKSPACE, membershipsIn } from './memberships.js';
import { Memory } from './memory.js';
import type { Revocations } from './revocations.js';
import type { RoleStates } from './role-states.js';
import type { Claims, TokenRole, Tokens } from './tokens.js';

/** Who calls, as the token says and the database confirms. */
export interface Caller {
  kind: 'USER' | 'SYSTEM';
  /** Empty for a system token without x_domain_id. */
  domain_id: string;
  user_id: string;
  /** Opaque id of the account that the session was looked at with; a system token has none. */
  account_id?: string;
  role_type?: TokenRole;
  workspace_id?: string;
  permissions: readonly string[];
  session?: string;
  /** Time of the sign-in behind the token. */
  signed_in_at: Date;
  /** Id of the mailed link that the token came with. */
  link?: string;
  /** Actions that the token brings along (contract/behaviour.md 2.5); the only injected parameter that counts (D-16). */
  required_actions: readonly string[];
  /** The role of the account, when the token is the sign-in's own and so stands for all that the account may do. */
  signed_in?: Pick<User, 'role_type' | 'role_id'>;
  /** The caller's own account, freshly read; not set for methods that only read of others. */
  account?: User;
  /** What the token says. */
  claims: Claims;
}

/** What a method wants to know of its caller beyond the token. */
export interface AuthenticationNeeds {
  /** The method works on the caller's own account. */
  self?: boolean;
  /**
   * Nothing is changed, so what was read seconds ago may say that the token is good. Without it the database is asked:
   * a token that was ended through another instance changes nothing any more.
   */
  onlyReads?: boolean;
  /** Domain and workspace that a system token acts for (metadata x_domain_id, x_workspace_id). */
  system_scope?: { domain_id?: string; workspace_id?: string };
}

type Standing = Pick<
  User,
  'id' | 'state' | 'generation' | 'kept_session' | 'role_type' | 'role_id' | 'memberships'
>;

const MAX_USERS = 20_000;

/** Finds out who calls: the token, and that user, role, domain and workspace still stand as it says (D-13, D-14). */
export class Sessions {
  readonly #standings: Memory<Standing, User>;

  constructor(
    private readonly tokens: Tokens,
    private readonly users: Users,
    private readonly links: PasswordLinks,
    private readonly states: DomainStates,
    private readonly roles: RoleStates,
    private readonly revocations: Revocations,
    settings: { cacheMs: number },
  ) {
    this.#standings = new Memory({ max: MAX_USERS, ...settings }, standingOf);
  }

  /**
   * The caller behind an access or system token. What is remembered allows reads, and refuses nothing: a token that it
   * would refuse is looked at by what the database says.
   * @throws IdentityError ERROR_AUTHENTICATE_FAILURE whatever is wrong with token, user, role or domain.
   */
  async authenticate(
    reach: Reach,
    token: string | undefined,
    needs: AuthenticationNeeds = {},
  ): Promise<Caller> {
    if (!token) throw authenticateFailure('empty token provided.');
    const claims = await this.tokens.verify(reach, token, 'access');
    const now = !needs.onlyReads;
    if (claims.typ === 'SYSTEM_TOKEN') {
      // Nothing but another key ends it.
      if (now) await this.tokens.verifyNow(reach, token, 'access');
      return systemCaller(claims, needs);
    }
    if (claims.own !== 'USER') throw new IdentityError('ERROR_PERMISSION_DENIED');
    const key = { domain_id: claims.did, user_id: claims.aud };
    // What was done by a link ended it: that says more than that the session has ended.
    await this.#assertLinkAlive(reach, claims, key);
    // Before the rest: whoever is refused for what became of the account costs no more than that.
    const account = now || needs.self ? await this.#account(reach, key, claims) : undefined;
    const [standing] = await Promise.all([
      account ?? this.#standing(reach, key, claims),
      this.states.assertEnabled(reach, claims.did, claims.wid, now),
      this.#assertNotRevoked(reach, claims, now),
    ]);
    const allowed = await this.#allowed(reach, key, claims, standing, now);
    if (needs.self && claims.rol === 'SYSTEM_ADMIN') throw requiredParameter('domain_id');
    return { ...userCaller(claims, allowed.standing, allowed.permissions), account };
  }

  /**
   * The user behind a refresh token, if user and session still stand.
   * @throws IdentityError ERROR_AUTHENTICATE_FAILURE.
   */
  async refreshing(reach: Reach, claims: Claims): Promise<User> {
    const user = await this.users.find(reach, { domain_id: claims.did, user_id: claims.aud });
    if (!user || !isCurrent(user, claims)) throw authenticateFailure('The session has ended.');
    return user;
  }

  /** Forgets what is remembered of a user, after a change that ends sessions. */
  forget(key: UserKey): void {
    this.#standings.forget(cacheKey(key));
  }

  /** The user as remembered if the token can stand on that, else as it is. */
  async #standing(reach: Reach, key: UserKey, claims: Claims): Promise<Standing> {
    const stands = (known: Standing) => !whyEnded(known, claims);
    const standing = await this.#standings.recall(reach, cacheKey(key), this.#reading(key), stands);
    assertStands(standing, claims);
    return standing;
  }

  /** The user as it is. */
  async #account(reach: Reach, key: UserKey, claims: Claims): Promise<User> {
    const account = await this.#standings.refresh(reach, cacheKey(key), this.#reading(key));
    assertStands(account, claims);
    return account;
  }

  #reading(key: UserKey) {
    return (reach: Reach) => this.users.find(reach, key);
  }

  /** What the token allows, and its role still does; the token of the own account has no role. */
  async #allowed(
    reach: Reach,
    key: UserKey,
    claims: Claims,
    standing: Standing,
    now: boolean,
  ): Promise<{ standing: Standing; permissions: readonly string[] }> {
    const { rol, permissions = [] } = claims;
    if (!rol || rol === 'USER') return { standing, permissions };
    const role = await this.#role(reach, claims, standing, now);
    if (!now && !(role && includesAll(role.permissions, permissions))) {
      // By what is remembered it would be good for less than it says.
      return this.#allowed(reach, key, claims, await this.#account(reach, key, claims), true);
    }
    if (!role) throw authenticateFailure('The role of the token was taken away.');
    return { standing, permissions: common(permissions, role.permissions) };
  }

  /** The first enabled role, in the order in which they count, among those that the token can stand for. */
  async #role(reach: Reach, claims: Claims, standing: Standing, now: boolean): Promise<Role | undefined> {
    for (const role_id of rolesBehind(standing, claims)) {
      const role = now
        ? await this.roles.find(reach, claims.did, role_id)
        : await this.roles.recent(reach, claims.did, role_id);
      if (role?.state === 'ENABLED') return role;
    }
    return undefined;
  }

  async #assertNotRevoked(reach: Reach, claims: Claims, now: boolean): Promise<void> {
    const revoked = await (now
      ? this.revocations.isRevokedNow(reach, claims)
      : this.revocations.isRevoked(reach, claims));
    if (revoked) throw authenticateFailure('The token was revoked.');
  }

  async #assertLinkAlive(reach: Reach, claims: Claims, key: UserKey): Promise<void> {
    if (claims.lnk && !(await this.links.isAlive(reach, key, claims.jti))) {
      throw authenticateFailure('The link was used, replaced or has expired.');
    }
  }
}

function systemCaller(claims: Claims, needs: AuthenticationNeeds): Caller {
  if (claims.did !== ROOT_DOMAIN_ID) throw authenticateFailure('Token is invalid or expired.');
  if (needs.self) throw requiredParameter('user_id');
  return {
    kind: 'SYSTEM',
    domain_id: needs.system_scope?.domain_id ?? '',
    workspace_id: needs.system_scope?.workspace_id,
    user_id: claims.aud,
    permissions: [],
    signed_in_at: new Date(claims.iat * 1000),
    required_actions: [],
    claims,
  };
}

function userCaller(
  claims: Claims,
  { id, role_type, role_id }: Standing,
  permissions: readonly string[],
): Caller {
  return {
    kind: 'USER',
    domain_id: claims.did,
    user_id: claims.aud,
    account_id: id,
    role_type: claims.rol,
    workspace_id: claims.wid,
    permissions,
    session: claims.sid,
    signed_in_at: new Date((claims.auth_time ?? 0) * 1000),
    link: claims.lnk ? claims.jti : undefined,
    signed_in: claims.sgn ? { role_type, role_id } : undefined,
    required_actions: claims.injected_params?.required_actions ?? [],
    claims,
  };
}

function assertStands<T extends Standing>(standing: T | undefined, claims: Claims): asserts standing is T {
  const ended = standing ? whyEnded(standing, claims) : 'The user does not exist.';
  if (ended) throw authenticateFailure(ended);
}

function whyEnded(standing: Standing, claims: Claims): string | undefined {
  if (standing.state === 'DISABLED') return 'The user is disabled.';
  return isCurrent(standing, claims) ? undefined : 'The session has ended.';
}

/** Issued after the last change that ends sessions, or belonging to the session that made the change. */
function isCurrent(standing: Pick<User, 'generation' | 'kept_session'>, claims: Claims): boolean {
  return (
    claims.gen === standing.generation || (claims.sid !== undefined && claims.sid === standing.kept_session)
  );
}

/** An administrator of the domain is one in every scope, as when the token was made (scoped-tokens.ts). */
function rolesBehind({ role_type, role_id, ...standing }: Standing, { rol, wid }: Claims): string[] {
  if (role_type === 'DOMAIN_ADMIN') return role_id ? [role_id] : [];
  const held = membershipsIn(standing, wid ?? EVERY_WORKSPACE);
  return held.filter((one) => one.role_type === rol).map((one) => one.role_id);
}

function standingOf(user: User): Standing {
  const { id, state, generation, kept_session, role_type, role_id, memberships } = user;
  return { id, state, generation, kept_session, role_type, role_id, memberships };
}

function cacheKey(key: UserKey): string {
  return `${key.domain_id}/${key.user_id}`;
}
