import { describe, expect, test } from 'vitest';
import type { Filter, Query } from '../../../src/gen/spaceone/api/core/v2/query.js';
import { compileList } from '../../../src/models/query/list.js';
import { workspaceUserResource } from '../../../src/models/query/workspace-user-resource.js';
import { aQuery, CONTEXT, where } from './people.js';
import { refusal } from './refusal.js';

const compile = (query: Partial<Query>) => compileList(aQuery(query), workspaceUserResource, CONTEXT);
const filterOf = (...filter: Filter[]) => compile({ filter }).filter;
const unknown = 'ERROR_DB_QUERY';
const invalid = 'ERROR_INVALID_PARAMETER';

describe('examples of the query language', () => {
  test('no query asks for everything up to the cap, by name and user id', () => {
    expect(compileList(undefined, workspaceUserResource, CONTEXT)).toEqual({
      filter: {},
      sort: { name: 1, user_id: 1 },
      skip: 0,
      limit: 1000,
      fields: undefined,
      countOnly: false,
      unwind: undefined,
      unfiltered: true,
    });
  });

  test.each<[string, Partial<Query>, object]>([
    ['1', { sort: [{ key: 'name', desc: false }], page: { start: 1, limit: 2 } }, { skip: 0, limit: 2 }],
    ['2', { page: { start: 3, limit: 2 } }, { skip: 2, limit: 2, unfiltered: true }],
    ['2, start alone', { page: { start: 3, limit: 0 } }, { skip: 0, limit: 1000 }],
    [
      '3',
      { filter: [where('language', 'in', ['en', 'ko'])] },
      { filter: { language: { $in: ['en', 'ko'] } } },
    ],
    [
      '4',
      { keyword: 'ann x.io' },
      {
        filter: {
          $or: ['user_id', 'name', 'email'].map((field) => ({
            [field]: { $regex: 'ann|x\\.io', $options: 'i' },
          })),
        },
        unfiltered: false,
      },
    ],
    [
      '5',
      {
        filter_or: [
          where('last_accessed_at', 'timediff_lt', 'now - 30d'),
          where('last_accessed_at', 'eq', null),
        ],
      },
      {
        filter: {
          $or: [
            { last_accessed_at: { $lt: new Date('2026-10-26T10:20:30.400Z') } },
            { last_accessed_at: { $eq: null } },
          ],
        },
      },
    ],
    [
      '6',
      { count_only: true, filter: [{ key: 'mfa.state', value: 'ENABLED', operator: 'eq' }] },
      { countOnly: true, filter: { 'mfa.state': { $eq: 'ENABLED' } } },
    ],
    [
      '7',
      { only: ['user_id', 'email'], sort: [{ key: 'email', desc: true }] },
      { fields: ['user_id', 'email'], sort: { email: -1, user_id: -1 } },
    ],
  ])('example %s', (_name, query, expected) => {
    expect(compile(query)).toMatchObject(expected);
  });

  test('example 11: a list given to eq', () => {
    const error = refusal(() => filterOf(where('name', 'eq', ['a'])), 'ERROR_OPERATOR_VALUE_TYPE');
    expect(error.params).toEqual({ operator: 'eq', condition: '{"k":"name","o":"eq","v":["a"]}' });
  });
});

