import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Records } from '../../../src/connectors/mongo.js';
import type { Query } from '../../../src/gen/spaceone/api/core/v2/query.js';
import { compileList } from '../../../src/models/query/list.js';
import { runList } from '../../../src/models/query/run.js';
import { workspaceUserResource } from '../../../src/models/query/workspace-user-resource.js';
import type { Person } from './people.js';
import { aQuery, CONTEXT, MEMBERS, NOW, SCOPE, storePeople, where } from './people.js';

let people: Records<Person>;
let close: () => Promise<void>;

beforeAll(async () => ({ people, close } = await storePeople()));
afterAll(() => close());

async function list(query: Partial<Query>) {
  const plan = compileList(aQuery(query), workspaceUserResource, CONTEXT);
  const projection = { _id: 0, user_id: 1 } as const;
  return runList(people, SCOPE, plan, { projection, options: { maxTimeMS: 10_000 } });
}

const ids = (persons: readonly { user_id: string }[]) => persons.map(({ user_id }) => user_id).sort();
const daysAgo = (days: number) => NOW.getTime() - days * 86_400_000;
const has = (text: string, part: string) => text.toLowerCase().includes(part.toLowerCase());

type Case = [field: string, operator: string, value: unknown, holds: (person: Person) => boolean];

const cases: Case[] = [
  ['state', 'eq', 'PENDING', (p) => p.state === 'PENDING'],
  ['email_verified', 'eq', false, (p) => !p.email_verified],
  ['email_verified', 'eq', true, (p) => p.email_verified],
  ['refresh_timeout', 'eq', 1800 + 10 * 60, (p) => p.refresh_timeout === 2400],
  ['last_accessed_at', 'eq', null, (p) => !p.last_accessed_at],
  ['last_accessed_at', 'eq', undefined, (p) => !p.last_accessed_at],
  ['last_accessed_at', 'not', null, (p) => Boolean(p.last_accessed_at)],
  ['mfa.state', 'eq', 'ENABLED', (p) => p.mfa?.state === 'ENABLED'],
  ['mfa.state', 'not', 'ENABLED', (p) => p.mfa?.state !== 'ENABLED'],
  ['tags.team', 'eq', 'team-1', (p) => p.tags['team'] === 'team-1'],
  ['tags.team', 'eq', null, (p) => !('team' in p.tags)],
  ['required_actions', 'eq', 'ENFORCE_MFA', (p) => p.required_actions.includes('ENFORCE_MFA')],
  ['required_actions', 'not', 'ENFORCE_MFA', (p) => !p.required_actions.includes('ENFORCE_MFA')],
  ['name', 'eq', 5, () => false],
  ['created_at', 'gt', '2000-01-01', () => false],
  ['refresh_timeout', 'lt', 'abc', () => false],
  ['name', 'lt', 'B', (p) => p.name < 'B'],
  ['refresh_timeout', 'lt', 2400, (p) => p.refresh_timeout! < 2400],
  ['refresh_timeout', 'lte', 2400, (p) => p.refresh_timeout! <= 2400],
  ['refresh_timeout', 'gt', 2400, (p) => p.refresh_timeout! > 2400],
  ['refresh_timeout', 'gte', 2400, (p) => p.refresh_timeout! >= 2400],
  ['tags.level', 'gte', 5, (p) => Number(p.tags['level'] ?? -1) >= 5],
  ['refresh_timeout', 'gt', null, () => false],
  ['refresh_timeout', 'lte', null, (p) => p.refresh_timeout === undefined],
  ['language', 'in', ['en', 'ko'], (p) => p.language !== 'ja'],
  ['language', 'in', [], () => false],
  ['last_accessed_at', 'in', [null], (p) => !p.last_accessed_at],
  ['language', 'not_in', ['en', 'ko'], (p) => p.language === 'ja'],
  ['language', 'not_in', [], () => true],
  ['name', 'contain', 'ANN', (p) => has(p.name, 'ann')],
  ['name', 'contain', '(own', (p) => has(p.name, '(own')],
  ['name', 'contain', '한지', (p) => has(p.name, '한지')],
  ['user_id', 'contain', '.*', () => false],
  ['user_id', 'contain', 'x.io', (p) => has(p.user_id, 'x.io')],
  ['name', 'contain', '', () => true],
  ['required_actions', 'contain', 'mfa', (p) => p.required_actions.includes('ENFORCE_MFA')],
  ['name', 'not_contain', 'ANN', (p) => !has(p.name, 'ann')],
  ['tags.team', 'not_contain', 'team', (p) => !('team' in p.tags)],
  ['name', 'contain_in', ['olga', 'BOB'], (p) => has(p.name, 'olga') || has(p.name, 'bob')],
  ['name', 'contain_in', [], () => false],
  ['name', 'not_contain_in', ['ann', 'bob'], (p) => !has(p.name, 'ann') && !has(p.name, 'bob')],
  ['name', 'not_contain_in', [], () => true],
  ['mfa.state', 'exists', true, (p) => Boolean(p.mfa)],
  ['mfa.state', 'exists', false, (p) => !p.mfa],
  ['tags.teams', 'match', { id: 1, lead: true }, (p) => matchesTeam(p)],
  ['required_actions', 'match', { id: 1 }, () => false],
  ['name', 'regex', '^ann', (p) => /^ann/i.test(p.name)],
  ['name', 'regex', '^BOB.*[0-9]{2}1$', (p) => /^bob.*[0-9]{2}1$/i.test(p.name)],
  ['user_id', 'regex', '@(x|y)\\.io', (p) => p.user_id.endsWith('@x.io')],
  ['email', 'regex', '^$', (p) => p.email === ''],
  ['tags.team', 'regex', 'M-[13]$', (p) => /m-[13]$/i.test((p.tags['team'] as string | undefined) ?? '')],
  ['name', 'regex_in', ['^bob$', '\\(owner\\)'], (p) => p.name === 'Bob' || has(p.name, '(owner)')],
  ['created_at', 'datetime_lt', '2026-11-01', (p) => p.created_at < new Date('2026-11-01')],
  ['created_at', 'datetime_lte', NOW.toISOString(), () => true],
  ['created_at', 'datetime_gt', '2026-11-25T01:00:00+09:00', (p) => p.created_at > new Date(NOW)],
  ['created_at', 'datetime_gte', '2026-11-25 10:20:30.4', (p) => p.created_at >= NOW],
  ['name', 'datetime_gt', '2000-01-01', () => false],
  ['created_at', 'timediff_lt', 'now - 30d', (p) => p.created_at.getTime() < daysAgo(30)],
  ['created_at', 'timediff_lte', 'now-30d', (p) => p.created_at.getTime() <= daysAgo(30)],
  ['created_at', 'timediff_gt', 'now/w', (p) => p.created_at > new Date('2026-11-23')],
  ['created_at', 'timediff_gte', 'now/m - 1d', (p) => p.created_at >= new Date('2026-10-31')],
];

