import { status } from '@grpc/grpc-js';
import { importJWK, jwtVerify } from 'jose';
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal } from '../../harness.js';
import { ROOT_ADMIN } from '../../system.js';
import { startDomains } from './domains.js';

let service: Service;
let tenant: Tenant;
let systemToken: string;
let systemAdmin: string;

beforeAll(async () => {
  ({ service, tenant, systemToken, systemAdmin } = await startDomains());
});
afterAll(() => service.close());

const publicKey = (domain_id: string, token?: string) =>
  service.call('Domain.get_public_key', { domain_id }, token);

describe('Domain.get_public_key', () => {
  it('answers the key that verifies the access tokens of a domain, and nothing of the private one', async () => {
    const answer = await publicKey(tenant.domain_id, systemToken);
    expect(Object.keys(answer).sort()).toEqual(['domain_id', 'public_key']);
    const jwk = JSON.parse(answer.public_key) as JWK;
    expect(Object.keys(jwk).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    const { access_token } = await signIn(service, tenant, tenant.admin);
    const { payload, protectedHeader } = await jwtVerify(access_token, await importJWK(jwk, 'RS256'));
    expect(payload['did']).toBe(tenant.domain_id);
    expect(protectedHeader.kid).toBe(jwk.kid);
  });

  it('D-19: is for the system token alone, whoever signed in to the root domain', async () => {
    const root = { ...tenant, domain_id: 'domain-root' };
    const { access_token, refresh_token } = await signIn(service, root, ROOT_ADMIN.user_id);
    const admin = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    for (const token of [undefined, 'garbage', access_token, refresh_token, systemAdmin, admin]) {
      expect(await refusal(publicKey(tenant.domain_id, token))).toMatchObject({
        code: status.UNAUTHENTICATED,
        reason: 'ERROR_AUTHENTICATE_FAILURE',
      });
    }
  });

  it('asks for the id', async () => {
    expect(await refusal(publicKey('', systemToken))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
    });
  });

  it('does not know a domain that does not exist', async () => {
    expect(await refusal(publicKey('domain-000000000000', systemToken))).toMatchObject({
      code: status.NOT_FOUND,
      reason: 'ERROR_NOT_FOUND',
    });
  });
});