describe('D-03: what would reach other collections or fields', () => {
  test.each<[string, Partial<Query>]>([
    ['query.lookup', { lookup: [{ from: 'domain_secret' }] }],
    ['query.add_fields', { add_fields: { name: '$password' } }],
  ])('%s is not offered', (key, query) => {
    expect(refusal(() => compile(query), invalid).params['key']).toBe(key);
  });

  test('empty ones do no harm', () => {
    expect(compile({ lookup: [], add_fields: {} }).unfiltered).toBe(true);
  });

  const secrets = [
    'password',
    'otp',
    'otp.secret',
    'memberships',
    'memberships.role_id',
    'mfa.options',
    'mfa',
    '_id',
  ];
  const tricks = [
    'nonsense',
    '$where',
    'tags.$x',
    'tags.',
    'tags..a',
    'tags.__proto__',
    'tags.a\0',
    '__proto__',
    'constructor',
  ];
  test.each([...secrets, ...tricks])('%j cannot be named', (key) => {
    refusal(() => filterOf(where(key, 'exists', true)), unknown, 'unknown field');
    refusal(() => compile({ filter_or: [where(key, 'eq', 1)] }), unknown, 'unknown field');
    refusal(() => compile({ only: ['name'], unwind: { path: key, filter: [] } }), unknown, 'unknown field');
    expect(compile({ sort: [{ key, desc: false }] }).sort).toEqual({ name: 1, user_id: 1 });
    if (key !== 'mfa') refusal(() => compile({ only: [key] }), unknown, 'unknown field');
  });
});

describe('conditions', () => {
  test('several conditions hold together, also on one field', () => {
    const found = filterOf(where('name', 'gt', 'a'), where('name', 'lt', 'b'));
    expect(found).toEqual({ $and: [{ name: { $gt: 'a' } }, { name: { $lt: 'b' } }] });
  });

  test('D-26: filter, filter_or and keyword are groups of their own', () => {
    const found = compile({
      filter: [where('state', 'eq', 'ENABLED')],
      filter_or: [where('name', 'eq', 'a')],
      keyword: 'x',
    });
    expect(found.filter).toEqual({
      $and: [{ state: { $eq: 'ENABLED' } }, { name: { $eq: 'a' } }, { $or: expect.any(Array) }],
    });
  });

  test('D-26: not_contain_in lacks all, bool values may be false', () => {
    const lacks = (text: string) => ({ name: { $not: { $regex: text, $options: 'i' } } });
    expect(filterOf(where('name', 'not_contain_in', ['a', 'b']))).toEqual(lacks('a|b'));
    expect(filterOf(where('email_verified', 'eq', false))).toEqual({ email_verified: { $eq: false } });
  });

  test('long and short names mix, a missing value is null', () => {
    expect(filterOf({ key: 'name', v: 'a', operator: 'eq' })).toEqual({ name: { $eq: 'a' } });
    expect(filterOf({ k: 'name', o: 'eq' })).toEqual({ name: { $eq: null } });
  });

  test.each<[string, Filter, string | RegExp]>([
    ['no key', { v: 'x', o: 'eq' }, 'has no key'],
    ['no operator', { k: 'name', v: 'x' }, 'has no operator'],
    ['unknown operator', where('name', 'like', 'x'), 'unknown operator: "like"'],
    ['an operator of the database', where('name', '$where', 'x'), 'unknown operator'],
    ['constructor as operator', where('name', 'constructor', 'x'), 'unknown operator'],
    ['unknown field', where('nonsense', 'eq', 'x'), 'query.filter names an unknown field: "nonsense"'],
    ['bad time', where('created_at', 'datetime_gt', 'yesterday'), 'ISO 8601'],
    ['number as time', where('created_at', 'datetime_gt', 5), 'must be a string'],
    ['bad timediff', where('created_at', 'timediff_gt', 'now - 1y'), 'now/d'],
    ['bad regex', where('name', 'regex', '(['), 'is not valid'],
    ['number as text', where('name', 'contain', 5), 'must be a string'],
    ['null as text', where('name', 'contain', null), 'must be a string'],
    ['NUL in text', where('name', 'contain', 'a\0'), 'NUL'],
    ['NUL in value', where('name', 'eq', 'a\0'), 'NUL'],
    ['operator as value', where('name', 'eq', { $gt: '' }), 'must not be an object'],
    ['operator in a list', where('name', 'in', [{ $gt: '' }]), 'must not be an object'],
    ['operator in match', where('tags.a', 'match', { $gt: '' }), 'key that is not allowed'],
    ['path in match', where('tags.a', 'match', { 'a.b': 1 }), 'key that is not allowed'],
    ['object in match', where('tags.a', 'match', { a: { $gt: '' } }), 'must not be an object'],
  ])('refuses %s', (_name, condition, text) => {
    refusal(() => filterOf(condition), unknown, text);
  });

  const scalarOperators = [
    'eq',
    'not',
    'lt',
    'lte',
    'gt',
    'gte',
    'contain',
    'not_contain',
    'regex',
    'datetime_lt',
    'timediff_gte',
  ];
  test.each(scalarOperators)('%s takes no list', (operator) => {
    refusal(() => filterOf(where('name', operator, ['a'])), 'ERROR_OPERATOR_VALUE_TYPE');
  });

  test.each(['in', 'not_in', 'contain_in', 'not_contain_in', 'regex_in'])('%s needs a list', (operator) => {
    for (const value of ['a', null, undefined, { a: 1 }]) {
      refusal(() => filterOf(where('name', operator, value)), 'ERROR_OPERATOR_LIST_VALUE_TYPE');
    }
    refusal(() => filterOf(where('name', operator, [['a']])), 'ERROR_OPERATOR_VALUE_TYPE');
  });

  test('exists needs a boolean, match an object', () => {
    refusal(() => filterOf(where('name', 'exists', 'true')), 'ERROR_OPERATOR_BOOLEAN_TYPE');
    for (const value of ['a', null, ['a']]) {
      refusal(() => filterOf(where('tags.a', 'match', value)), 'ERROR_OPERATOR_DICT_VALUE_TYPE');
    }
  });

  test('a key __proto__ in match is refused', () => {
    const value: unknown = JSON.parse('{"__proto__": 1}');
    refusal(() => filterOf(where('tags.a', 'match', value)), unknown, 'key that is not allowed');
  });
});

