import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import type { Team } from './team.js';
import { aTeam } from './team.js';

let service: Service;
let team: Team;

beforeAll(async () => {
  service = await startService();
  team = await aTeam(service);
});
afterAll(() => service.close());

const stat = (query: object, token = team.owner, rest: object = {}) =>
  service.call('WorkspaceUser.stat', { query, ...rest }, token);
const rows = async (...aggregate: object[]) => (await stat({ aggregate })).results;
const refused = (query: object) => refusal(stat(query));
const count = { name: 'count', operator: 'count' };
const byState = { group: { keys: [{ key: 'state', name: 'state' }], fields: [count] } };
const states = [
  { state: 'DISABLED', count: 1 },
  { state: 'ENABLED', count: 3 },
  { state: 'PENDING', count: 1 },
];

describe('WorkspaceUser.stat', () => {
  it('groups the people of the workspace', async () => {
    expect(await stat({ aggregate: [byState] })).toEqual({ results: states });
    expect(await stat({ aggregate: [byState] }, team.member)).toEqual({ results: states });
  });

  it('example 8: sorts and pages, with the number of rows', async () => {
    const group = { keys: [{ key: 'language', name: 'language' }], fields: [count] };
    const aggregate = [{ group }, { sort: [{ key: 'count', desc: true }] }];
    expect(await stat({ aggregate, page: { start: 1, limit: 2 } })).toEqual({
      results: [
        { language: 'en', count: 3 },
        { language: 'ja', count: 1 },
      ],
      total_count: 3,
    });
  });

  it('example 9: groups by month and counts under conditions', async () => {
    const group = {
      keys: [{ k: 'created_at', n: 'month', date_format: '%Y-%m' }],
      fields: [
        { n: 'users', o: 'count' },
        { n: 'local', o: 'count', conditions: [{ k: 'auth_type', v: 'LOCAL', o: 'eq' }] },
      ],
    };
    expect(await stat({ aggregate: [{ group }, { sort: [{ key: 'month' }] }] })).toEqual({
      results: [
        { month: '2025-01', users: 2, local: 2 },
        { month: '2025-02', users: 2, local: 2 },
        { month: '2025-03', users: 1, local: 0 },
      ],
    });
  });

  it('example 10: distinct values', async () => {
    const answer = await stat({ distinct: 'timezone', page: { limit: 10 } });
    expect(answer).toEqual({ results: ['Asia/Seoul', 'UTC'], total_count: 2 });
    expect(await stat({ distinct: 'required_actions' })).toEqual({
      results: ['ENFORCE_MFA', 'UPDATE_PASSWORD'],
    });
  });

  it('filters first; a keyword does not count', async () => {
    const filter = [{ k: 'user_id', v: 'X.IO', o: 'contain' }];
    const filter_or = [
      { k: 'state', v: 'PENDING', o: 'eq' },
      { k: 'state', v: 'DISABLED', o: 'eq' },
    ];
    const results = [
      { state: 'DISABLED', count: 1 },
      { state: 'PENDING', count: 1 },
    ];
    expect(await stat({ aggregate: [byState], filter, filter_or, keyword: 'olga' })).toEqual({ results });
  });

  it('runs every operator of a group', async () => {
    const key = 'tags.level';
    const [row] = await rows(
      { sort: [{ key: 'user_id' }] },
      {
        group: {
          fields: [
            count,
            { name: 'sum', key, operator: 'sum' },
            { name: 'average', key, operator: 'average' },
            { name: 'max', key, operator: 'max' },
            { name: 'min', key, operator: 'min' },
            { name: 'first', key: 'user_id', operator: 'first' },
            { name: 'last', key: 'user_id', operator: 'last' },
            { name: 'set', key: 'auth_type', operator: 'add_to_set' },
            { name: 'merged', key: 'tags', operator: 'merge_objects' },
            { name: 'names', key: 'name', operator: 'push' },
            { name: 'since', operator: 'push', fields: [{ key: 'created_at', name: 'at' }] },
            { name: 'newest', key: 'created_at', operator: 'max' },
          ],
        },
      },
    );
    row.set.sort();
    expect(row).toEqual({
      count: 5,
      sum: 8,
      average: 4,
      max: 5,
      min: 3,
      first: 'ann@x.io',
      last: 'olga@example.com',
      set: ['EXTERNAL', 'LOCAL'],
      merged: { team: 'one', level: 3, teams: [{ id: 1, lead: true }, { id: 2 }] },
      names: ['Ann', 'Bob (Ops)', 'eve', 'Max Member', 'Olga Owner'],
      since: ['02-01', '02-15', '03-01', '01-20', '01-10'].map((day) => ({ at: `2025-${day}T08:00:00Z` })),
      newest: '2025-03-01T08:00:00.000Z',
    });
  });

  it('runs unwind, count, project, skip and limit', async () => {
    const unwind = { path: 'required_actions' };
    expect(await rows({ unwind }, { count: { name: 'n' } })).toEqual([{ n: 3 }]);
    const zones = { name: 'zones', key: 'timezone', operator: 'add_to_set' };
    const group = { keys: [{ key: 'language', name: 'language' }], fields: [zones] };
    const project = { fields: [{ key: 'zones', name: 'number', operator: 'size' }] };
    expect(await rows({ group }, { project }, { skip: 1 }, { limit: 1 })).toEqual([
      { language: 'ja', number: 1 },
    ]);
    const excluding = { project: { ...project, exclude_keys: true } };
    expect(await rows({ group }, excluding, { limit: 1 })).toEqual([{ number: 1 }]);
  });

  it('gives no row for a count of nothing', async () => {
    const filter = [{ k: 'name', v: 'nobody', o: 'eq' }];
    expect(await stat({ aggregate: [{ count: { name: 'n' } }], filter })).toEqual({ results: [] });
  });

  it('needs aggregate or distinct: example 11', async () => {
    const unasked = refusal(service.call('WorkspaceUser.stat', {}, team.owner));
    for (const answer of [refused({}), refused({ aggregate: [] }), unasked]) {
      expect(await answer).toMatchObject({
        code: status.INVALID_ARGUMENT,
        reason: 'ERROR_REQUIRED_PARAMETER',
      });
      expect((await answer).text).toContain('aggregate');
    }
  });

  it('answers a domain administrator who names the workspace', async () => {
    const admin = await tokenOf(service, team.tenant, team.tenant.admin, 'DOMAIN');
    const query = { aggregate: [{ count: { name: 'n' } }] };
    expect(await stat(query, admin, { workspace_id: team.tenant.beta })).toEqual({ results: [{ n: 1 }] });
    expect(await refusal(stat(query, admin))).toMatchObject({ reason: 'ERROR_REQUIRED_PARAMETER' });
    const unknown = await refusal(stat(query, admin, { workspace_id: 'workspace-000000000000' }));
    expect(unknown).toMatchObject({ code: status.NOT_FOUND, reason: 'ERROR_NOT_FOUND' });
  });

  it('P16: keeps to the workspace of the token', async () => {
    const query = { distinct: 'user_id', filter: [{ k: 'user_id', v: 'zoe@x.io', o: 'eq' }] };
    expect(await stat(query, team.owner, { workspace_id: team.tenant.beta })).toEqual({ results: [] });
  });

  it('refuses callers without a token and of USER scope', async () => {
    const bare = refusal(service.call('WorkspaceUser.stat', { query: { distinct: 'state' } }));
    expect(await bare).toMatchObject({ code: status.UNAUTHENTICATED });
    const user = await tokenOf(service, team.tenant, 'olga@example.com', 'USER');
    const denied = await refusal(stat({ distinct: 'state' }, user));
    expect(denied).toMatchObject({ code: status.PERMISSION_DENIED, reason: 'ERROR_PERMISSION_DENIED' });
  });

  it('P17: refuses more rows than the cap', async () => {
    const answer = await refused({ distinct: 'state', page: { limit: 1001 } });
    expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
  });
});

