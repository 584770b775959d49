import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Records } from '../../../src/connectors/mongo.js';
import { runStatistics } from '../../../src/models/query/run.js';
import { compileStatistics } from '../../../src/models/query/statistics.js';
import { workspaceUserResource } from '../../../src/models/query/workspace-user-resource.js';
import type { Person } from './people.js';
import { aStatisticsQuery, CONTEXT, MEMBERS, person, SCOPE, storePeople, where } from './people.js';

let people: Records<Person>;
let close: () => Promise<void>;

beforeAll(async () => ({ people, close } = await storePeople()));
afterAll(() => close());

async function stat(query: Parameters<typeof aStatisticsQuery>[0]) {
  const plan = compileStatistics(aStatisticsQuery(query), workspaceUserResource, CONTEXT);
  return runStatistics(people, SCOPE, plan, { maxTimeMS: 10_000 });
}

type Stages = Parameters<typeof aStatisticsQuery>[0]['aggregate'];
const rows = async (aggregate: Stages, rest: object = {}) => (await stat({ aggregate, ...rest })).results;
const count = { name: 'count', operator: 'count' };
const by = (key: string, name = key) => ({ key, name });
const members = (holds: (person: Person) => unknown) => MEMBERS.filter(holds).length;
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const timeouts = MEMBERS.flatMap(({ refresh_timeout }) => refresh_timeout ?? []);