describe('order, page and fields', () => {
  test('the unique field ends every order, in the direction of the last key', () => {
    const sorted = (...sort: Query['sort']) => Object.entries(compile({ sort }).sort);
    expect(sorted({ key: 'name', desc: true })).toEqual([['name', -1], ['user_id', -1]]); // prettier-ignore
    expect(sorted({ key: 'user_id', desc: true }, { key: 'name', desc: false })).toEqual([['user_id', -1], ['name', 1]]); // prettier-ignore
  });

  test('an unknown sort key is ignored alone and refused together with only', () => {
    const sort = [
      { key: 'nonsense', desc: false },
      { key: 'email', desc: true },
    ];
    expect(compile({ sort }).sort).toEqual({ email: -1, user_id: -1 });
    refusal(
      () => compile({ sort, only: ['name'] }),
      unknown,
      'query.sort names an unknown field: "nonsense"',
    );
  });

  test('a sort entry without key is refused', () => {
    refusal(() => compile({ sort: [{ key: '', desc: true }] }), unknown, 'has no key');
  });

  test('P17: more rows than the cap are refused, 0 means all up to it', () => {
    expect(compile({ page: { start: 1, limit: 1000 } }).limit).toBe(1000);
    const error = refusal(() => compile({ page: { start: 1, limit: 1001 } }), invalid);
    expect(error.params['key']).toBe('query.page.limit');
  });

  test.each<[string, Partial<Query>, string[] | undefined]>([
    ['nothing: all', {}, undefined],
    ['minimal', { minimal: true }, ['user_id', 'name', 'state', 'auth_type', 'role_type']],
    ['only, with the keys of the default order', { only: ['email'] }, ['email', 'name', 'user_id']],
    [
      'only, with the sort keys',
      { only: ['email'], sort: [{ key: 'state', desc: false }] },
      ['email', 'state'],
    ],
    ['of a and a.b only a', { only: ['tags.team', 'tags'] }, ['tags', 'name', 'user_id']],
    ['a part of tags', { only: ['tags.team'] }, ['tags.team', 'name', 'user_id']],
    ['all fields below a name', { only: ['mfa'] }, ['mfa.state', 'mfa.mfa_type', 'name', 'user_id']],
  ])('fields: %s', (_name, query, expected) => {
    expect(compile(query).fields).toEqual(expected);
  });

  test('unwind needs a path and only', () => {
    refusal(() => compile({ only: ['name'], unwind: { path: '', filter: [] } }), unknown, 'has no path');
    refusal(() => compile({ unwind: { path: 'required_actions', filter: [] } }), unknown, 'needs query.only');
  });

  test('unwind carries its own filter and is a filter', () => {
    const filter = [where('required_actions', 'eq', 'ENFORCE_MFA')];
    const plan = compile({ only: ['name'], unwind: { path: 'required_actions', filter } });
    expect(plan.unwind).toEqual({
      path: 'required_actions',
      filter: { required_actions: { $eq: 'ENFORCE_MFA' } },
    });
    expect(plan.unfiltered).toBe(false);
  });
});