describe('D-04: secrets never leave through statistics', () => {
  const key = 'password';
  test.each<[string, object]>([
    ['distinct', { distinct: key }],
    ['a filter', { distinct: 'name', filter: [{ k: key, v: true, o: 'exists' }] }],
    ['a group key', { aggregate: [{ group: { keys: [{ key, name: 'x' }], fields: [count] } }] }],
    ['a group field', { aggregate: [{ group: { fields: [{ name: 'x', key, operator: 'push' }] } }] }],
    [
      'a condition',
      {
        aggregate: [{ group: { fields: [{ ...count, conditions: [{ key, value: 'a', operator: 'gt' }] }] } }],
      },
    ],
    ['a projection', { aggregate: [{ project: { fields: [{ key, name: 'x' }] } }] }],
    ['a sort', { aggregate: [{ sort: [{ key }] }] }],
    ['an unwind', { aggregate: [{ unwind: { path: key } }] }],
  ])('%s cannot name one', async (_name, query) => {
    const answer = await refused(query);
    expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_DB_QUERY' });
    expect(answer.text).not.toContain('$2');
  });

  it('documents that only pass through show what may be named', async () => {
    const found = await rows({ sort: [{ key: 'user_id' }] }, { skip: 1 }, { limit: 1 });
    expect(found).toEqual([
      {
        user_id: 'bob@x.io',
        name: 'Bob (Ops)',
        state: 'DISABLED',
        email: 'bob@x.io',
        email_verified: true,
        auth_type: 'LOCAL',
        role_type: 'USER',
        mfa: { state: 'ENABLED', mfa_type: 'OTP' },
        required_actions: ['UPDATE_PASSWORD', 'ENFORCE_MFA'],
        language: 'ja',
        timezone: 'UTC',
        tags: { teams: [{ id: 1, lead: true }, { id: 2 }] },
        domain_id: team.tenant.domain_id,
        created_at: '2025-02-15T08:00:00.000Z',
        last_accessed_at: '2025-03-01T00:00:00.123Z',
      },
    ]);
  });
});