describe('group', () => {
  test('example 8: users per language, most first, as a page', async () => {
    const found = await stat({
      aggregate: [
        { group: { keys: [by('language')], fields: [count] } },
        { sort: [{ key: 'count', desc: true }] },
      ],
      page: { start: 1, limit: 2 },
    });
    const counts = ['en', 'ja', 'ko'].map((language) => ({
      language,
      count: members((p) => p.language === language),
    }));
    const expected = counts.sort((a, b) => b.count - a.count || (a.language < b.language ? -1 : 1));
    expect(found).toEqual({ results: expected.slice(0, 2), total_count: 3 });
  });

  test('example 9: sign-ups per month and how many of them are local', async () => {
    const found = await stat({
      aggregate: [
        {
          group: {
            keys: [{ k: 'created_at', n: 'month', date_format: '%Y-%m' }],
            fields: [
              { n: 'users', o: 'count' },
              { n: 'local', o: 'count', conditions: [{ k: 'auth_type', v: 'LOCAL', o: 'eq' }] },
            ],
          },
        },
        { sort: [{ key: 'month' }] },
      ],
    });
    const monthOf = (p: Person) => p.created_at.toISOString().slice(0, 7);
    const months = [...new Set(MEMBERS.map(monthOf))].sort();
    const expected = months.map((month) => ({
      month,
      users: members((p) => monthOf(p) === month),
      local: members((p) => monthOf(p) === month && p.auth_type === 'LOCAL'),
    }));
    expect(found).toEqual({ results: expected });
  });

  test('parts of a time are numbers', async () => {
    const found = await rows([
      {
        group: {
          keys: ['year', 'month', 'day'].map((part) => ({ ...by('created_at', part), date_format: part })),
          fields: [count],
        },
      },
      { sort: [{ key: 'year' }, { key: 'month' }, { key: 'day' }] },
      { limit: 1 },
    ]);
    const first = MEMBERS.at(-1)!.created_at;
    const expected = {
      year: first.getUTCFullYear(),
      month: first.getUTCMonth() + 1,
      day: first.getUTCDate(),
    };
    expect(found).toEqual([{ ...expected, count: 1 }]);
  });

  test('without keys there is one row over everything; operators reckon what they say', async () => {
    const enabled = [{ key: 'state', value: 'ENABLED', operator: 'eq' }];
    const key = 'refresh_timeout';
    const [row] = await rows([
      {
        group: {
          fields: [
            count,
            { name: 'sum', key, operator: 'sum' },
            { name: 'average', key, operator: 'average' },
            { name: 'max', key, operator: 'max' },
            { name: 'min', key, operator: 'min' },
            { name: 'oldest', key: 'created_at', operator: 'min' },
            { name: 'zones', key: 'timezone', operator: 'add_to_set' },
            { name: 'enabled', key, operator: 'sum', conditions: enabled },
            { name: 'nobody', key: 'tags.unknown', operator: 'max' },
          ],
        },
      },
    ]);
    expect(row).toEqual({
      count: MEMBERS.length,
      sum: sum(timeouts),
      average: sum(timeouts) / timeouts.length,
      max: Math.max(...timeouts),
      min: Math.min(...timeouts),
      oldest: MEMBERS.at(-1)!.created_at.toISOString(),
      zones: expect.toSatisfy((zones: string[]) => zones.toSorted().join() === 'Asia/Seoul,UTC'),
      enabled: sum(MEMBERS.filter((p) => p.state === 'ENABLED').map((p) => p.refresh_timeout ?? 0)),
    });
  });

  test('a document that fails the conditions counts as 0 in an average', async () => {
    const conditions = [{ key: 'refresh_timeout', value: 5000, operator: 'gt' }];
    const field = { name: 'average', key: 'refresh_timeout', operator: 'average', conditions };
    const high = timeouts.filter((seconds) => seconds > 5000);
    expect(await rows([{ group: { fields: [field] } }])).toEqual([{ average: sum(high) / MEMBERS.length }]);
  });

  test.each([
    ['eq', 2400, (seconds: number | undefined) => seconds === 2400],
    ['not', 2400, (seconds: number | undefined) => seconds !== 2400],
    ['lt', 2400, (seconds: number | undefined) => seconds! < 2400],
    ['lte', 2400, (seconds: number | undefined) => seconds! <= 2400],
    ['gt', 2400, (seconds: number | undefined) => seconds! > 2400],
    ['gte', 2400, (seconds: number | undefined) => seconds! >= 2400],
    ['gt', '2400', () => false],
    ['eq', '$refresh_timeout', () => false],
  ])('D-26: the condition %s %j holds for those it should', async (operator, value, holds) => {
    const conditions = [{ key: 'refresh_timeout', value, operator }];
    const found = await rows([{ group: { fields: [{ ...count, conditions }] } }]);
    expect(found).toEqual([{ count: members((p) => holds(p.refresh_timeout)) }]);
  });

  test('a boolean condition may be false', async () => {
    const conditions = [{ key: 'email_verified', value: false, operator: 'eq' }];
    const found = await rows([{ group: { fields: [{ ...count, conditions }] } }]);
    expect(found).toEqual([{ count: members((p) => !p.email_verified) }]);
  });

  test('push gives values, or objects whose times end at seconds; first and last follow the order', async () => {
    const [row] = await rows([
      { sort: [{ key: 'created_at' }] },
      { limit: 2 },
      {
        group: {
          fields: [
            { name: 'ids', key: 'user_id', operator: 'push' },
            { name: 'times', key: 'created_at', operator: 'push' },
            {
              name: 'users',
              operator: 'push',
              fields: [by('user_id', 'id'), { k: 'created_at', n: 'since' }],
            },
            { name: 'first', key: 'user_id', operator: 'first' },
            { name: 'last', key: 'user_id', operator: 'last' },
          ],
        },
      },
    ]);
    const [a, b] = [MEMBERS.at(-1)!, MEMBERS.at(-2)!];
    const seconds = (time: Date) => time.toISOString().replace('.400Z', 'Z');
    expect(row).toEqual({
      ids: [a.user_id, b.user_id],
      times: [a.created_at.toISOString(), b.created_at.toISOString()],
      users: [a, b].map((p) => ({ id: p.user_id, since: seconds(p.created_at) })),
      first: a.user_id,
      last: b.user_id,
    });
  });

  test('merge_objects joins objects and passes over what is none', async () => {
    const one = [where('user_id', 'in', ['user-001@example.com', 'user-002@example.com'])];
    const field = (key: string) => ({
      group: { fields: [{ name: 'tags', key, operator: 'merge_objects' }] },
    });
    expect(await rows([field('tags')], { filter: one })).toEqual([{ tags: { team: 'team-1', level: 1 } }]);
    expect(await rows([field('tags.team')], { filter: one })).toEqual([{ tags: {} }]);
  });

  test('times as keys are ISO 8601, missing keys are left out, rows come in the order of keys', async () => {
    const found = await rows([
      { group: { keys: [by('last_accessed_at', 'seen')], fields: [count] } },
      { limit: 2 },
    ]);
    const oldest = MEMBERS.findLast((p) => p.last_accessed_at)!.last_accessed_at!;
    expect(found).toEqual([
      { count: members((p) => !p.last_accessed_at) },
      { seen: oldest.toISOString(), count: 1 },
    ]);
  });

  test('a group of a group names the results of the first', async () => {
    const found = await rows([
      { group: { keys: [by('language'), by('state')], fields: [count] } },
      { group: { keys: [by('language')], fields: [{ name: 'users', key: 'count', operator: 'sum' }] } },
    ]);
    const languages = ['en', 'ja', 'ko'];
    expect(found).toEqual(
      languages.map((language) => ({ language, users: members((p) => p.language === language) })),
    );
  });
});

