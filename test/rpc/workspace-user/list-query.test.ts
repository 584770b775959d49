import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import type { Team } from './team.js';
import { aTeam, who } from './team.js';

let service: Service;
let team: Team;

beforeAll(async () => {
  service = await startService();
  team = await aTeam(service);
});
afterAll(() => service.close());

const query = (parts: object) =>
  service.call('WorkspaceUser.list', { query: { sort: [{ key: 'user_id' }], ...parts } }, team.owner);
const found = async (parts: object) => who(await query(parts));
const where = (k: string, o: string, v?: unknown) => ({ k, o, ...(v === undefined ? {} : { v }) });
const refused = (parts: object) => refusal(query(parts));
const EVERYBODY = 'ann bob eve max olga';

describe('every operator, through the wire', () => {
  test.each<[string, string, unknown, string]>([
    ['state', 'eq', 'PENDING', 'ann'],
    ['email_verified', 'eq', false, 'ann'],
    ['refresh_timeout', 'eq', 3600, 'eve'],
    ['mfa.mfa_type', 'eq', 'OTP', 'bob'],
    ['tags.team', 'eq', null, 'ann bob eve'],
    ['tags.team', 'eq', undefined, 'ann bob eve'],
    ['required_actions', 'eq', 'ENFORCE_MFA', 'bob'],
    ['name', 'eq', 5, ''],
    ['created_at', 'gt', '2000-01-01', ''],
    ['language', 'not', 'en', 'bob max'],
    ['email_verified', 'not', true, 'ann'],
    ['last_accessed_at', 'not', null, 'bob max olga'],
    ['tags.level', 'lt', 5, 'olga'],
    ['tags.level', 'lte', 5, 'max olga'],
    ['tags.level', 'gt', 3, 'max'],
    ['tags.level', 'gte', 3, 'max olga'],
    ['user_id', 'gt', 'eve@x.io', 'max olga'],
    ['language', 'in', ['ja', 'ko'], 'bob max'],
    ['language', 'in', [], ''],
    ['language', 'not_in', ['ja', 'ko'], 'ann eve olga'],
    ['name', 'contain', 'OWNER', 'olga'],
    ['name', 'contain', '(ops', 'bob'],
    ['name', 'contain', '.*', ''],
    ['name', 'not_contain', 'E', 'ann bob'],
    ['name', 'contain_in', ['ANN', 'bob'], 'ann bob'],
    ['name', 'not_contain_in', ['ann', 'bob'], 'eve max olga'],
    ['tags.team', 'exists', true, 'max olga'],
    ['tags.team', 'exists', false, 'ann bob eve'],
    ['tags.teams', 'match', { id: 1, lead: true }, 'bob'],
    ['tags.teams', 'match', { id: 2, lead: true }, ''],
    ['user_id', 'regex', '^(ANN|bob)@x\\.io$', 'ann bob'],
    ['user_id', 'regex_in', ['^max', 'eve@'], 'eve max'],
    ['created_at', 'datetime_lt', '2025-01-20T17:00:00+09:00', 'olga'],
    ['created_at', 'datetime_lte', '2025-01-20T08:00:00', 'max olga'],
    ['created_at', 'datetime_gt', '2025-02-15', 'bob eve'],
    ['created_at', 'datetime_gte', '2025-03-01T08:00:00Z', 'eve'],
    ['created_at', 'timediff_lt', 'now - 1d', EVERYBODY],
    ['last_accessed_at', 'timediff_lte', 'now - 30d', 'bob'],
    ['last_accessed_at', 'timediff_gt', 'now/d - 1d', 'max olga'],
    ['created_at', 'timediff_gte', 'now', ''],
  ])('%s %s %j', async (k, o, v, expected) => {
    expect(await found({ filter: [where(k, o, v)] })).toBe(expected);
  });

  it('takes long and short names mixed', async () => {
    expect(await found({ filter: [{ key: 'state', v: 'PENDING', operator: 'eq' }] })).toBe('ann');
    expect(await found({ filter: [{ k: 'state', value: 'PENDING', o: 'eq' }] })).toBe('ann');
  });

  it('filter: all, filter_or: some, keyword: some word in some field', async () => {
    const filter = [where('language', 'eq', 'en'), where('user_id', 'contain', 'x.io')];
    expect(await found({ filter })).toBe('ann eve');
    expect(await found({ filter_or: [where('name', 'eq', 'Ann'), where('language', 'eq', 'ja')] })).toBe(
      'ann bob',
    );
    expect(await found({ keyword: ' max  OLGA ' })).toBe('max olga');
    expect(await found({ keyword: 'x.io' })).toBe('ann bob eve');
    expect(await found({ keyword: '.*' })).toBe('');
  });

  it('example 5: not seen for 30 days or never', async () => {
    const filter_or = [
      where('last_accessed_at', 'timediff_lt', 'now - 30d'),
      where('last_accessed_at', 'eq', null),
    ];
    expect(await found({ filter_or })).toBe('ann bob eve');
  });
});

