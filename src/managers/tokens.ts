import { SignJWT, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import { epochSeconds } from '../clock.js';
import type { Reach } from '../connectors/mongo.js';
import { IdentityError, authenticateFailure } from '../errors.js';
import { newTokenId } from '../ids.js';
import type { DomainKeys, KeyUse } from './domain-keys.js';

export type TokenType = 'ACCESS_TOKEN' | 'REFRESH_TOKEN' | 'SYSTEM_TOKEN';
export type TokenRole = 'SYSTEM_ADMIN' | 'DOMAIN_ADMIN' | 'WORKSPACE_OWNER' | 'WORKSPACE_MEMBER' | 'USER';

/** The claims of a token (contract/behaviour.md 1.3); those from `gen` on are additions of ours. */
export interface Claims {
  typ: TokenType;
  own: 'USER' | 'SYSTEM' | 'APP';
  did: string;
  aud: string;
  jti: string;
  iat: number;
  exp?: number;
  rol?: TokenRole;
  wid?: string;
  permissions?: string[];
  injected_params?: { required_actions?: string[] };
  /** Token generation of the user when it was issued (D-13). */
  gen?: number;
  /** Session: the same in all tokens that come from one sign-in. */
  sid?: string;
  /** Seconds since 1970 of the sign-in behind the session. */
  auth_time?: number;
  /** The token is the sign-in's own, not one that was asked for a scope: it stands for all that the account may do. */
  sgn?: boolean;
  /** How the sign-in was proven: `pwd`, `otp` (RFC 8176). */
  amr?: string[];
  /** Id for audits of the token that this one was exchanged for. */
  par?: string;
  /** The token is good for all domains, and was asked for as one for the root domain. */
  dom?: boolean;
  /** The token came in a mailed link and lives as long as the link (D-10). */
  lnk?: boolean;
}

/** A token, and what stands in it. */
export interface SignedToken {
  token: string;
  claims: Claims;
}

/** What the caller of `sign` decides; the rest is filled in. */
export type NewClaims = Omit<Claims, 'jti' | 'iat' | 'exp'> & { jti?: string };

const ISSUER = 'spaceone.identity';
const VERSION = '2.0';
/** Seconds that clocks may differ by: a token is good so much longer than it says. */
export const LEEWAY_SECONDS = 60;
const MAX_VERIFIED = 10_000;

/** Signs and checks tokens. Which user and state they stand for is checked elsewhere (sessions.ts). */
export class Tokens {
  /** Claims of tokens whose signature was checked; the time is checked at every use. */
  readonly #verified = new LRUCache<string, { claims: Claims; kid: string }>({ max: MAX_VERIFIED });

  constructor(
    private readonly keys: DomainKeys,
    private readonly clock: Clock,
  ) {}

  /** Signs a token; without seconds it never expires (system tokens alone). */
  async sign(reach: Reach, claims: NewClaims, seconds?: number): Promise<string> {
    return (await this.issue(reach, claims, seconds)).token;
  }

  /** Signs a token, and tells what stands in it. */
  async issue(reach: Reach, given: NewClaims, seconds?: number): Promise<SignedToken> {
    const key = await this.keys.signing(reach, given.did, keyUseOf(given.typ));
    const iat = epochSeconds(this.clock.now());
    const claims: Claims = { jti: newTokenId(), ...given, iat, ...(seconds ? { exp: iat + seconds } : {}) };
    const token = new SignJWT({ ...claims, iss: ISSUER, ver: VERSION });
    return {
      token: await token.setProtectedHeader({ alg: 'RS256', kid: key.kid }).sign(key.private),
      claims,
    };
  }

  /**
   * The claims of a token of one of the given types whose signature, issuer, version and time are right (RFC 8725, D-46).
   * @throws IdentityError ERROR_AUTHENTICATE_FAILURE.
   */
  async verify(reach: Reach, token: string, use: KeyUse): Promise<Claims> {
    const known = this.#verified.get(token);
    const claims = known?.claims ?? (await this.#check(reach, token, use));
    if (keyUseOf(claims.typ) !== use) throw invalid();
    // A replaced key ends its tokens, remembered or not.
    if (known && !(await this.keys.verifying(reach, claims.did, use, known.kid))) throw invalid();
    const now = epochSeconds(this.clock.now());
    if (claims.exp !== undefined && claims.exp + LEEWAY_SECONDS <= now) throw invalid();
    if (claims.iat - LEEWAY_SECONDS > now) throw invalid();
    return claims;
  }

  /**
   * Like `verify`, by the keys that the database has now. Only a token that is good by the known ones makes it look.
   * @throws IdentityError ERROR_AUTHENTICATE_FAILURE.
   */
  async verifyNow(reach: Reach, token: string, use: KeyUse): Promise<Claims> {
    const { did } = await this.verify(reach, token, use);
    this.keys.forget(did);
    return this.verify(reach, token, use);
  }

  async #check(reach: Reach, token: string, use: KeyUse): Promise<Claims> {
    const { did, kid } = unverified(token);
    const key = await this.#keyOf(reach, did, use, kid);
    if (!key) throw invalid();
    try {
      const { payload } = await jwtVerify(token, key.public, {
        algorithms: ['RS256'],
        issuer: ISSUER,
        currentDate: this.clock.now(),
        clockTolerance: LEEWAY_SECONDS,
        requiredClaims: ['typ', 'own', 'did', 'aud', 'jti', 'iat'],
      });
      const claims = payload as unknown as Claims & { ver?: string };
      const shaped =
        claims.ver === VERSION &&
        typeof claims.aud === 'string' &&
        (claims.exp !== undefined || claims.typ === 'SYSTEM_TOKEN');
      if (!shaped || !['ACCESS_TOKEN', 'REFRESH_TOKEN', 'SYSTEM_TOKEN'].includes(claims.typ)) throw invalid();
      this.#verified.set(token, { claims, kid });
      return claims;
    } catch (cause) {
      throw cause instanceof IdentityError ? cause : invalid();
    }
  }

  async #keyOf(reach: Reach, did: string, use: KeyUse, kid: string) {
    try {
      return await this.keys.verifying(reach, did, use, kid);
    } catch (error) {
      if (error instanceof IdentityError && error.reason === 'ERROR_NOT_FOUND') return undefined;
      throw error;
    }
  }
}

function keyUseOf(typ: TokenType): KeyUse {
  return typ === 'REFRESH_TOKEN' ? 'refresh' : 'access';
}

/** Domain and key id as the token says, before anything is proven. */
function unverified(token: string): { did: string; kid: string } {
  try {
    const { did } = decodeJwt(token);
    const { kid } = decodeProtectedHeader(token);
    if (typeof did === 'string' && did && typeof kid === 'string' && kid) return { did, kid };
  } catch {
    throw authenticateFailure('Cannot decode token.');
  }
  throw invalid();
}

function invalid(): IdentityError {
  return authenticateFailure('Token is invalid or expired.');
}
