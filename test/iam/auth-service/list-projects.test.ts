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

  it('needs a token', async () => {
    for (const headers of [{}, { 'x-auth-token': 'nonsense' } as Record<string, string>])
      expect(await refused(service, 'ListProjects', {}, headers)).toMatchObject({ status: '401' });
  });
});
