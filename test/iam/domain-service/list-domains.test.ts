import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aTenant } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import type { Directory } from '../directory.js';
import { PUBLIC_URL, startDirectory, walk } from '../directory.js';

let directory: Directory;
/** Ids of all domains, the disabled one among them; without the deleted one. */
let all: string[];
let disabled: string;
let deleted: string;

beforeAll(async () => {
  directory = await startDirectory();
  const { service, tenant, other, systemAdmin } = directory;
  const more = [];
  for (let index = 0; index < 5; index += 1) more.push((await aTenant(service)).domain_id);
  [disabled, deleted] = more as [string, string];
  await service.call('Domain.disable', { domain_id: disabled }, systemAdmin);
  await service.call('Domain.delete', { domain_id: deleted }, systemAdmin);
  const living = more.filter((id) => id !== deleted);
  all = ['domain-root', tenant.domain_id, other.domain_id, ...living].sort();
});
afterAll(() => directory.service.close());

const list = (request: object = {}, token?: string | null) =>
  directory.call('DomainService.ListDomains', request, token);
const ids = async (request: object, token?: string) =>
  ((await list(request, token)).domains ?? []).map(({ id }: { id: string }) => id);

describe('DomainService.ListDomains', () => {
  it('lists an administrator the own domain', async () => {
    const { tenant } = directory;
    expect(await list()).toEqual({
      domains: [
        {
          id: tenant.domain_id,
          name: tenant.name,
          enabled: true,
          options: {},
          links: { self: `${PUBLIC_URL}/v3/domains/${tenant.domain_id}` },
        },
      ],
      links: { self: `${PUBLIC_URL}/v3/domains`, previous: null, next: null },
    });
  });

  it('lists the system every domain by id, without deleted ones', async () => {
    const { systemAdmin, systemToken } = directory;
    for (const token of [systemAdmin, systemToken]) expect(await ids({}, token)).toEqual(all);
  });

  it('goes from page to page by next, each domain once', async () => {
    const { systemAdmin } = directory;
    const pages = await walk((request) => list(request, systemAdmin), 'domains', { limit: 3 });
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1]);
    expect(pages.flat()).toEqual(all);
    const { links } = await list({ limit: all.length }, systemAdmin);
    expect(links.next).toBeNull();
  });

  it('finds one by its exact name', async () => {
    const { tenant, other, systemAdmin } = directory;
    expect(await ids({ name: other.name }, systemAdmin)).toEqual([other.domain_id]);
    for (const name of [other.name.toUpperCase(), other.name.slice(1), 'nothing'])
      expect(await ids({ name }, systemAdmin)).toEqual([]);
    expect(await ids({ name: tenant.name })).toEqual([tenant.domain_id]);
    expect(await ids({ name: other.name })).toEqual([]);
  });

  it('tells enabled from disabled in every spelling', async () => {
    const { tenant, systemAdmin } = directory;
    for (const enabled of ['false', 'False', '0', 'no', 'off'])
      expect(await ids({ enabled }, systemAdmin)).toEqual([disabled]);
    for (const enabled of ['true', '1', 'YES'])
      expect(await ids({ enabled }, systemAdmin)).toEqual(all.filter((id) => id !== disabled));
    expect(await ids({ enabled: 'true' })).toEqual([tenant.domain_id]);
    expect(await ids({ enabled: 'false' })).toEqual([]);
  });

  it('goes on after a marker', async () => {
    const { tenant, systemAdmin } = directory;
    expect(await ids({ marker: all[2] }, systemAdmin)).toEqual(all.slice(3));
    expect(await ids({ marker: tenant.domain_id })).toEqual([]);
  });

  it('refuses a marker that is none of the list, without telling whether there is such a domain', async () => {
    const { other, systemAdmin } = directory;
    const texts = new Set();
    for (const [marker, token] of [
      [other.domain_id, undefined],
      ['domain-000000000000', undefined],
      [deleted, systemAdmin],
      ['nothing', systemAdmin],
    ] as const) {
      const { code, text } = await refusal(list({ marker }, token));
      expect(code).toBe(status.INVALID_ARGUMENT);
      texts.add(text);
    }
    expect([...texts]).toEqual(["Invalid input for field 'marker': is the id of no domain of this list"]);
  });

  it.each([
    ['limit', { limit: -1 }],
    ['enabled', { enabled: 'perhaps' }],
    ['marker', { marker: 'x'.repeat(65) }],
    ['name', { name: 'x'.repeat(256) }],
  ])('refuses a bad %s', async (field, request) => {
    const { code, text } = await refusal(list(request));
    expect(code).toBe(status.INVALID_ARGUMENT);
    expect(text).toContain(`Invalid input for field '${field}'`);
  });

  it('is for administrators', async () => {
    const { member, ownAccount } = directory;
    for (const token of [member, ownAccount])
      expect(await refusal(list({}, token))).toMatchObject({
        code: status.PERMISSION_DENIED,
        text: 'You are not authorized to perform the requested action: identity:list_domains.',
      });
    expect((await refusal(list({}, null))).code).toBe(status.UNAUTHENTICATED);
  });
});
