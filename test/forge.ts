import { randomBytes } from 'node:crypto';
import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { SignJWT, decodeJwt, decodeProtectedHeader, importJWK } from 'jose';
import { Cipher } from '../src/cipher.js';
import type { Service } from './harness.js';
import { startService } from './harness.js';

/** A service whose secrets the test holds, so that it can sign what the service never would. */
export interface ForgeableService {
  service: Service;
  cipher: Cipher;
}

/** Starts a service with a service key that the test knows. */
export async function startForgeableService(
  settings: Record<string, string> = {},
): Promise<ForgeableService> {
  const key = randomBytes(32);
  const service = await startService({ ...settings, SERVICE_KEY: key.toString('base64') });
  return { service, cipher: new Cipher(key) };
}

/** The keys of a domain, private part included. */
export async function keyOf(
  { service, cipher }: ForgeableService,
  domain_id: string,
  use: 'access' | 'refresh',
): Promise<{ kid: string; public_jwk: JWK; key: CryptoKey }> {
  const stored = await service.app.rooms.models.domains.findKeys({ deadline: Date.now() + 5000 }, domain_id);
  const { kid, public_jwk, private_jwk } = stored![use];
  const jwk = JSON.parse(cipher.open(private_jwk, `domain-key:${domain_id}:${kid}`)) as JWK;
  return { kid, public_jwk, key: (await importJWK(jwk, 'RS256')) as CryptoKey };
}

/** The given token with other claims and headers, signed with the key; a claim of undefined is left out. */
export async function resigned(
  token: string,
  key: CryptoKey | Uint8Array,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> {
  const payload = JSON.parse(JSON.stringify({ ...decodeJwt(token), ...claims })) as JWTPayload;
  const { kid, alg } = decodeProtectedHeader(token);
  return new SignJWT(payload).setProtectedHeader({ kid, alg: alg!, ...header }).sign(key);
}

/** A token without any signature. */
export function unsigned(token: string, header: object): string {
  const [, payload] = token.split('.');
  return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.`;
}