describe('other stages', () => {
  test('unwind gives a row for each element that meets its filter', async () => {
    const filter = [where('required_actions', 'contain_in', ['ENFORCE', 'update_p'])];
    const found = await rows([
      { unwind: { path: 'required_actions', filter } },
      { group: { keys: [by('required_actions', 'action')], fields: [count] } },
    ]);
    const having = (action: string) => members((p) => p.required_actions.includes(action));
    expect(found).toEqual(
      ['ENFORCE_MFA', 'UPDATE_PASSWORD'].map((action) => ({ action, count: having(action) })),
    );
  });

  test('unwind of a list of objects lets their keys be named', async () => {
    const found = await rows([
      { unwind: { path: 'tags.teams', filter: [where('tags.teams.id', 'not', 7)] } },
      { group: { keys: [by('tags.teams.id', 'id')], fields: [count] } },
    ]);
    const teams = MEMBERS.flatMap((p) => (p.tags['teams'] as { id: number }[] | undefined)?.[0]?.id ?? []);
    const expected = [0, 1, 2].map((id) => ({ id, count: teams.filter((team) => team === id).length }));
    expect(found).toEqual(expected);
  });

  test('count gives one row, none over nothing', async () => {
    expect(await rows([{ count: { name: 'total' } }])).toEqual([{ total: MEMBERS.length }]);
    expect(await rows([{ count: { name: 'total' } }], { filter: [where('name', 'eq', 'nobody')] })).toEqual(
      [],
    );
  });

  test('project keeps the group keys unless they are excluded, and works on lists and objects', async () => {
    const group = {
      group: { keys: [by('language')], fields: [{ name: 'zones', key: 'timezone', operator: 'add_to_set' }] },
    };
    const size = { key: 'zones', name: 'number', operator: 'size' };
    const project = { fields: [size] };
    expect(await rows([group, { project }, { limit: 1 }])).toEqual([{ language: 'en', number: 2 }]);
    expect(await rows([group, { project: { ...project, exclude_keys: true } }, { limit: 1 }])).toEqual([
      { number: 2 },
    ]);
  });

  test('project operators pass over values of another kind', async () => {
    const filter = [where('user_id', 'eq', 'user-008@example.com')];
    const fields = [
      { key: 'tags.numbers', name: 'sum', operator: 'sum' },
      { key: 'tags.none', name: 'none', operator: 'size' },
      { key: 'tags', name: 'pairs', operator: 'object_to_array' },
      { key: 'tags.numbers', name: 'no_pairs', operator: 'object_to_array' },
      { key: 'tags.none', name: 'no_object', operator: 'array_to_object' },
      { key: 'tags.teams', name: 'empty', operator: 'array_to_object' },
    ];
    const teams = [{ id: 2, lead: true }, { id: 7 }];
    const pairs = [
      { k: 'teams', v: teams },
      { k: 'numbers', v: [1, 8] },
    ];
    expect(await rows([{ project: { fields } }], { filter })).toEqual([{ sum: 9, pairs, empty: {} }]);
    const back = { project: { fields: [{ key: 'pairs', name: 'tags', operator: 'array_to_object' }] } };
    expect(await rows([{ project: { fields } }, back], { filter })).toEqual([
      { tags: { teams, numbers: [1, 8] } },
    ]);
  });

  test('skip and limit cut rows in their order', async () => {
    const stages = [{ group: { keys: [by('language')], fields: [] } }, { skip: 1 }, { limit: 1 }];
    expect(await rows(stages)).toEqual([{ language: 'ja' }]);
  });

  test('D-04: documents that only pass through show what may be named, never a secret', async () => {
    const found = await rows([{ limit: 1 }], { filter: [where('user_id', 'eq', 'user-010@example.com')] });
    const shown = person(10);
    const { password: _password, memberships: _memberships, ...rest } = shown;
    expect(found).toEqual([
      {
        ...rest,
        mfa: { state: 'ENABLED', mfa_type: 'OTP' },
        created_at: shown.created_at.toISOString(),
        last_accessed_at: shown.last_accessed_at!.toISOString(),
      },
    ]);
  });
});

describe('distinct', () => {
  test('example 10: sorted values, as a page', async () => {
    const found = await stat({ distinct: 'timezone', page: { start: 1, limit: 10 } });
    expect(found).toEqual({ results: ['Asia/Seoul', 'UTC'], total_count: 2 });
  });

  test('elements of a list count one by one, missing values not at all, times are ISO 8601', async () => {
    expect((await stat({ distinct: 'required_actions' })).results).toEqual([
      'ENFORCE_MFA',
      'UPDATE_PASSWORD',
    ]);
    expect((await stat({ distinct: 'tags.team' })).results).toEqual(['team-1', 'team-3']);
    const times = await stat({ distinct: 'created_at', page: { start: 1, limit: 1 } });
    expect(times).toEqual({
      results: [MEMBERS.at(-1)!.created_at.toISOString()],
      total_count: MEMBERS.length,
    });
  });

  test('a page beyond the end keeps the total', async () => {
    const found = await stat({ distinct: 'state', page: { start: 9, limit: 5 } });
    expect(found).toEqual({ results: [], total_count: 3 });
  });
});
