import type { JWK } from 'jose';
import { inject } from 'vitest';
import { Cipher } from '../src/cipher.js';
import { newTokenId } from '../src/ids.js';
import type { DomainKeys } from '../src/models/domain.js';

/** An RSA key pair. */
export interface KeyPair {
  public: JWK;
  private: JWK;
}

const ALGORITHM = 'RS256';
let used = 0;

/**
 * Signing keys for a domain, as the service would have stored them. The pairs are those of the run, in turn: to make
 * two of its own takes longer than most tests. Domains that are made through the API have their own all the same.
 */
export function tenantKeys(serviceKey: Buffer, domain_id: string, created_at: Date): DomainKeys {
  const cipher = new Cipher(serviceKey);
  const next = (): DomainKeys['access'] => {
    const pairs = inject('keyPairs');
    const pair = pairs[used++ % pairs.length]!;
    const kid = newTokenId();
    return {
      kid,
      public_jwk: { ...pair.public, kid, alg: ALGORITHM, use: 'sig' },
      private_jwk: cipher.seal(JSON.stringify(pair.private), `domain-key:${domain_id}:${kid}`),
    };
  };
  return { domain_id, access: next(), refresh: next(), created_at };
}
