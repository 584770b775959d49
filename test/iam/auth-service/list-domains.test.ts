import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refused } from '../tokens.js';
import type { Lists } from './lists.js';
import { PUBLIC_URL, linksOf, startLists } from './lists.js';

let lists: Lists;

beforeAll(async () => {
  lists = await startLists();
});
afterAll(() => lists.service.close());

describe('iam.v3.AuthService.ListDomains', () => {
  it('lists the own domain for its administrators', async () => {
    const { tenant, admin, systemAdmin, list } = lists;
    const own = { id: tenant.domain_id, name: tenant.name, enabled: true, options: {} };
    expect(await list('ListDomains', admin)).toEqual({
      domains: [{ ...own, links: { self: `${PUBLIC_URL}/v3/domains/${tenant.domain_id}` } }],
      links: linksOf('domains'),
    });
    expect((await list('ListDomains', systemAdmin)).domains).toMatchObject([{ id: 'domain-root' }]);
  });

  it('lists none for others', async () => {
    const { member, systemToken, list } = lists;
    for (const token of [member, systemToken])
      expect(await list('ListDomains', token)).toEqual({ links: linksOf('domains') });
  });

  it('needs a token', async () => {
    const { service } = lists;
    for (const headers of [{}, { 'x-auth-token': 'nonsense' } as Record<string, string>])
      expect(await refused(service, 'ListDomains', {}, headers)).toMatchObject({ status: '401' });
  });
});