describe('bounds', () => {
  const many = <T>(count: number, item: T) => Array.from({ length: count }, () => item);
  const long = (length: number) => 'a'.repeat(length);
  const words = Array.from({ length: 11 }, (_, index) => `w${index}`).join(' ');
  test.each<[string, Partial<Query>, string]>([
    ['conditions', { filter: many(51, where('name', 'eq', 'a')) }, 'query.filter'],
    ['conditions of filter_or', { filter_or: many(51, where('name', 'eq', 'a')) }, 'query.filter_or'],
    ['values of a list', { filter: [where('name', 'in', many(1001, 'a'))] }, 'query.filter'],
    ['texts of a list', { filter: [where('name', 'contain_in', many(101, 'a'))] }, 'query.filter'],
    ['expressions', { filter: many(2, where('name', 'regex_in', many(26, 'a'))) }, 'query.filter'],
    ['characters of a value', { filter: [where('name', 'eq', long(1025))] }, 'query.filter'],
    ['characters of a text', { filter: [where('name', 'contain', long(257))] }, 'query.filter'],
    ['characters of an expression', { filter: [where('name', 'regex', long(257))] }, 'query.filter'],
    ['characters of a keyword', { keyword: long(257) }, 'query.keyword'],
    ['words of a keyword', { keyword: words }, 'query.keyword'],
    ['sort keys', { sort: many(11, { key: 'name', desc: false }) }, 'query.sort'],
    ['only', { only: many(51, 'name') }, 'query.only'],
  ])('too many %s are refused by name', (_name, query, key) => {
    expect(refusal(() => compile(query), invalid).params['key']).toBe(key);
  });

  test('as much as is allowed is taken', () => {
    compile({ filter: [where('name', 'in', many(1000, long(1024)))] });
    compile({ keyword: `${long(237)} ${words.slice(0, -4)}`.slice(0, 256) });
    compile({ filter: [where('name', 'contain_in', many(100, long(5)))] });
    compile({ filter: many(10, where('name', 'contain', long(20))) });
  });

  test.each<[string, Partial<Query>]>([
    ['expressions', { filter_or: many(50, where('tags.a', 'regex', 'a[ab]b')) }],
    ['expressions of one condition', { filter: [where('name', 'regex_in', many(50, 'abc'))] }],
    ['open repeats', { filter: many(3, where('name', 'regex', 'a.*b')) }],
    ['texts', { filter: many(30, where('name', 'contain', 'abc')) }],
    [
      'long texts',
      {
        filter: [
          where(
            'name',
            'not_contain_in',
            ['a', 'b', 'c', 'd', 'e'].map((c) => c.repeat(256)),
          ),
        ],
      },
    ],
    [
      'parts together',
      {
        filter: many(7, where('name', 'contain', 'abc')),
        filter_or: many(7, where('name', 'contain', 'abc')),
        keyword: 'ann bob',
        only: ['name'],
        unwind: { path: 'tags.a', filter: many(7, where('name', 'contain', 'abc')) },
      },
    ],
  ])('D-26: the whole query has one budget for looking into values: %s', (_name, query) => {
    expect(refusal(() => compile(query), invalid).params['reason']).toContain('together');
  });
});
