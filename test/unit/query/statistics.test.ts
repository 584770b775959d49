import { describe, expect, test } from 'vitest';
import { compileStatistics } from '../../../src/models/query/statistics.js';
import { renderRows } from '../../../src/models/query/render.js';
import { workspaceUserResource } from '../../../src/models/query/workspace-user-resource.js';
import { aStatisticsQuery, CONTEXT, where } from './people.js';
import { refusal } from './refusal.js';

type Parts = Parameters<typeof aStatisticsQuery>[0];
type Stages = NonNullable<Parts['aggregate']>;

const compile = (parts: Parts) => compileStatistics(aStatisticsQuery(parts), workspaceUserResource, CONTEXT);
const refused = (aggregate: Stages, text?: string | RegExp) =>
  refusal(() => compile({ aggregate }), 'ERROR_DB_QUERY', text);
const count = { name: 'count', operator: 'count' };
const byState = { keys: [{ key: 'state', name: 'state' }], fields: [count] };

describe('what is asked for', () => {
  test('example 11: neither aggregate nor distinct', () => {
    for (const query of [
      undefined,
      aStatisticsQuery({}),
      aStatisticsQuery({ page: { start: 1, limit: 1 } }),
    ]) {
      const work = () => compileStatistics(query, workspaceUserResource, CONTEXT);
      expect(refusal(work, 'ERROR_REQUIRED_PARAMETER').params['key']).toBe('aggregate');
    }
  });

  test('example 8: a page is counted', () => {
    const plan = compile({
      aggregate: [{ group: byState }, { sort: [{ key: 'count', desc: true }] }],
      page: { start: 1, limit: 2 },
    });
    expect(plan).toEqual({
      filter: {},
      stages: [
        { $group: { _id: { state: '$state' }, count: { $sum: 1 } } },
        { $sort: { _id: 1 } },
        { $project: { _id: 0, state: '$_id.state', count: 1 } },
        { $sort: { count: -1, state: 1 } },
      ],
      distinct: false,
      counted: true,
      skip: 0,
      limit: 2,
    });
  });

  test('example 9: conditions become a sum of ones, date formats are strings', () => {
    const conditions = [{ k: 'auth_type', v: 'LOCAL', o: 'eq' }];
    const keys = [{ k: 'created_at', n: 'month', date_format: '%Y-%m' }];
    const { stages, counted } = compile({
      aggregate: [{ group: { keys, fields: [{ n: 'local', o: 'count', conditions }] } }],
    });
    expect(counted).toBe(false);
    expect(stages[0]).toEqual({
      $group: {
        _id: { month: { $dateToString: { format: '%Y-%m', date: '$created_at' } } },
        local: { $sum: { $cond: [{ $and: [{ $eq: ['$auth_type', { $literal: 'LOCAL' }] }] }, 1, 0] } },
      },
    });
  });

  test('example 10: distinct; it counts only without aggregate', () => {
    const plan = compile({ distinct: 'timezone', page: { limit: 10 } });
    expect(plan).toMatchObject({ distinct: true, counted: true, limit: 10 });
    expect(compile({ distinct: 'timezone', aggregate: [{ count: { name: 'n' } }] }).distinct).toBe(false);
  });

  test('filter and filter_or come first; a keyword is no part of it', () => {
    const filter = [where('state', 'eq', 'ENABLED')];
    const filter_or = [where('name', 'eq', 'a'), where('name', 'eq', 'b')];
    const plan = compile({ distinct: 'state', filter, filter_or, keyword: 'ann' });
    expect(plan.filter).toEqual({
      $and: [{ state: { $eq: 'ENABLED' } }, { $or: [{ name: { $eq: 'a' } }, { name: { $eq: 'b' } }] }],
    });
  });

  test('P17: more rows than the cap are refused', () => {
    const error = refusal(
      () => compile({ distinct: 'state', page: { start: 1, limit: 1001 } }),
      'ERROR_INVALID_PARAMETER',
    );
    expect(error.params['key']).toBe('query.page.limit');
  });
});

