import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenOf } from '../../fixtures.js';
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

const list = (request: object = {}, token = team.owner) => service.call('WorkspaceUser.list', request, token);
const query = (parts: object, token = team.owner) => list({ query: parts }, token);
const refused = (parts: object) => refusal(query(parts));

describe('WorkspaceUser.list', () => {
  it('answers the people of the workspace by name, each with the role there', async () => {
    const answer = await list();
    expect(who(answer)).toBe('ann bob max olga eve');
    expect(answer.total_count).toBe(5);
    expect(answer.results[1]).toEqual({
      user_id: 'bob@x.io',
      name: 'Bob (Ops)',
      state: 'DISABLED',
      email: 'bob@x.io',
      email_verified: true,
      auth_type: 'LOCAL',
      role_type: 'USER',
      language: 'ja',
      timezone: 'UTC',
      tags: { teams: [{ id: 1, lead: true }, { id: 2 }] },
      role_binding_info: {
        role_binding_id: expect.stringMatching(/^rb-/),
        role_type: 'WORKSPACE_MEMBER',
        resource_group: 'WORKSPACE',
        domain_id: team.tenant.domain_id,
        workspace_id: team.tenant.alpha,
        role_id: 'managed-workspace-member',
        user_id: 'bob@x.io',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
      domain_id: team.tenant.domain_id,
      created_at: '2025-02-15T08:00:00.000Z',
      last_accessed_at: '2025-03-01T00:00:00.123Z',
    });
  });

  it('answers a member the same as an owner', async () => {
    expect(await list({}, team.member)).toEqual(await list());
  });

  it('narrows by each parameter', async () => {
    expect(who(await list({ user_id: 'max@example.com' }))).toBe('max');
    expect(who(await list({ name: 'Ann' }))).toBe('ann');
    expect(who(await list({ state: 'DISABLED' }))).toBe('bob');
    expect(who(await list({ email: 'ann@x.io' }))).toBe('ann');
    expect(who(await list({ auth_type: 'EXTERNAL' }))).toBe('eve');
    expect(who(await list({ role_type: 'WORKSPACE_OWNER' }))).toBe('olga');
    expect((await list({ state: 'ENABLED' })).total_count).toBe(3);
    expect(await list({ user_id: 'zoe@x.io' })).toEqual({});
  });

  it('example 3: joins parameters and query', async () => {
    const filter = [{ k: 'language', v: ['en', 'ko'], o: 'in' }];
    const answer = await list({ role_type: 'WORKSPACE_MEMBER', query: { filter } });
    expect(who(answer)).toBe('ann max eve');
    expect(answer.total_count).toBe(3);
  });

  it('pages: example 1 and 2', async () => {
    const page = (start: number, limit: number) =>
      query({ sort: [{ key: 'user_id' }], page: { start, limit } });
    expect(who(await page(1, 2))).toBe('ann bob');
    expect(who(await page(3, 2))).toBe('eve max');
    expect(await page(3, 2)).toMatchObject({ total_count: 5 });
    expect(who(await page(0, 1))).toBe('ann');
    expect(await page(500, 5)).toEqual({ total_count: 5 });
    expect(who(await query({ page: { start: 3 } }))).toBe('ann bob max olga eve');
  });

  it('sorts up, down, and by several keys', async () => {
    expect(who(await query({ sort: [{ key: 'created_at', desc: true }] }))).toBe('eve bob ann max olga');
    const sort = [{ key: 'language' }, { key: 'created_at', desc: true }];
    expect(who(await query({ sort }))).toBe('eve ann olga bob max');
    expect(who(await query({ sort: [{ key: 'tags.level', desc: true }], page: { limit: 2 } }))).toBe(
      'max olga',
    );
  });

  it('ignores an unknown sort key alone, not together with only', async () => {
    expect(who(await query({ sort: [{ key: 'nonsense' }] }))).toBe('ann bob max olga eve');
    const together = await refused({ sort: [{ key: 'nonsense' }], only: ['name'] });
    expect(together).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_DB_QUERY' });
    expect(await refused({ sort: [{ desc: true }] })).toMatchObject({ reason: 'ERROR_DB_QUERY' });
  });

  it('example 6: counts only', async () => {
    const filter = [{ key: 'mfa.state', value: 'ENABLED', operator: 'eq' }];
    expect(await query({ count_only: true, filter })).toEqual({ total_count: 1 });
    expect(await query({ count_only: true })).toEqual({ total_count: 5 });
  });

  it('answers a domain administrator who names the workspace', async () => {
    const admin = await tokenOf(service, team.tenant, team.tenant.admin, 'DOMAIN');
    expect(who(await list({ workspace_id: team.tenant.beta }, admin))).toBe('zoe');
    const unnamed = await refusal(list({}, admin));
    expect(unnamed).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_REQUIRED_PARAMETER' });
    expect(unnamed.text).toContain('workspace_id');
    const unknown = await refusal(list({ workspace_id: 'workspace-000000000000' }, admin));
    expect(unknown).toMatchObject({ code: status.NOT_FOUND, reason: 'ERROR_NOT_FOUND' });
  });

  it('P16: keeps to the workspace and the domain of the token', async () => {
    expect(who(await list({ workspace_id: team.tenant.beta }))).toBe('ann bob max olga eve');
    const filter_or = [
      { k: 'user_id', v: 'zoe@x.io', o: 'eq' },
      { k: 'domain_id', v: null, o: 'exists' },
    ];
    expect((await refused({ filter_or })).reason).toBe('ERROR_OPERATOR_BOOLEAN_TYPE');
    expect(await query({ filter_or: filter_or.slice(0, 1) })).toEqual({});
    expect(await query({ filter: [{ k: 'domain_id', v: 'domain-x', o: 'eq' }] })).toEqual({});
    const other = await aTeam(service);
    expect((await list({}, other.owner)).results[0].domain_id).toBe(other.tenant.domain_id);
  });

  it('refuses callers without a token and of USER scope', async () => {
    expect(await refusal(service.call('WorkspaceUser.list'))).toMatchObject({ code: status.UNAUTHENTICATED });
    const user = await tokenOf(service, team.tenant, 'olga@example.com', 'USER');
    const denied = await refusal(list({}, user));
    expect(denied).toMatchObject({ code: status.PERMISSION_DENIED, reason: 'ERROR_PERMISSION_DENIED' });
  });

  it('P17: refuses more rows than the cap', async () => {
    for (const limit of [1001, 4294967295]) {
      const answer = await refused({ page: { start: 1, limit } });
      expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
      expect(answer.text).toContain('query.page.limit');
    }
    expect((await query({ page: { start: 1, limit: 1000 } })).total_count).toBe(5);
  });

  it('P17: answers no more rows than the cap, and their true number', async () => {
    const capped = await service.another({ PAGE_LIMIT: '2' });
    try {
      const answer = await capped.call('WorkspaceUser.list', {}, team.owner);
      expect(who(answer)).toBe('ann bob');
      expect(answer.total_count).toBe(5);
    } finally {
      await capped.close();
    }
  });
});

describe('D-25: selected fields', () => {
  it('example 7: only gives the fields that were asked for, without made-up values for the others', async () => {
    const answer = await query({ only: ['user_id', 'email'], sort: [{ key: 'email', desc: true }] });
    expect(answer.total_count).toBe(5);
    expect(answer.results[0]).toEqual({
      user_id: 'olga@example.com',
      email: 'olga@example.com',
      role_binding_info: expect.objectContaining({ role_type: 'WORKSPACE_OWNER' }),
    });
  });

  it('works without user_id among the fields and the sort keys', async () => {
    const answer = await query({ only: ['name'], sort: [{ key: 'created_at' }], page: { limit: 1 } });
    const [{ role_binding_info, ...row }] = answer.results;
    expect(role_binding_info.user_id).toBe('olga@example.com');
    expect(row).toEqual({
      user_id: 'olga@example.com',
      name: 'Olga Owner',
      created_at: '2025-01-10T08:00:00.000Z',
    });
  });

  it('takes nested keys, and of a and a.b only a', async () => {
    const one = [{ k: 'user_id', v: 'max@example.com', o: 'eq' }];
    const tagsOf = async (only: string[]) => (await query({ only, filter: one })).results[0].tags;
    expect(await tagsOf(['tags.team'])).toEqual({ team: 'two' });
    expect(await tagsOf(['tags', 'tags.team'])).toEqual({ team: 'two', level: 5 });
  });

  it('minimal gives the minimal fields', async () => {
    const answer = await query({ minimal: true, page: { limit: 1 } });
    const [{ role_binding_info, ...row }] = answer.results;
    expect(role_binding_info).toBeDefined();
    expect(row).toEqual({
      user_id: 'ann@x.io',
      name: 'Ann',
      state: 'PENDING',
      auth_type: 'LOCAL',
      role_type: 'USER',
    });
  });

  it('refuses unknown and secret fields', async () => {
    for (const field of ['nonsense', 'password', 'memberships', 'otp']) {
      expect(await refused({ only: [field] })).toMatchObject({
        code: status.INVALID_ARGUMENT,
        reason: 'ERROR_DB_QUERY',
      });
    }
  });
});

it('D-27: a role type of no workspace is an invalid parameter', async () => {
  for (const role_type of ['DOMAIN_ADMIN', 'USER', 'nonsense']) {
    const answer = await refusal(list({ role_type }));
    expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
    expect(answer.text).toContain('role_type');
  }
});