const matchesTeam = (p: Person) =>
  ((p.tags['teams'] ?? []) as { id: number; lead?: boolean }[]).some(({ id, lead }) => id === 1 && lead);

describe('a condition finds what it says', () => {
  test.each(cases)('%s %s %j', async (field, operator, value, holds) => {
    const expected = ids(MEMBERS.filter(holds));
    const { results, total_count } = await list({ filter: [where(field, operator, value)] });
    expect(ids(results)).toEqual(expected);
    expect(total_count).toBe(expected.length);
  });
});

describe('groups of conditions', () => {
  test('all conditions of filter hold, some condition of filter_or holds', async () => {
    const found = await list({
      filter: [where('language', 'eq', 'en'), where('language', 'not', 'ko')],
      filter_or: [where('name', 'contain', 'ann'), where('name', 'contain', 'bob')],
    });
    const expected = MEMBERS.filter((p) => p.language === 'en' && /ann|bob/i.test(p.name));
    expect(ids(found.results)).toEqual(ids(expected));
  });

  test('a condition that everything meets makes a filter_or meet everything', async () => {
    const found = await list({ filter_or: [where('name', 'not_contain_in', []), where('name', 'eq', 'x')] });
    expect(found.total_count).toBe(MEMBERS.length);
  });

  test('example 4: any word of the keyword in any keyword field', async () => {
    const found = await list({ keyword: '  ann   x.io ' });
    const expected = MEMBERS.filter((p) =>
      [p.user_id, p.name, p.email].some((text) => /ann|x\.io/i.test(text)),
    );
    expect(ids(found.results)).toEqual(ids(expected));
  });

  test('D-26: a keyword narrows filter_or', async () => {
    const found = await list({ keyword: 'ann', filter_or: [where('language', 'eq', 'ko')] });
    const expected = MEMBERS.filter((p) => /ann/i.test(p.name) && p.language === 'ko');
    expect(ids(found.results)).toEqual(ids(expected));
  });

  test('example 5: not seen for 30 hours or never', async () => {
    const found = await list({
      filter_or: [
        where('last_accessed_at', 'timediff_lt', 'now - 30h'),
        where('last_accessed_at', 'eq', null),
      ],
    });
    const limit = NOW.getTime() - 30 * 3_600_000;
    const expected = MEMBERS.filter((p) => !p.last_accessed_at || p.last_accessed_at.getTime() < limit);
    expect(ids(found.results)).toEqual(ids(expected));
  });
});