describe('D-26: statistics as they are meant', () => {
  it('not in conditions works, false and times too', async () => {
    const counting = (name: string, ...conditions: object[]) => ({ ...count, name, conditions });
    const fields = [
      counting('others', { key: 'language', value: 'en', operator: 'not' }),
      counting('unproven', { key: 'email_verified', value: false, operator: 'eq' }),
    ];
    expect(await rows({ group: { fields } })).toEqual([{ others: 2, unproven: 1 }]);
    const keys = [{ key: 'created_at', name: 'at' }];
    expect((await rows({ group: { keys } }, { limit: 1 }))[0]).toEqual({ at: '2025-01-10T08:00:00.000Z' });
    expect((await stat({ distinct: 'created_at' })).results[0]).toBe('2025-01-10T08:00:00.000Z');
  });

  it('unwind filters take text as it is, in any letter case', async () => {
    const filter = [{ k: 'required_actions', v: 'enforce', o: 'contain' }];
    const none = [{ k: 'required_actions', v: '.*', o: 'contain' }];
    const counted = (filter: object[]) =>
      rows({ unwind: { path: 'required_actions', filter } }, { count: { name: 'n' } });
    expect(await counted(filter)).toEqual([{ n: 1 }]);
    expect(await counted(none)).toEqual([]);
  });

  test.each<[string, object]>([
    ['an empty stage', {}],
    ['an empty group', { group: {} }],
    ['an unknown operator', { group: { fields: [{ name: 'x', key: 'name', operator: 'median' }] } }],
    ['an unknown group key', { group: { keys: [{ key: 'nonsense', name: 'x' }] } }],
    ['a name that is an operator', { count: { name: '$where' } }],
    ['an empty projection', { project: {} }],
    ['the size of a text', { project: { fields: [{ key: 'name', name: 'x', operator: 'size' }] } }],
    ['the sum of a text', { project: { fields: [{ key: 'name', name: 'x', operator: 'sum' }] } }],
    ['a text as entries', { project: { fields: [{ key: 'name', name: 'x', operator: 'array_to_object' }] } }],
    [
      'a list as object',
      { project: { fields: [{ key: 'required_actions', name: 'x', operator: 'object_to_array' }] } },
    ],
    ['limit 0', { limit: 0 }],
  ])('mistakes of the caller are his: %s', async (_name, stage) => {
    const answer = await refused({ aggregate: [stage] });
    expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_DB_QUERY' });
  });
});
