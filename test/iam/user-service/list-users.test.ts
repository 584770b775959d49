import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import { newTokenId } from '../../../src/ids.js';
import { refusal } from '../../harness.js';
import { initialise } from '../../system.js';
import { PUBLIC_URL, startUserCalls } from '../user-calls.js';
import type { UserCalls } from '../user-calls.js';

interface Shown {
  id: string;
  name: string;
  domain_id: string;
}

let calls: UserCalls;
let all: string[];

beforeAll(async () => {
  calls = await startUserCalls();
  const { service, tenant } = calls;
  for (let index = 0; index < 12; index += 1) {
    await aUser(service, tenant, {
      user_id: `person-${index}`,
      ...(index === 3 ? { username: 'Called-Three' } : {}),
      ...(index % 4 === 0 ? { state: 'DISABLED' } : {}),
      ...(index === 5 ? { state: 'PENDING' } : {}),
    });
  }
  const { users } = (await calls.list()) as { users: Shown[] };
  all = users.map(({ id }) => id);
});
afterAll(() => calls.service.close());

const names = async (request: object) => {
  const { users = [] } = (await calls.list(request)) as { users?: Shown[] };
  return users.map(({ name }) => name);
};

/** Follows `next` from page to page as a client does. */
async function walk(request: Record<string, string | number>, token?: string): Promise<Shown[][]> {
  const pages = [];
  for (let asked = request; ;) {
    const { users = [], links } = (await calls.list(asked, token)) as {
      users?: Shown[];
      links: { next: string | null };
    };
    pages.push(users);
    if (!links.next) return pages;
    const next = new URL(links.next);
    expect(`${next.origin}${next.pathname}`).toBe(`${PUBLIC_URL}/v3/users`);
    asked = Object.fromEntries(next.searchParams);
  }
}

