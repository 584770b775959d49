import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
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

describe('iam.v3.AuthService.ListProjects', () => {
  it('lists workspaces with a role, and all for an administrator', async () => {
    const beta = {
      id: tenant.beta,
      name: 'beta',
      domain_id: tenant.domain_id,
      enabled: true,
      parent_id: tenant.domain_id,
      links: { self: `${URL}/v3/projects/${tenant.beta}` },
    };
    expect(await list('ListProjects', member)).toEqual({ projects: [beta], links: links('projects') });
    const { projects } = await list('ListProjects', admin);
    expect(projects.map(({ name }: { name: string }) => name)).toEqual(['alpha', 'beta']);
  });

  it('lists none for those without one', async () => {
    const user = await aUser(service, tenant);
    for (const token of [
      await iamToken(service, withPassword(byName(tenant, user))),
      systemAdmin,
      systemToken,
    ])
      expect(await list('ListProjects', token)).toEqual({ links: links('projects') });
  });
});

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
});

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
});

describe('Every list', () => {
  it.each(['ListProjects', 'ListDomains', 'GetCatalog'])('needs a token: %s', async (method) => {
    for (const headers of [{}, { 'x-auth-token': 'nonsense' } as Record<string, string>])
      expect(await refused(service, method, {}, headers)).toMatchObject({ status: '401' });
  });
});
