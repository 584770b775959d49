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
    ['marker', { marker: '0'.repeat(32) }],
    ['marker', { marker: 'person-1' }],
    ['name', { name: 'x'.repeat(129) }],
  ])('refuses a bad %s: %j', async (field, request) => {
    const refused = await refusal(calls.list(request));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.text).toContain(`Invalid input for field '${field}'`);
  });

  it('knows nobody of another domain: not in a list, not as a marker', async () => {
    const { service } = calls;
    const other = await aTenant(service);
    expect((await refusal(calls.list({ domain_id: other.domain_id }))).code).toBe(status.PERMISSION_DENIED);
    const { access_token } = await signIn(service, other, other.admin);
    const { users } = await calls.list({}, access_token);
    expect(users).toHaveLength(1);
    const refused = await refusal(calls.list({ marker: users[0].id }));
    expect(refused.text).toContain("'marker'");
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