describe('D-04: secrets and other unknown fields are refused wherever a field is named', () => {
  const fields = [
    'password',
    'otp.secret',
    'memberships',
    'mfa',
    'mfa.options',
    '_id',
    'nonsense',
    '$name',
    'name.$x',
  ];
  test.each(fields)('%s', (key) => {
    refusal(() => compile({ distinct: key }), 'ERROR_DB_QUERY', 'unknown field');
    refusal(() => compile({ distinct: 'name', filter: [where(key, 'exists', true)] }), 'ERROR_DB_QUERY');
    refused([{ unwind: { path: key } }], 'unknown field');
    refused([{ unwind: { path: 'tags.a', filter: [where(key, 'eq', 'x')] } }], 'unknown field');
    refused([{ group: { keys: [{ key, name: 'x' }] } }], 'unknown field');
    for (const operator of [
      'sum',
      'average',
      'max',
      'min',
      'first',
      'last',
      'add_to_set',
      'merge_objects',
      'push',
    ]) {
      refused([{ group: { fields: [{ name: 'x', operator, key }] } }], 'unknown field');
    }
    refused(
      [{ group: { fields: [{ name: 'x', operator: 'push', fields: [{ key, name: 'y' }] }] } }],
      'unknown field',
    );
    const conditions = [{ key, value: 'x', operator: 'eq' }];
    refused([{ group: { fields: [{ ...count, conditions }] } }], 'unknown field');
    refused([{ sort: [{ key }] }], 'unknown field');
    refused([{ project: { fields: [{ key, name: 'x' }] } }], 'unknown field');
  });

  test('after a group only its results can be named', () => {
    refused([{ group: byState }, { sort: [{ key: 'name' }] }], 'unknown field');
    refused([{ group: byState }, { group: { keys: [{ key: 'user_id', name: 'x' }] } }], 'unknown field');
    refused(
      [{ count: { name: 'n' } }, { project: { fields: [{ key: 'name', name: 'x' }] } }],
      'unknown field',
    );
    refused(
      [{ project: { fields: [{ key: 'name', name: 'x' }] } }, { sort: [{ key: 'name' }] }],
      'unknown field',
    );
  });

  test('rows that are still documents are cut to the fields that may be named', () => {
    const { stages } = compile({ aggregate: [{ limit: 3 }] });
    const allowed = Object.fromEntries([...workspaceUserResource.fields.keys()].map((field) => [field, 1]));
    expect(stages).toEqual([{ $limit: 3 }, { $project: { _id: 0, ...allowed } }]);
  });
});