describe('order, page, count and unwind', () => {
  const compare = (a: string, b: string) => Buffer.from(a).compare(Buffer.from(b));
  const inOrder = [...MEMBERS].sort((a, b) => compare(a.name, b.name) || compare(a.user_id, b.user_id));

  test('pages follow the default order without gaps, the total stays', async () => {
    const first = await list({ page: { start: 1, limit: 7 } });
    const second = await list({ page: { start: 8, limit: 7 } });
    const read = [...first.results, ...second.results].map(({ user_id }) => user_id);
    expect(read).toEqual(inOrder.slice(0, 14).map(({ user_id }) => user_id));
    expect([first.total_count, second.total_count]).toEqual([MEMBERS.length, MEMBERS.length]);
  });

  test('a page beyond the end is empty and keeps the total', async () => {
    const found = await list({ page: { start: 500, limit: 5 } });
    expect(found).toEqual({ results: [], total_count: MEMBERS.length });
  });

  test('no limit gives everything, and the start does not count', async () => {
    expect((await list({ page: { start: 3, limit: 0 } })).results).toHaveLength(MEMBERS.length);
  });

  test('equal sort keys are told apart by the user id, in the direction of the last key', async () => {
    const found = await list({ sort: [{ key: 'language', desc: true }], page: { start: 1, limit: 300 } });
    const expected = [...MEMBERS].sort(
      (a, b) => compare(b.language, a.language) || compare(b.user_id, a.user_id),
    );
    expect(found.results.map(({ user_id }) => user_id)).toEqual(expected.map(({ user_id }) => user_id));
  });

  test('count_only gives the number alone', async () => {
    const found = await list({ count_only: true, filter: [where('mfa.state', 'eq', 'ENABLED')] });
    expect(found).toEqual({ results: [], total_count: MEMBERS.filter(({ mfa }) => mfa).length });
  });

  test('D-26: unwind gives a row for each element that meets its filter, and the right total', async () => {
    const query = {
      only: ['user_id'],
      unwind: { path: 'required_actions', filter: [where('required_actions', 'contain', 'enforce')] },
    };
    const expected = MEMBERS.filter((p) => p.required_actions.includes('ENFORCE_MFA')).length;
    expect((await list({ ...query, page: { start: 1, limit: 3 } })).results).toHaveLength(3);
    expect((await list(query)).total_count).toBe(expected);
    expect((await list({ ...query, unwind: { ...query.unwind, filter: [] } })).total_count).toBe(
      MEMBERS.reduce((sum, p) => sum + p.required_actions.length, 0),
    );
  });
});
