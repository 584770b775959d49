import { createPublicKey } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type { CryptoKey, JWK } from 'jose';
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ForgeableService } from '../forge.js';
import { keyOf, resigned, startForgeableService, unsigned } from '../forge.js';
import type { Tenant } from '../fixtures.js';
import { aTenant, aUser, signIn, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal } from '../harness.js';

let forge: ForgeableService;
let service: Service;
let tenant: Tenant;
let user: string;
let access: string;
let refresh: string;
let key: CryptoKey;
let publicJwk: JWK;
let stranger: { privateKey: CryptoKey; publicKey: CryptoKey };

beforeAll(async () => {
  forge = await startForgeableService();
  service = forge.service;
  tenant = await aTenant(service);
  user = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
  ({ access_token: access, refresh_token: refresh } = await signIn(service, tenant, user));
  ({ key, public_jwk: publicJwk } = await keyOf(forge, tenant.domain_id, 'access'));
  stranger = await generateKeyPair('RS256', { extractable: true });
});
afterAll(() => service.close());

const get = (token: string) => service.call('UserProfile.get', {}, token);
const grant = (token: string) =>
  service.call('Token.grant', { grant_type: 'REFRESH_TOKEN', token, scope: 'USER' });
const unauthenticated = { code: status.UNAUTHENTICATED, reason: 'ERROR_AUTHENTICATE_FAILURE' };
const now = () => Math.floor(service.clock.now().getTime() / 1000);

