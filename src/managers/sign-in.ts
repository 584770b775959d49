import type { Reach } from '../connectors/mongo.js';
import { isEmailAddress } from '../email-address.js';
import { IdentityError, notFound } from '../errors.js';
import type { User } from '../models/user.js';
import type { Account, AccountLookup } from './account-lookup.js';
import type { Admission, Admitted, Check, Found, SignInCall } from './admission.js';
import type { DomainStates } from './domain-states.js';
import type { Mfa } from './mfa.js';
import type { PasswordCheck } from './password-check.js';
import type { PasswordPolicy } from './password-policy.js';
import { notAGuess } from './sign-in-guard.js';
import type { Tokens } from './tokens.js';

/** A request of Token.issue. */
export interface IssueRequest {
  credentials: Record<string, unknown>;
  auth_type: 'LOCAL' | 'EXTERNAL' | 'MFA';
  domain_id: string;
  timeout?: number;
  verify_code?: string;
}

export interface SignInSettings {
  accessSeconds: number;
  accessMaxSeconds: number;
  refreshSeconds: number;
}

/** The pair of tokens that a sign-in gives. */
export interface TokenPair {
  access_token: string;
  refresh_token: string;
}

/** Life of the token that is good for setting up an enforced second factor alone, in seconds (D-11). */
const ENROLMENT_SECONDS = 600;
/** What a token opens that is for setting up the second factor alone (D-11). */
const ENROLMENT_PERMISSIONS: readonly string[] = [
  'identity:UserProfile.enable_mfa',
  'identity:UserProfile.confirm_mfa',
  'identity:UserProfile.get',
];
/** What a token is good for while the password has to be changed. */
export const PASSWORD_PERMISSIONS = ['identity:UserProfile'];
const REFRESH_MAX_SECONDS = 2_419_200;
const USER_ID_CHARACTERS = 60;
const PASSWORD_CHARACTERS = 1024;
const DOMAIN_ID = /^domain-[0-9a-f]{12}$/;

interface Credentials {
  user_id: string;
  password: string;
}

/** Signing in with a password and a second factor (contract/behaviour.md 4.1, Token.issue). */
export class SignIn {
  constructor(
    private readonly lookup: AccountLookup,
    private readonly admission: Admission,
    private readonly states: DomainStates,
    private readonly passwords: PasswordCheck,
    private readonly mfa: Mfa,
    private readonly tokens: Tokens,
    private readonly policy: PasswordPolicy,
    private readonly settings: SignInSettings,
  ) {}

  /**
   * Issues tokens for right credentials.
   * @throws IdentityError ERROR_NOT_FOUND(domain_id), ERROR_DOMAIN_STATE, ERROR_INVALID_CREDENTIALS,
   * ERROR_AUTHENTICATION_FAILURE, ERROR_LOGIN_BLOCKED, ERROR_USER_STATE_DISABLED, ERROR_MFA_REQUIRED,
   * ERROR_INVALID_VERIFY_CODE, ERROR_NOT_AUTHENTICATED, ERROR_MFA_NOT_ACTIVATED, ERROR_TOO_BUSY.
   */
  async issue(reach: Reach, request: IssueRequest, call: SignInCall): Promise<TokenPair> {
    const { noted } = call;
    const { user_id: given } = request.credentials;
    // What is typed in place of an id may be a password; an address is none. Others are noted when they are known.
    if (typeof given === 'string' && isEmailAddress(given.trim())) noted['user_id'] = given.trim();
    return this.passwords.promise(reach, () => this.#issue(reach, request, call));
  }

  async #issue(reach: Reach, request: IssueRequest, call: SignInCall): Promise<TokenPair> {
    const { domain_id } = request;
    await this.#assertDomain(reach, domain_id, call);
    const credentials = checkedCredentials(request);
    const account = await this.lookup.byUserId(reach, { domain_id, user_id: credentials.user_id });
    const check: Check = (found) => this.#prove(reach, request, account, credentials, found);
    const found: Found = { domain_id, ...(account.user ? { user: account.user } : {}) };
    const admitted = await this.admission.admit(reach, account.at, call, check, found);
    return this.#tokens(reach, admitted, request.timeout);
  }