describe('UserService.ListUsers', () => {
  it('lists the users of the own domain by id', async () => {
    const { users, links } = await calls.list();
    expect(users).toHaveLength(13);
    expect(all).toEqual([...all].sort());
    expect(new Set((users as Shown[]).map(({ domain_id }) => domain_id))).toEqual(
      new Set([calls.tenant.domain_id]),
    );
    expect(links).toEqual({ self: `${PUBLIC_URL}/v3/users`, previous: null, next: null });
    const [one] = users;
    expect(await calls.get(one.id)).toEqual(one);
  });

  it('goes from page to page by next, each user once', async () => {
    const pages = await walk({ limit: 5 });
    expect(pages.map((page) => page.length)).toEqual([5, 5, 3]);
    expect(pages.flat().map(({ id }) => id)).toEqual(all);
  });

  it('ends with a full page when there is nobody after it', async () => {
    const { links } = await calls.list({ limit: 13 });
    expect(links.next).toBeNull();
  });

  it('names every parameter in the addresses', async () => {
    const { domain_id } = calls.tenant;
    const marker = all[0]!;
    const { users, links } = await calls.list({ domain_id, enabled: 'TRUE', limit: 2, marker });
    const filters = `domain_id=${domain_id}&enabled=true&limit=2`;
    expect(links).toEqual({
      self: `${PUBLIC_URL}/v3/users?${filters}&marker=${marker}`,
      previous: null,
      next: `${PUBLIC_URL}/v3/users?${filters}&marker=${users[1].id}`,
    });
    const { links: named } = await calls.list({ name: 'a b+c@d/é' });
    expect(new URL(named.self).searchParams.get('name')).toBe('a b+c@d/é');
  });

  it('takes more than 1000 on a page as 1000', async () => {
    const { users, links } = await calls.list({ limit: 5000 });
    expect(users).toHaveLength(13);
    expect(links.next).toBeNull();
  });

  it('finds one by username in any letter case, not by a part of it or by another name of theirs', async () => {
    expect(await names({ name: 'PERSON-1' })).toEqual(['person-1']);
    expect(await names({ name: 'called-three' })).toEqual(['Called-Three']);
    for (const name of ['person-3', 'person', 'person-1*', 'nobody'])
      expect(await names({ name })).toEqual([]);
  });

  it('tells enabled from disabled, and counts those who never signed in as enabled', async () => {
    const disabled = ['person-0', 'person-4', 'person-8'];
    for (const enabled of ['false', 'False', '0', 'no'])
      expect((await names({ enabled })).sort()).toEqual(disabled);
    for (const enabled of ['true', '1', 'YES']) {
      const found = await names({ enabled });
      expect(found).toHaveLength(10);
      expect(found).toContain('person-5');
    }
    expect(await names({ enabled: 'false', name: 'person-1' })).toEqual([]);
    expect((await walk({ enabled: 'false', limit: 1 })).flat()).toHaveLength(3);
  });

  it.each([
    ['limit', { limit: -1 }],
    ['enabled', { enabled: 'perhaps' }],
    ['marker', { marker: 'A'.repeat(32) }],
    ['name__contains', { name_contains: 'person' }],
    ['name__istartswith', { name_istartswith: 'person' }],
    ['unique_id', { unique_id: 'x' }],
    ['password_expires_at', { password_expires_at: 'before:2026-01-01T00:00:00Z' }],
    ['password_expires_at', { password_expires_at: 'lt:2026-13-01T00:00:00Z' }],
    ['marker', { marker: 'person-1' }],
    ['name', { name: 'x'.repeat(129) }],
  ])('refuses a bad %s: %j', async (field, request) => {
    const refused = await refusal(calls.list(request));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.text).toContain(`Invalid input for field '${field}'`);
  });

  it('tells whose password ends before, at or after a time, where passwords end', async () => {
    const { service, tenant, admin } = calls;
    const ends = (user: string, password_changed_at: string) =>
      aUser(service, tenant, { user_id: user, password_changed_at: new Date(password_changed_at) });
    await ends('ended-1', '2020-01-01T00:00:00Z');
    await ends('ended-2', '2020-01-02T00:00:00Z');
    await aUser(service, tenant, { user_id: 'ended-no', auth_type: 'EXTERNAL' });
    const strict = await service.another({ PASSWORD_VALID_DAYS: '10' });
    const ended = async (password_expires_at: string, on = strict) => {
      const request = { password_expires_at, domain_id: tenant.domain_id };
      const { users = [] } = (await on.call('iam.v3.UserService.ListUsers', request, admin)) as {
        users?: Shown[];
      };
      return users.map(({ name }) => name).sort();
    };
    expect(await ended('lt:2021-01-01T00:00:00Z')).toEqual(['ended-1', 'ended-2']);
    expect(await ended('lt:2020-01-11T02:00:00+02:00')).toEqual([]);
    expect(await ended('lte:2020-01-11T00:00:00')).toEqual(['ended-1']);
    expect(await ended('eq:2020-01-12T00:00:00.000Z')).toEqual(['ended-2']);
    expect(await ended('2020-01-12T00:00:00Z')).toEqual(['ended-2']);
    for (const later of ['gt:2020-01-11T00:00:00Z', 'gte:2020-01-12T00:00:00Z']) {
      expect(await ended(later)).toEqual(expect.arrayContaining(['ended-2', 'person-1']));
      expect(await ended(later)).not.toContain('ended-1');
    }
    const others = await ended('neq:2020-01-11T00:00:00Z');
    expect(others).toEqual(expect.arrayContaining(['ended-2', 'person-1']));
    expect(others).not.toContain('ended-1');
    expect(others).not.toContain('ended-no');
    // Where none ends, nobody is among those whose password ends.
    for (const operator of ['lt', 'gt', 'neq'])
      expect(await ended(`${operator}:2021-01-01T00:00:00Z`, service)).toEqual([]);
    await strict.close();
    for (const user of ['ended-1', 'ended-2', 'ended-no']) await calls.remove(user);
  });

  it('goes on behind a marker who is there no more, or never was', async () => {
    const user_id = await aUser(calls.service, calls.tenant);
    const { id } = await calls.get(user_id);
    const before = await calls.list({ marker: id });
    await calls.remove(id);
    expect((await calls.list({ marker: id })).users).toEqual(before.users);
    expect((await calls.list({ marker: '0'.repeat(32) })).users).toHaveLength(all.length);
    expect(await calls.list({ marker: 'f'.repeat(32) })).not.toHaveProperty('users');
  });

  it('knows nobody of another domain', async () => {
    const { service } = calls;
    const other = await aTenant(service);
    expect((await refusal(calls.list({ domain_id: other.domain_id }))).code).toBe(status.PERMISSION_DENIED);
    const { access_token } = await signIn(service, other, other.admin);
    const { users } = await calls.list({}, access_token);
    expect(users).toHaveLength(1);
    const behind = await calls.list({ marker: users[0].id });
    expect((behind.users as Shown[] | undefined) ?? []).toEqual(
      ((await calls.list()).users as Shown[]).filter(({ id }) => id > users[0].id),
    );
  });

  it('lists all domains for the system, or the one that it names', async () => {
    const { service, tenant } = calls;
    const { systemToken, systemAdmin } = await initialise(service);
    for (const token of [systemToken, systemAdmin]) {
      const { users } = (await calls.list({}, token)) as { users: Shown[] };
      const domains = new Set(users.map(({ domain_id }) => domain_id));
      expect(domains).toContain(tenant.domain_id);
      expect(domains.size).toBeGreaterThan(1);
      expect((await calls.list({ name: 'person-1' }, token)).users).toHaveLength(1);
      const one = await calls.list({ domain_id: tenant.domain_id }, token);
      expect(one.users).toHaveLength(13);
      expect(await calls.list({ domain_id: 'domain-0' }, token)).not.toHaveProperty('users');
    }
    const scope = { x_domain_id: tenant.domain_id };
    const scoped = await service.call('iam.v3.UserService.ListUsers', {}, systemToken, scope);
    expect(scoped.users).toHaveLength(13);
  });

  it('is for administrators', async () => {
    const { service, tenant } = calls;
    const user_id = await aUser(service, tenant, {
      user_id: 'zz-member',
      roles: { [tenant.alpha]: 'WORKSPACE_OWNER' },
    });
    const { access_token } = await signIn(service, tenant, user_id);
    const owner = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    for (const token of [access_token, owner]) {
      expect(await refusal(calls.list({}, token))).toMatchObject({
        code: status.PERMISSION_DENIED,
        text: 'You are not authorized to perform the requested action: identity:list_users.',
      });
    }
    expect((await refusal(calls.list({}, null))).code).toBe(status.UNAUTHENTICATED);
  });

  it('leaves nobody out and repeats nobody in a larger domain', async () => {
    const { service } = calls;
    const crowd = await aTenant(service);
    const users = service.app.rooms.mongo.connection.collection('user');
    const { _id, ...like } = (await users.findOne({ domain_id: crowd.domain_id, user_id: crowd.admin }))!;
    const many = Array.from({ length: 600 }, (_, index) => ({
      ...like,
      id: newTokenId(),
      user_id: `crowd-${index}`,
      username: `crowd-${index}`,
      login_keys: [`crowd-${index}`],
      state: index % 3 ? 'ENABLED' : 'DISABLED',
    }));
    await users.insertMany(many);
    const { access_token } = await signIn(service, crowd, crowd.admin);
    const everybody = [...many, { id: String(like['id']), state: 'ENABLED' }];
    for (const [request, state] of [
      [{ limit: 37 }, undefined],
      [{ limit: 1000 }, undefined],
      [{ limit: 40, enabled: 'true' }, 'ENABLED'],
      [{ limit: 40, enabled: 'false' }, 'DISABLED'],
    ] as const) {
      const expected = everybody.filter((one) => !state || one.state === state).map(({ id }) => id);
      const seen = (await walk(request, access_token)).flat().map(({ id }) => id);
      expect(seen).toEqual(expected.sort());
    }
  });
});