describe('D-03: a query reaches nothing but the fields of the list', () => {
  it('refuses lookup and add_fields, empty ones do no harm', async () => {
    const lookup = [
      { from: 'domain_secret', localField: 'domain_id', foreignField: 'domain_id', as: 'tags' },
    ];
    for (const [key, parts] of [
      ['query.lookup', { lookup, only: ['user_id', 'tags'] }],
      ['query.add_fields', { add_fields: { name: '$password' }, only: ['user_id', 'name'] }],
    ] as const) {
      const answer = await refused(parts);
      expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
      expect(answer.text).toContain(key);
    }
    expect(await found({ lookup: [], add_fields: {} })).toBe(EVERYBODY);
  });

  test.each([
    'password',
    'otp.secret',
    'memberships.role_id',
    'mfa.options',
    '$where',
    'tags.$x',
    '_id',
    'nonsense',
  ])(
    'refuses the field %s everywhere, but as a key of sort, which orders nothing and is refused with only',
    async (field) => {
      const unwind = { path: field };
      for (const parts of [
        { filter: [where(field, 'exists', true)] },
        { filter_or: [where(field, 'eq', 'x')] },
        { only: [field] },
        { only: ['name'], unwind },
        { only: ['name'], sort: [{ key: field }] },
      ]) {
        const answer = await refused(parts);
        expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_DB_QUERY' });
      }
      expect(await found({ sort: [{ key: field }, { key: 'user_id' }] })).toBe(EVERYBODY);
    },
  );

  it('takes no operator of the database as a value', async () => {
    for (const parts of [
      { filter: [where('user_id', 'eq', { $gt: '' })] },
      { filter: [where('user_id', 'in', [{ $gt: '' }])] },
      { filter: [where('tags.teams', 'match', { $where: 'sleep(1000)' })] },
      { filter: [where('tags.teams', 'match', { id: { $gt: 0 } })] },
    ]) {
      expect(await refused(parts)).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_DB_QUERY' });
    }
    expect(await found({ filter: [where('name', 'eq', '$user_id')] })).toBe('');
  });
});

describe('D-26: the query language as it is meant', () => {
  it('a keyword narrows filter_or', async () => {
    expect(await found({ keyword: 'x.io', filter_or: [where('language', 'eq', 'en')] })).toBe('ann eve');
  });

  it('unwind gives a row for each element, and the right total with and without a page', async () => {
    const unwind = { path: 'required_actions' };
    const only = ['user_id'];
    expect(await query({ only, unwind })).toMatchObject({ total_count: 3 });
    expect(await found({ only, unwind, page: { limit: 2 } })).toBe('bob bob');
    const filter = [where('required_actions', 'contain', 'enforce_')];
    expect(await query({ only, unwind: { ...unwind, filter } })).toMatchObject({ total_count: 1 });
    expect((await refused({ unwind })).reason).toBe('ERROR_DB_QUERY');
  });

  test.each([
    '(a+)+$',
    '^(\\w+\\s?)*$',
    '(a|a)*$',
    'a*a*a*a*b',
    '(a?){30}a{30}',
    '(?=a)b',
    '(a)\\1',
    '([',
    '[]',
    '[^]',
    '\\cA',
  ])('refuses the regular expression %s', async (expression) => {
    for (const condition of [where('name', 'regex', expression), where('name', 'regex_in', [expression])]) {
      const answer = await refused({ filter: [condition] });
      expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_DB_QUERY' });
    }
  });

  test.each<[string, object, string]>([
    ['no key', { v: 'x', o: 'eq' }, 'ERROR_DB_QUERY'],
    ['no operator', { k: 'name', v: 'x' }, 'ERROR_DB_QUERY'],
    ['unknown operator', where('name', 'like', 'x'), 'ERROR_DB_QUERY'],
    ['no time', where('created_at', 'datetime_gt', 'yesterday'), 'ERROR_DB_QUERY'],
    ['a time before all years', where('created_at', 'datetime_gt', '0000-01-01'), 'ERROR_DB_QUERY'],
    ['no timediff', where('created_at', 'timediff_gt', 'now - 1 month'), 'ERROR_DB_QUERY'],
    ['a list for eq', where('name', 'eq', ['a']), 'ERROR_OPERATOR_VALUE_TYPE'],
    ['no list for in', where('name', 'in', 'a'), 'ERROR_OPERATOR_LIST_VALUE_TYPE'],
    ['no list for not_contain_in', where('name', 'not_contain_in', 'a'), 'ERROR_OPERATOR_LIST_VALUE_TYPE'],
    ['no boolean for exists', where('name', 'exists', 'yes'), 'ERROR_OPERATOR_BOOLEAN_TYPE'],
    ['no object for match', where('tags.teams', 'match', 'a'), 'ERROR_OPERATOR_DICT_VALUE_TYPE'],
  ])('mistakes of the caller are his: %s', async (_name, condition, reason) => {
    expect(await refused({ filter: [condition] })).toMatchObject({ code: status.INVALID_ARGUMENT, reason });
  });

  test.each<[string, object, string]>([
    ['conditions', { filter: Array.from({ length: 51 }, () => where('name', 'eq', 'a')) }, '50 conditions'],
    [
      'values',
      {
        filter: [
          where(
            'name',
            'in',
            Array.from({ length: 1001 }, () => 'a'),
          ),
        ],
      },
      '1000 values',
    ],
    ['characters', { filter: [where('name', 'regex', 'a'.repeat(257))] }, '256 characters'],
    ['words', { keyword: 'a b c d e f g h i j k' }, '10 words'],
    [
      'searches of the whole query',
      { filter_or: Array.from({ length: 50 }, (_, index) => where(`tags.k${index}`, 'regex', '^a.*b')) },
      'together',
    ],
    ['sort keys', { sort: Array.from({ length: 11 }, () => ({ key: 'name' })) }, '10 keys'],
    ['fields', { only: Array.from({ length: 51 }, () => 'name') }, '50 fields'],
  ])('bounds the number of %s', async (_name, parts, text) => {
    const answer = await refused(parts);
    expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
    expect(answer.text).toContain(text);
  });
});
