import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aTenant, aWorkspace } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import type { Directory } from '../directory.js';
import { PUBLIC_URL, setWorkspaceState, startDirectory, walk } from '../directory.js';

let directory: Directory;
/** Ids of the tenant's projects, the disabled one among them; without the deleted one. */
let all: string[];
let disabled: string;
let deleted: string;

beforeAll(async () => {
  directory = await startDirectory();
  const { service, tenant } = directory;
  const more = [];
  for (let index = 0; index < 7; index += 1)
    more.push(await aWorkspace(service, tenant.domain_id, `workspace ${index}`));
  [disabled, deleted] = more as [string, string];
  await setWorkspaceState(directory, disabled, 'DISABLED');
  await setWorkspaceState(directory, deleted, 'DELETED');
  all = [tenant.alpha, tenant.beta, ...more.filter((id) => id !== deleted)].sort();
});
afterAll(() => directory.service.close());

const list = (request: object = {}, token?: string | null) =>
  directory.call('ProjectService.ListProjects', request, token);
const ids = async (request: object, token?: string) =>
  ((await list(request, token)).projects ?? []).map(({ id }: { id: string }) => id);

describe('ProjectService.ListProjects', () => {
  it('lists the projects of the own domain by id, without deleted ones', async () => {
    const { projects, links } = await list();
    expect(projects.map(({ id }: { id: string }) => id)).toEqual(all);
    expect(links).toEqual({ self: `${PUBLIC_URL}/v3/projects`, previous: null, next: null });
    const [one] = projects;
    const { project } = await directory.call('ProjectService.GetProject', { project_id: one.id });
    expect(project).toEqual(one);
  });

  it('goes from page to page by next, each project once', async () => {
    const pages = await walk(list, 'projects', { limit: 3 });
    expect(pages.map((page) => page.length)).toEqual([3, 3, 2]);
    expect(pages.flat()).toEqual(all);
    expect((await list({ limit: all.length })).links.next).toBeNull();
  });

  it('names every parameter in the addresses', async () => {
    const { domain_id } = directory.tenant;
    const asked = { domain_id, enabled: 'TRUE', parent_id: domain_id, is_domain: 'False', limit: 2 };
    const { projects, links } = await list(asked);
    const filters = `domain_id=${domain_id}&enabled=true&parent_id=${domain_id}&is_domain=false&limit=2`;
    const address = `${PUBLIC_URL}/v3/projects?${filters}`;
    expect(links).toEqual({ self: address, previous: null, next: `${address}&marker=${projects[1].id}` });
  });

  it('finds one by its exact name, which may be one in every domain', async () => {
    const { tenant, other, systemAdmin } = directory;
    expect(await ids({ name: 'alpha' })).toEqual([tenant.alpha]);
    expect(await ids({ name: 'workspace 0' })).toEqual([disabled]);
    for (const name of ['Alpha', 'alph', 'workspace 1', 'nothing']) expect(await ids({ name })).toEqual([]);
    expect(await ids({ name: 'alpha' }, systemAdmin)).toEqual([tenant.alpha, other.alpha].sort());
    const one = { name: 'alpha', domain_id: other.domain_id };
    expect(await ids(one, systemAdmin)).toEqual([other.alpha]);
  });

  it('tells enabled from disabled in every spelling', async () => {
    for (const enabled of ['false', 'False', '0', 'no', 'off'])
      expect(await ids({ enabled })).toEqual([disabled]);
    for (const enabled of ['true', '1', 'YES'])
      expect(await ids({ enabled })).toEqual(all.filter((id) => id !== disabled));
    expect(await ids({ enabled: 'true', name: 'workspace 0' })).toEqual([]);
  });

  it('has every project below the domain, and none that is a domain', async () => {
    const { tenant, other, systemAdmin } = directory;
    expect(await ids({ parent_id: tenant.domain_id })).toEqual(all);
    for (const parent_id of [tenant.alpha, other.domain_id]) expect(await ids({ parent_id })).toEqual([]);
    const below = await ids({ parent_id: other.domain_id }, systemAdmin);
    expect(below).toEqual([other.alpha, other.beta].sort());
    const both = { parent_id: other.domain_id, domain_id: tenant.domain_id };
    expect(await ids(both, systemAdmin)).toEqual([]);
    for (const is_domain of ['true', '1']) expect(await ids({ is_domain })).toEqual([]);
    expect(await ids({ is_domain: 'false' })).toEqual(all);
  });

  it('lists the system all, or those of the domain that it names', async () => {
    const { service, tenant, other, systemAdmin, systemToken } = directory;
    const third = await aTenant(service);
    const everything = [...all, other.alpha, other.beta, third.alpha, third.beta].sort();
    for (const token of [systemAdmin, systemToken]) {
      expect(await ids({}, token)).toEqual(everything);
      const pages = await walk((request) => list(request, token), 'projects', { limit: 5 });
      expect(pages.flat()).toEqual(everything);
      expect(await ids({ enabled: 'false' }, token)).toEqual([disabled]);
      expect(await ids({ domain_id: tenant.domain_id }, token)).toEqual(all);
      for (const domain_id of ['domain-root', 'domain-000000000000'])
        expect(await ids({ domain_id }, token)).toEqual([]);
    }
  });

  it('refuses a marker that is none of the domain, and one that is nothing', async () => {
    const { other, systemAdmin } = directory;
    expect(await ids({ marker: all[4] })).toEqual(all.slice(5));
    for (const [marker, token] of [
      [other.alpha, undefined],
      [deleted, undefined],
      ['nothing', undefined],
      ['nothing', systemAdmin],
    ] as const) {
      const { code, text } = await refusal(list({ marker }, token));
      expect(code).toBe(status.INVALID_ARGUMENT);
      expect(text).toBe("Invalid input for field 'marker': is the id of no project of this list");
    }
  });

  it.each([
    ['limit', { limit: -1 }],
    ['enabled', { enabled: 'perhaps' }],
    ['is_domain', { is_domain: 'perhaps' }],
    ['marker', { marker: 'x'.repeat(65) }],
    ['name', { name: 'x'.repeat(256) }],
    ['domain_id', { domain_id: 'x'.repeat(65) }],
  ])('refuses a bad %s', async (field, request) => {
    const { code, text } = await refusal(list(request));
    expect(code).toBe(status.INVALID_ARGUMENT);
    expect(text).toContain(`Invalid input for field '${field}'`);
  });

  it('is for administrators of that domain', async () => {
    const { other, member, ownAccount } = directory;
    const denied = {
      code: status.PERMISSION_DENIED,
      text: 'You are not authorized to perform the requested action: identity:list_projects.',
    };
    for (const token of [member, ownAccount]) expect(await refusal(list({}, token))).toMatchObject(denied);
    for (const domain_id of [other.domain_id, 'domain-000000000000'])
      expect(await refusal(list({ domain_id }))).toMatchObject(denied);
    expect((await refusal(list({}, null))).code).toBe(status.UNAUTHENTICATED);
  });
});