async function expectRefused(token: string): Promise<void> {
  const refused = await refusal(get(token));
  expect(refused).toMatchObject(unauthenticated);
  expect(refused.text).toMatch(/^Authenticate failure\. \(message = [A-Z]/);
}

describe('A token', () => {
  it('is accepted when its domain signed it with all that belongs in it', async () => {
    expect(await get(await resigned(access, key, {}))).toMatchObject({ user_id: user });
  });

  it.each([
    ['garbage'],
    ['three.part.garbage'],
    ['..'],
    ['eyJhbGciOiJSUzI1NiJ9.e30.x'],
    [Buffer.alloc(6000, 65).toString()],
  ])('is refused when it is none: %#', async (token) => {
    await expectRefused(token);
  });

  it('P03: is refused when a character of it was changed', async () => {
    const [header, payload, signature] = access.split('.') as [string, string, string];
    const other = Buffer.from(JSON.stringify({ ...decodeJwt(access), aud: tenant.admin })).toString(
      'base64url',
    );
    await expectRefused(`${header}.${other}.${signature}`);
    await expectRefused(`${header}.${payload}.${signature.slice(0, -6)}AAAAAA`);
    await expectRefused(`${header}.${payload}.`);
  });

  it('is refused without a signature, however none is spelled', async () => {
    const { kid } = decodeProtectedHeader(access);
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
      await expectRefused(unsigned(access, { alg, kid }));
      await expectRefused(`${unsigned(access, { alg, kid })}${access.split('.')[2]}`);
    }
  });

  it('is refused when the public key was used as a password for it', async () => {
    const pem = createPublicKey({ key: publicJwk as never, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    });
    for (const secret of [
      Buffer.from(pem),
      Buffer.from(JSON.stringify(publicJwk)),
      Buffer.from(publicJwk.n!),
    ])
      await expectRefused(await resigned(access, secret, {}, { alg: 'HS256' }));
  });

  it('is refused when it was signed with another algorithm of the same key', async () => {
    for (const alg of ['RS384', 'RS512', 'PS256']) {
      const jwk = JSON.parse(
        forge.cipher.open(await sealedKey(), `domain-key:${tenant.domain_id}:${publicJwk.kid}`),
      ) as JWK;
      const other = (await importJWK(jwk, alg)) as CryptoKey;
      await expectRefused(await resigned(access, other, {}, { alg }));
    }
  });

  it('is refused when a stranger signed it, whatever key the header brings along', async () => {
    const jwk = await exportJWK(stranger.publicKey);
    for (const header of [
      {},
      { jwk },
      { jku: 'http://127.0.0.1:1/keys.json' },
      { x5u: 'http://127.0.0.1:1/key.pem' },
      { x5c: ['MIIB'] },
      { kid: 'unknown' },
      { kid: '../../dev/null' },
      { kid: undefined },
      { kid: undefined, jwk },
    ]) {
      await expectRefused(await resigned(access, stranger.privateKey, {}, header));
    }
  });

  it('is accepted by its own key although the header offers another one', async () => {
    const jwk = await exportJWK(stranger.publicKey);
    expect(await get(await resigned(access, key, {}, { jwk, jku: 'http://127.0.0.1:1/' }))).toHaveProperty(
      'user_id',
    );
  });

  it('P03: is refused when another domain signed it', async () => {
    const other = await aTenant(service);
    const foreign = await keyOf(forge, other.domain_id, 'access');
    await expectRefused(await resigned(access, foreign.key, {}));
    await expectRefused(await resigned(access, foreign.key, {}, { kid: foreign.kid }));
    await expectRefused(await resigned(access, key, { did: other.domain_id }));
    await expectRefused(await resigned(access, foreign.key, { did: other.domain_id }, { kid: foreign.kid }));
  });

  it('D-46: is refused without one of its claims, and with a wrong one', async () => {
    for (const claims of [
      { exp: undefined },
      { iss: undefined },
      { iss: 'somebody.else' },
      { typ: undefined },
      { typ: 'REFRESH_TOKEN' },
      { typ: 'CLIENT_SECRET' },
      { typ: 'SYSTEM_TOKEN' },
      { ver: undefined },
      { ver: '1.0' },
      { did: undefined },
      { did: '' },
      { did: { $gt: '' } },
      { did: 'domain-000000000000' },
      { aud: undefined },
      { aud: [user] },
      { aud: 'gone@example.com' },
      { iat: undefined },
      { iat: 'soon' },
      { exp: 'never' },
      { jti: undefined },
      { own: undefined },
      { gen: undefined, sid: undefined },
    ]) {
      await expectRefused(await resigned(access, key, claims));
    }
  });

  it('is of no use for a user without a role in it, nor for an app', async () => {
    const denied = { code: status.PERMISSION_DENIED, reason: 'ERROR_PERMISSION_DENIED' };
    expect(await refusal(get(await resigned(access, key, { rol: undefined })))).toMatchObject(denied);
    await expectRefused(await resigned(access, key, { rol: 'EMPEROR' }));
    expect(await refusal(get(await resigned(access, key, { own: 'APP' })))).toMatchObject(denied);
  });

  it('P03 F12 D-46: outlives its end by at most a minute', async () => {
    expect(await get(await resigned(access, key, { exp: now() - 30 }))).toHaveProperty('user_id');
    await expectRefused(await resigned(access, key, { exp: now() - 61 }));
    const ending = await resigned(access, key, { exp: now() + 5 });
    expect(await get(ending)).toHaveProperty('user_id');
    service.clock.advance(70);
    await expectRefused(ending);
  });

  it('F12: is refused when it comes from the future', async () => {
    await expectRefused(await resigned(access, key, { iat: now() + 120, exp: now() + 600 }));
    await expectRefused(await resigned(access, key, { nbf: now() + 120 }));
  });

  it('P03: of one kind does not replace another', async () => {
    await expectRefused(refresh);
    expect(await refusal(grant(access))).toMatchObject(unauthenticated);
    const { key: refreshKey, kid } = await keyOf(forge, tenant.domain_id, 'refresh');
    await expectRefused(await resigned(access, refreshKey, {}, { kid }));
    expect(await refusal(grant(await resigned(refresh, refreshKey, { typ: 'ACCESS_TOKEN' })))).toMatchObject(
      unauthenticated,
    );
    expect(await refusal(grant(await resigned(refresh, key, {}, { kid: publicJwk.kid })))).toMatchObject(
      unauthenticated,
    );
  });

  it('D-19: of the kind of the system is accepted from the root domain alone', async () => {
    const system = { typ: 'SYSTEM_TOKEN', own: 'SYSTEM', exp: undefined, rol: undefined };
    await expectRefused(await resigned(access, key, system));
    const list = service.call('WorkspaceUser.list', {}, await resigned(access, key, system));
    expect(await refusal(list)).toMatchObject(unauthenticated);
  });

  it('D-16: brings no parameter along but the required actions', async () => {
    const other = await aUser(service, tenant);
    const injected_params = { user_id: other, domain_id: 'domain-root', name: 'Injected' };
    const token = await resigned(access, key, { injected_params });
    const after = await service.call('UserProfile.update', { timezone: 'Asia/Seoul' }, token);
    expect(after).toMatchObject({ user_id: user, domain_id: tenant.domain_id });
    expect(after).not.toHaveProperty('name');
  });

  it('of a workspace holds for that workspace alone', async () => {
    const member = await tokenOf(service, tenant, user, 'WORKSPACE', tenant.alpha);
    const asOwner = await resigned(member, key, { rol: 'WORKSPACE_OWNER' });
    expect(await refusal(service.call('WorkspaceUser.list', {}, asOwner))).toMatchObject(unauthenticated);
    const elsewhere = await resigned(member, key, { wid: tenant.beta });
    expect(await refusal(service.call('WorkspaceUser.list', {}, elsewhere))).toMatchObject(unauthenticated);
    const nowhere = await resigned(member, key, { wid: 'workspace-000000000000' });
    expect(await refusal(service.call('WorkspaceUser.list', {}, nowhere))).toMatchObject(unauthenticated);
  });
});

async function sealedKey(): Promise<string> {
  const keys = await service.app.rooms.models.domains.findKeys(
    { deadline: Date.now() + 5000 },
    tenant.domain_id,
  );
  return keys!.access.private_jwk;
}
