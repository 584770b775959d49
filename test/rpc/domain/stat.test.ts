import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aTenant, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { initialise } from '../../system.js';

let service: Service;
let systemAdmin: string;

beforeAll(async () => {
  service = await startService();
  ({ systemAdmin } = await initialise(service));
  const made = (name: string, state: string) => ({
    domain_id: `domain-${name}`,
    name,
    state,
    wildcard_members: 0,
    created_at: service.clock.now(),
  });
  await service.app.rooms.mongo.connection
    .collection('domain')
    .insertMany([made('a', 'ENABLED'), made('b', 'DISABLED'), made('d', 'DELETED')]);
});
afterAll(() => service.close());

const stat = (query: object | undefined, token: string | undefined = systemAdmin) =>
  service.call('Domain.stat', query ? { query } : {}, token);
const byState = {
  aggregate: [
    {
      group: {
        keys: [{ key: 'state', name: 'state' }],
        fields: [{ name: 'count', operator: 'count' }],
      },
    },
    { sort: [{ key: 'state' }] },
  ],
};

describe('Domain.stat', () => {
  it('aggregates the living domains', async () => {
    expect(await stat(byState)).toEqual({
      results: [
        { state: 'DISABLED', count: 1 },
        { state: 'ENABLED', count: 2 },
      ],
    });
    expect(await stat({ distinct: 'name', page: { limit: 2 } })).toEqual({
      results: ['a', 'b'],
      total_count: 3,
    });
  });

  it('narrows by filters and by a keyword', async () => {
    const filter = [{ k: 'state', v: 'ENABLED', o: 'eq' }];
    expect((await stat({ ...byState, filter })).results).toEqual([{ state: 'ENABLED', count: 2 }]);
    expect((await stat({ ...byState, keyword: 'ROOT' })).results).toEqual([{ state: 'ENABLED', count: 1 }]);
  });

  it('D-04: refuses fields that are not offered', async () => {
    expect(await refusal(stat({ distinct: 'wildcard_members' }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_DB_QUERY',
    });
  });

  it.each([[undefined], [{}], [{ aggregate: [] }]])('asks for what to aggregate: %j', async (query) => {
    expect(await refusal(stat(query))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: 'Required parameter. (key = aggregate)',
    });
  });

  it('is for system administrators', async () => {
    const tenant = await aTenant(service);
    const token = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    expect((await refusal(stat(byState, token))).code).toBe(status.PERMISSION_DENIED);
    expect((await refusal(service.call('Domain.stat', { query: byState }))).code).toBe(
      status.UNAUTHENTICATED,
    );
  });
});