  async #prove(
    reach: Reach,
    request: IssueRequest,
    { user: named, fits }: Account,
    { user_id, password }: Credentials,
    found: Found,
  ): Promise<User> {
    // Who is called by another name than the user_id is guessed at, and never signed in.
    const proven = this.passwords.check(reach, user_id, fits ? named : undefined, password, found);
    if (request.auth_type === 'MFA') {
      return this.#proveFactor(reach, await proven.catch(asInvalidCredentials), request.verify_code);
    }
    const user = await proven;
    return user.mfa?.state === 'ENABLED' ? this.mfa.challenge(reach, user) : user;
  }

  /** The second call: after the password again, so that a code alone is worth nothing (D-02), the code. */
  async #proveFactor(reach: Reach, user: User, code: string | undefined): Promise<User> {
    if (!(await this.mfa.isChallenged(reach, user)))
      throw notAGuess(new IdentityError('ERROR_INVALID_CREDENTIALS'));
    if (!code) {
      await this.mfa.ask(reach, user);
      throw new IdentityError('ERROR_NOT_AUTHENTICATED');
    }
    await this.mfa.prove(reach, user, code);
    return user;
  }

  async #tokens(reach: Reach, { user, session }: Admitted, timeout: number | undefined): Promise<TokenPair> {
    if (user.required_actions.includes('ENFORCE_MFA')) return this.#refuseWithoutMfa(reach, user, session);
    const claims = {
      own: 'USER' as const,
      did: user.domain_id,
      aud: user.user_id,
      gen: user.generation,
      ...session,
    };
    const permissions = this.policy.mustChange(user) ? PASSWORD_PERMISSIONS : undefined;
    const [access_token, refresh_token] = await Promise.all([
      this.tokens.sign(
        reach,
        { ...claims, typ: 'ACCESS_TOKEN', rol: 'USER', sgn: true, ...(permissions ? { permissions } : {}) },
        accessSeconds(timeout, this.settings),
      ),
      this.tokens.sign(reach, { ...claims, typ: 'REFRESH_TOKEN' }, this.#refreshSeconds(user)),
    ]);
    return { access_token, refresh_token };
  }

  /** Clients expect the token for the set-up inside the error text (contract/errors.md 4). */
  async #refuseWithoutMfa(reach: Reach, user: User, session: Admitted['session']): Promise<never> {
    const claims = {
      typ: 'ACCESS_TOKEN' as const,
      own: 'USER' as const,
      did: user.domain_id,
      aud: user.user_id,
      rol: 'USER' as const,
      gen: user.generation,
      permissions: [...ENROLMENT_PERMISSIONS],
      ...session,
    };
    const access_token = await this.tokens.sign(reach, claims, ENROLMENT_SECONDS);
    throw new IdentityError('ERROR_MFA_NOT_ACTIVATED', {
      user_id: user.user_id,
      mfa_type: user.mfa?.mfa_type ?? 'EMAIL',
      mfa_state: user.mfa?.state ?? 'DISABLED',
      access_token,
    });
  }

  async #assertDomain(reach: Reach, domain_id: string, { noted }: SignInCall): Promise<void> {
    const domain = await this.states.domain(reach, domain_id);
    // What only is in the place of an id may be a password.
    if (domain || DOMAIN_ID.test(domain_id)) noted['domain_id'] = domain_id;
    if (!domain) throw notFound({ domain_id });
    if (domain.state !== 'ENABLED') throw new IdentityError('ERROR_DOMAIN_STATE', { domain_id });
  }

  #refreshSeconds(user: User): number {
    const own = user.role_type === 'DOMAIN_ADMIN' ? (user.refresh_timeout ?? 0) : 0;
    return Math.min(Math.max(own, this.settings.refreshSeconds), REFRESH_MAX_SECONDS);
  }
}

/** True for the permissions of a token that is for setting up the second factor alone. */
export function isForEnrolment(permissions: readonly string[] = []): boolean {
  return (
    permissions.length === ENROLMENT_PERMISSIONS.length &&
    ENROLMENT_PERMISSIONS.every((one) => permissions.includes(one))
  );
}

/** Seconds that an access token lives: the caller's wish up to the maximum, else the setting. */
export function accessSeconds(timeout: number | undefined, settings: SignInSettings): number {
  return timeout && timeout > 0 ? Math.min(timeout, settings.accessMaxSeconds) : settings.accessSeconds;
}

/** Nothing but two strings gets near the database (D-45). */
function checkedCredentials(request: IssueRequest): Credentials {
  const { user_id, password } = request.credentials;
  const id = typeof user_id === 'string' ? user_id.trim() : '';
  const known = id !== '' && id.length <= USER_ID_CHARACTERS;
  if (request.auth_type === 'EXTERNAL') {
    // No identity provider is connected in this version (D-28).
    throw new IdentityError('ERROR_AUTHENTICATION_FAILURE', { user_id: known ? id : '' });
  }
  if (!known || password === undefined || password === null || password === '') {
    throw new IdentityError('ERROR_INVALID_CREDENTIALS');
  }
  if (typeof password !== 'string' || password.length > PASSWORD_CHARACTERS) {
    throw new IdentityError('ERROR_AUTHENTICATION_FAILURE', { user_id: id });
  }
  return { user_id: id, password };
}

function asInvalidCredentials(error: unknown): never {
  if (error instanceof IdentityError && error.reason === 'ERROR_AUTHENTICATION_FAILURE') {
    throw new IdentityError('ERROR_INVALID_CREDENTIALS');
  }
  throw error;
}