describe('D-26: mistakes inside stages', () => {
  const field = (parts: object): Stages => [
    { group: { fields: [{ name: 'x', operator: 'count', ...parts }] } },
  ];
  const key = (parts: object): Stages => [{ group: { keys: [{ key: 'state', name: 'x', ...parts }] } }];
  const condition = (parts: object): Stages =>
    field({ conditions: [{ key: 'state', value: 'a', operator: 'eq', ...parts }] });
  const project = (parts: object): Stages => [
    { project: { fields: [{ key: 'state', name: 'x', ...parts }] } },
  ];

  test.each<[string, Stages, string]>([
    ['a stage without content', [{}], 'without unwind, group, count'],
    ['group without keys and fields', [{ group: {} }], 'needs keys or fields'],
    ['a key without key', key({ key: '' }), 'has no key'],
    ['a key without name', key({ name: '' }), 'has no name'],
    ['a date format on no time', key({ date_format: 'year' }), 'is no time'],
    [
      'a date format that is not offered',
      key({ key: 'created_at', date_format: '%Q' }),
      'date_format that is not',
    ],
    ['a field without operator', field({ operator: '' }), 'has no operator'],
    ['a field without name', field({ name: '' }), 'has no name'],
    ['an unknown operator', field({ operator: 'median' }), 'unknown operator: "median"'],
    ['sum without key', field({ operator: 'sum' }), 'has no key'],
    ['push without key and fields', field({ operator: 'push' }), 'has no key'],
    ['push fields without name', field({ operator: 'push', fields: [{ key: 'name' }] }), 'has no name'],
    [
      'conditions with max',
      field({ operator: 'max', key: 'name', conditions: [{}] }),
      'allows no conditions',
    ],
    ['a condition without key', condition({ key: '' }), 'has no key'],
    ['a condition without operator', condition({ operator: '' }), 'unknown operator'],
    ['a condition with an unknown operator', condition({ operator: 'in' }), 'unknown operator: "in"'],
    ['a condition with null', condition({ value: null }), 'as value'],
    ['a condition with an object', condition({ value: { $gt: '' } }), 'as value'],
    ['a condition with a list', condition({ value: ['a'] }), 'as value'],
    ['count without name', [{ count: { name: '' } }], 'has no name'],
    ['an empty sort', [{ sort: [] }], 'is empty'],
    ['a sort without key', [{ sort: [{ desc: true }] }], 'has no key'],
    ['a sort of no object', [{ sort: ['name'] }], 'has no key'],
    ['a desc that is no boolean', [{ sort: [{ key: 'name', desc: 'yes' }] }], 'desc'],
    ['project without fields', [{ project: {} }], 'needs fields'],
    ['project without key', project({ key: '' }), 'has no key'],
    ['project without name', project({ name: '' }), 'has no name'],
    ['project with an unknown operator', project({ operator: 'add' }), 'unknown operator: "add"'],
    ['unwind without path', [{ unwind: {} }], 'has no path'],
    [
      'unwind with an operator that it does not have',
      [{ unwind: { path: 'tags.a', filter: [where('tags.a', 'regex', 'a')] } }],
      'unknown operator: "regex"',
    ],
    ['limit 0', [{ limit: 0 }], '1 or more'],
    ['limit below 0', [{ limit: -1 }], '1 or more'],
    ['skip below 0', [{ skip: -1 }], '0 or more'],
    [
      'two results of one name',
      [{ group: { ...byState, fields: [{ name: 'state', operator: 'count' }] } }],
      'two results',
    ],
  ])('refuses %s', (_name, stages, text) => {
    refused(stages, text);
  });

  test.each(['$x', 'a.b', '__proto__', '_id', 'a\0', ' a', '1a', 'a'.repeat(65)])(
    '%j is no name of a result',
    (name) => {
      refused(key({ name }), 'name that is not allowed');
      refused(field({ name }), 'name that is not allowed');
      refused(project({ name }), 'name that is not allowed');
      refused([{ count: { name } }], 'name that is not allowed');
      const push = { name: 'x', operator: 'push', fields: [{ key: 'name', name }] };
      refused([{ group: { fields: [push] } }], 'name that is not allowed');
    },
  );

  test('names may hold letters of any script', () => {
    expect(compile({ aggregate: [{ count: { name: '사용자 수_1' } }] }).stages[0]).toEqual({
      $group: { _id: null, '사용자 수_1': { $sum: 1 } },
    });
  });
});

describe('bounds', () => {
  const many = <T>(length: number, item: (index: number) => T) =>
    Array.from({ length }, (_, index) => item(index));
  const conditions = many(21, () => ({ key: 'state', value: 'a', operator: 'eq' }));
  const parts = many(21, (index) => ({ key: 'name', name: `n${index}` }));
  test.each<[string, Stages, string]>([
    ['stages', many(21, () => ({ limit: 1 })), 'query.aggregate'],
    ['unwind stages', many(3, () => ({ unwind: { path: 'tags.a' } })), 'query.aggregate'],
    ['group keys', [{ group: { keys: parts } }], 'aggregate.group.keys'],
    ['group fields', [{ group: { fields: parts } }], 'aggregate.group.fields'],
    ['conditions', [{ group: { fields: [{ ...count, conditions }] } }], 'aggregate.group.fields.conditions'],
    [
      'push fields',
      [{ group: { fields: [{ name: 'x', operator: 'push', fields: parts }] } }],
      'aggregate.group.fields.fields',
    ],
    ['project fields', [{ project: { fields: parts } }], 'aggregate.project'],
    ['sort keys', [{ sort: many(11, () => ({ key: 'name' })) }], 'aggregate.sort'],
  ])('too many %s are refused by name', (_name, aggregate, key) => {
    expect(refusal(() => compile({ aggregate }), 'ERROR_INVALID_PARAMETER').params['key']).toBe(key);
  });
});

test('rows go out with ISO times, without nulls and without what is no value', () => {
  const time = new Date('2026-01-02T03:04:05.006Z');
  const row = {
    time,
    none: null,
    missing: undefined,
    bytes: Buffer.from('x'),
    list: [time, null, { a: null, b: 0 }],
  };
  expect(renderRows([row, 'text', false, null])).toEqual([
    { time: '2026-01-02T03:04:05.006Z', list: ['2026-01-02T03:04:05.006Z', { b: 0 }] },
    'text',
    false,
  ]);
});
