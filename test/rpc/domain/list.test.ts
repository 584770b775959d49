import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { initialise } from '../../system.js';

let service: Service;
let tenant: Tenant;
let systemAdmin: string;

/** Domains without users: a, b (disabled), c and one that is deleted. */
beforeAll(async () => {
  service = await startService();
  ({ systemAdmin } = await initialise(service));
  tenant = await aTenant(service);
  const made = (letter: string, state: string) => ({
    domain_id: `domain-00000000000${letter}`,
    name: `list-${letter}`,
    state,
    tags: { letter },
    wildcard_members: 0,
    created_at: service.clock.now(),
  });
  await service.app.rooms.mongo.connection
    .collection('domain')
    .insertMany([made('c', 'ENABLED'), made('a', 'ENABLED'), made('b', 'DISABLED'), made('d', 'DELETED')]);
});
afterAll(() => service.close());

const list = (request: object = {}, token: string | undefined = systemAdmin) =>
  service.call('Domain.list', request, token);
const names = ({ results = [] }: { results?: { name: string }[] }) => results.map(({ name }) => name);

describe('Domain.list', () => {
  it('answers the living domains by name, with their number', async () => {
    const answer = await list();
    expect(names(answer)).toEqual([tenant.name, 'list-a', 'list-b', 'list-c', 'root']);
    expect(answer.total_count).toBe(5);
    expect(answer.results[1]).toEqual({
      domain_id: 'domain-00000000000a',
      name: 'list-a',
      state: 'ENABLED',
      tags: { letter: 'a' },
      created_at: expect.stringMatching(/Z$/),
    });
  });

  it('narrows by its own parameters', async () => {
    expect(names(await list({ state: 'DISABLED' }))).toEqual(['list-b']);
    expect(names(await list({ name: 'list-c' }))).toEqual(['list-c']);
    expect(names(await list({ domain_id: 'domain-root' }))).toEqual(['root']);
    expect(await list({ name: 'list-a', state: 'DISABLED' })).toEqual({});
    expect(await list({ name: 'list-d' })).toEqual({});
  });

  it('takes the query language', async () => {
    const page = { start: 2, limit: 2 };
    const sorted = await list({ query: { keyword: 'list', sort: [{ key: 'name', desc: true }], page } });
    expect(names(sorted)).toEqual(['list-b', 'list-a']);
    expect(sorted.total_count).toBe(3);
    const filter = [{ k: 'tags.letter', v: ['a', 'd'], o: 'in' }];
    expect(names(await list({ query: { filter } }))).toEqual(['list-a']);
    expect(await list({ query: { count_only: true } })).toEqual({ total_count: 5 });
    expect((await list({ query: { minimal: true, filter } })).results).toEqual([
      { domain_id: 'domain-00000000000a', name: 'list-a', state: 'ENABLED' },
    ]);
  });

  it.each([
    [{ filter: [{ k: 'wildcard_members', v: 0, o: 'eq' }] }, 'ERROR_DB_QUERY'],
    [{ filter: [{ k: 'deleted_at', v: null, o: 'not' }] }, 'ERROR_DB_QUERY'],
    [{ lookup: [{ from: 'domain_secret' }] }, 'ERROR_INVALID_PARAMETER'],
    [{ add_fields: { x: '$y' } }, 'ERROR_INVALID_PARAMETER'],
    [{ page: { limit: 1001 } }, 'ERROR_INVALID_PARAMETER'],
  ])('D-03: refuses a query for what is not offered: %j', async (query, reason) => {
    expect(await refusal(list({ query }))).toMatchObject({ code: status.INVALID_ARGUMENT, reason });
  });

  it('is for system administrators', async () => {
    const token = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    expect((await refusal(list({}, token))).code).toBe(status.PERMISSION_DENIED);
    expect((await refusal(service.call('Domain.list'))).code).toBe(status.UNAUTHENTICATED);
  });
});
