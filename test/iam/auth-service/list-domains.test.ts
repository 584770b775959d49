import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { startService } from '../../harness.js';
import { initialise } from '../../system.js';
import { ask, byName, iamToken, refused, withPassword } from '../tokens.js';

const URL = 'https://iam.example.com';
let service: Service;
let tenant: Tenant;
let admin: string;
let member: string;
let systemAdmin: string;
let systemToken: string;

beforeAll(async () => {
  service = await startService({ PUBLIC_URL: URL, REGION: 'eu-de' });
  ({ systemAdmin, systemToken } = await initialise(service));
  tenant = await aTenant(service);
  ({ access_token: admin } = await signIn(service, tenant, tenant.admin));
  const user = await aUser(service, tenant, { roles: { [tenant.beta]: 'WORKSPACE_MEMBER' } });
  member = await iamToken(service, withPassword(byName(tenant, user)));
});
afterAll(() => service.close());

const list = async (method: string, token: string) =>
  (await ask(service, method, {}, { 'x-auth-token': token })).body;
const links = (path: string) => ({ self: `${URL}/v3/auth/${path}`, previous: null, next: null });

describe('iam.v3.AuthService.ListDomains', () => {
  it('lists the own domain for its administrators', async () => {
    const own = { id: tenant.domain_id, name: tenant.name, enabled: true };
    expect(await list('ListDomains', admin)).toEqual({
      domains: [{ ...own, links: { self: `${URL}/v3/domains/${tenant.domain_id}` } }],
      links: links('domains'),
    });
    expect((await list('ListDomains', systemAdmin)).domains).toMatchObject([{ id: 'domain-root' }]);
  });

  it('lists none for others', async () => {
    for (const token of [member, systemToken])
      expect(await list('ListDomains', token)).toEqual({ links: links('domains') });
  });

  it('needs a token', async () => {
    for (const headers of [{}, { 'x-auth-token': 'nonsense' } as Record<string, string>])
      expect(await refused(service, 'ListDomains', {}, headers)).toMatchObject({ status: '401' });
  });
});
