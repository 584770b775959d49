import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aUser } from '../../fixtures.js';
import { byName, iamToken, refused, withPassword } from '../tokens.js';
import type { Lists } from './lists.js';
import { PUBLIC_URL, linksOf, startLists } from './lists.js';

let lists: Lists;

beforeAll(async () => {
  lists = await startLists();
});
afterAll(() => lists.service.close());

describe('iam.v3.AuthService.ListProjects', () => {
  it('lists workspaces with a role, and all for an administrator', async () => {
    const { tenant, admin, member, list } = lists;
    const beta = {
      id: tenant.beta,
      name: 'beta',
      domain_id: tenant.domain_id,
      enabled: true,
      parent_id: tenant.domain_id,
      options: {},
      links: { self: `${PUBLIC_URL}/v3/projects/${tenant.beta}` },
    };
    expect(await list('ListProjects', member)).toEqual({ projects: [beta], links: linksOf('projects') });
    const { projects } = await list('ListProjects', admin);
    expect(projects.map(({ name }: { name: string }) => name)).toEqual(['alpha', 'beta']);
  });

  it('lists none for those without one', async () => {
    const { service, tenant, systemAdmin, systemToken, list } = lists;
    const user = await aUser(service, tenant);
    for (const token of [
      await iamToken(service, withPassword(byName(tenant, user))),
      systemAdmin,
      systemToken,
    ])
      expect(await list('ListProjects', token)).toEqual({ links: linksOf('projects') });
  });

  it('needs a token', async () => {
    const { service } = lists;
    for (const headers of [{}, { 'x-auth-token': 'nonsense' } as Record<string, string>])
      expect(await refused(service, 'ListProjects', {}, headers)).toMatchObject({ status: '401' });
  });
});
