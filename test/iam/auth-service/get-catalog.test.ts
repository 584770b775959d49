import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { startService } from '../../harness.js';
import { ask, byName, iamToken, refused, withPassword } from '../tokens.js';

const URL = 'https://iam.example.com';
let service: Service;
let tenant: Tenant;
let member: string;

beforeAll(async () => {
  service = await startService({ PUBLIC_URL: URL, REGION: 'eu-de' });
  tenant = await aTenant(service);
  const user = await aUser(service, tenant, { roles: { [tenant.beta]: 'WORKSPACE_MEMBER' } });
  member = await iamToken(service, withPassword(byName(tenant, user)));
});
afterAll(() => service.close());

const list = async (method: string, token: string) =>
  (await ask(service, method, {}, { 'x-auth-token': token })).body;
const links = (path: string) => ({ self: `${URL}/v3/auth/${path}`, previous: null, next: null });

describe('iam.v3.AuthService.GetCatalog', () => {
  it('is the one of the token', async () => {
    const request = withPassword(byName(tenant, tenant.admin), { domain: { id: tenant.domain_id } });
    const { body, headers } = await ask(service, 'CreateToken', request);
    const answer = await list('GetCatalog', headers['x-subject-token']!);
    expect(answer).toEqual({ catalog: body.token.catalog, links: links('catalog') });
    expect(answer.catalog[0].endpoints[0]).toMatchObject({ region: 'eu-de', url: `${URL}/v3` });
  });

  it('is for scoped tokens alone', async () => {
    const user = await aUser(service, tenant, { roles: { [tenant.beta]: 'WORKSPACE_MEMBER' } });
    const granted = await tokenOf(service, tenant, user, 'WORKSPACE', tenant.beta);
    expect((await list('GetCatalog', granted)).catalog).toHaveLength(2);
    expect(await refused(service, 'GetCatalog', {}, { 'x-auth-token': member })).toMatchObject({
      status: '403',
      text: 'You are not authorized to perform the requested action: identity:get_catalog.',
    });
  });

  it('needs a token', async () => {
    for (const headers of [{}, { 'x-auth-token': 'nonsense' } as Record<string, string>])
      expect(await refused(service, 'GetCatalog', {}, headers)).toMatchObject({ status: '401' });
  });
});
