import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { ROOT_ADMIN, initialise } from '../../system.js';
import type { Answer } from '../../wire-client.js';

let service: Service;
let tenant: Tenant;
let other: Tenant;
let systemToken: string;
let systemAdmin: string;
let admin: string;
let ownerId: string;
let owner: string;
let member: string;

beforeAll(async () => {
  service = await startService();
  ({ systemToken, systemAdmin } = await initialise(service));
  tenant = await aTenant(service);
  other = await aTenant(service);
  admin = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
  ownerId = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
  owner = await tokenOf(service, tenant, ownerId, 'WORKSPACE', tenant.alpha);
  const memberId = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
  member = await tokenOf(service, tenant, memberId, 'WORKSPACE', tenant.alpha);
  for (const user_id of ['ann@x.io', 'bob@x.io']) {
    service.clock.advance(60);
    await service.call('WorkspaceUser.create', person(user_id), owner, {
      'x-request-id': `of-${user_id[0]}`,
    });
  }
  service.clock.advance(60);
  const change = { domain_id: tenant.domain_id, tags: { secret: 'tag-value' } };
  await service.call('Domain.update', change, systemAdmin);
  // Those of the sign-ins above.
  const { connection } = service.app.rooms.mongo;
  await connection
    .collection('audit_record')
    .deleteMany({ action: { $in: ['user.sign_in', 'token.grant'] } });
});
afterAll(() => service.close());

const person = (user_id: string) => ({
  user_id,
  name: 'Personal Name',
  password: 'Passw0rd!',
  auth_type: 'LOCAL',
  role_id: 'managed-workspace-member',
});
const list = (request: object = {}, token: string | undefined = admin): Promise<Answer> =>
  service.call('audit.v1.AuditService.ListRecords', request, token);
const query = (asked: object) => list({ query: asked });
const told = ({ results = [] }: Answer) =>
  results.map(({ action, target_id }: Answer) => `${action} ${target_id.split('@')[0]}`);

describe('AuditService.ListRecords', () => {
  it('answers what was done in the domain, the newest first', async () => {
    const answer = await list();
    expect(told(answer)).toEqual([
      `domain.update ${tenant.domain_id}`,
      'role.grant bob',
      'user.create bob',
      'role.grant ann',
      'user.create ann',
      'role.grant admin',
      'user.create admin',
      `domain.create ${tenant.domain_id}`,
    ]);
    expect(answer.total_count).toBe(8);
  });

  it('tells who, what, when and from where', async () => {
    const { results } = await list({ target_id: 'ann@x.io' });
    expect(results[1]).toEqual({
      record_id: expect.stringMatching(/^[0-9a-f]{24}$/),
      domain_id: tenant.domain_id,
      action: 'user.create',
      outcome: 'OUTCOME_SUCCESS',
      actor_type: 'ACTOR_TYPE_USER',
      actor_id: ownerId,
      actor_domain_id: tenant.domain_id,
      target_type: 'USER',
      target_id: 'ann@x.io',
      workspace_id: tenant.alpha,
      method: 'spaceone.api.identity.v2.WorkspaceUser/create',
      peer: '127.0.0.1',
      request_id: 'of-a',
      detail: { auth_type: 'LOCAL' },
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(results[0]).toMatchObject({
      action: 'role.grant',
      detail: {
        role_id: 'managed-workspace-member',
        role_type: 'WORKSPACE_MEMBER',
        role_binding_id: expect.stringMatching(/^rb-/),
      },
    });
  });

  it('names an administrator of the system with the domain that they belong to', async () => {
    const [changed] = (await query({ page: { limit: 1 } })).results;
    expect(changed).toMatchObject({
      action: 'domain.update',
      actor_id: ROOT_ADMIN.user_id,
      actor_domain_id: 'domain-root',
      detail: { fields: ['tags'] },
    });
  });

  it('narrows by its own parameters', async () => {
    expect(told(await list({ target_id: 'bob@x.io' }))).toEqual(['role.grant bob', 'user.create bob']);
    expect((await list({ actor_id: ownerId })).total_count).toBe(4);
    expect((await list({ actor_id: ownerId, target_id: 'bob@x.io' })).total_count).toBe(2);
    expect(await list({ target_id: 'nobody@x.io' })).toEqual({});
    expect((await list({ domain_id: tenant.domain_id })).total_count).toBe(8);
  });

  it('takes the query language: conditions, order, fields, page', async () => {
    const created = [{ k: 'action', v: 'user.create', o: 'eq' }];
    const oldest = { filter: created, sort: [{ key: 'created_at' }] };
    expect(told(await query(oldest))).toEqual(['user.create admin', 'user.create ann', 'user.create bob']);
    const page = await query({ ...oldest, page: { start: 2, limit: 1 } });
    expect(told(page)).toEqual(['user.create ann']);
    expect(page.total_count).toBe(3);
    const values = { k: 'detail.role_type', v: ['WORKSPACE_MEMBER'], o: 'in' };
    expect(told(await query({ filter: [values] }))).toEqual(['role.grant bob', 'role.grant ann']);
    expect(
      (await query({ filter: [{ k: 'outcome', v: 'OUTCOME_FAILURE', o: 'eq' }] })).results,
    ).toBeUndefined();
    const recent = { k: 'created_at', v: 'now', o: 'timediff_lte' };
    expect((await query({ filter: [recent], count_only: true })).total_count).toBe(8);
    expect(told(await query({ keyword: 'BOB' }))).toEqual(['role.grant bob', 'user.create bob']);
    const only = await query({ filter: created, only: ['target_id'], page: { limit: 1 } });
    expect(only.results).toEqual([{ target_id: 'bob@x.io', created_at: expect.any(String) }]);
    expect(Object.keys((await query({ minimal: true })).results[1]).sort()).toEqual([
      'action',
      'actor_id',
      'created_at',
      'outcome',
      'record_id',
      'target_id',
    ]);
  });

  it('parts pages without overlap, also within one millisecond', async () => {
    const ids = new Set<string>();
    for (let start = 1; start <= 8; start += 3) {
      const { results, total_count } = await query({ page: { start, limit: 3 } });
      for (const { record_id } of results) ids.add(record_id);
      expect(total_count).toBe(8);
    }
    expect(ids.size).toBe(8);
  });

  it.each([
    [{ filter: [{ k: 'expires_at', v: 'now', o: 'timediff_gt' }] }, 'ERROR_DB_QUERY'],
    [{ filter: [{ k: '_id', v: 'x', o: 'eq' }] }, 'ERROR_DB_QUERY'],
    [{ filter: [{ k: 'detail.$where', v: 'x', o: 'eq' }] }, 'ERROR_DB_QUERY'],
    [{ only: ['password'] }, 'ERROR_DB_QUERY'],
    [{ lookup: [{ from: 'user' }] }, 'ERROR_INVALID_PARAMETER'],
    [{ page: { limit: 1001 } }, 'ERROR_INVALID_PARAMETER'],
  ])('D-03: refuses a query for what is not offered: %j', async (asked, reason) => {
    expect(await refusal(query(asked))).toMatchObject({ code: status.INVALID_ARGUMENT, reason });
  });

  it('refuses ids that are none', async () => {
    const refused = await refusal(list({ target_id: 'x'.repeat(65) }));
    expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
  });

  it('refuses callers without a token', async () => {
    const refused = await refusal(service.call('audit.v1.AuditService.ListRecords'));
    expect(refused).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'ERROR_AUTHENTICATE_FAILURE' });
  });

  it('is for administrators alone', async () => {
    const user = await tokenOf(service, tenant, ownerId);
    for (const token of [member, owner, user])
      expect((await refusal(list({}, token))).code).toBe(status.PERMISSION_DENIED);
  });
});

describe('records of other domains', () => {
  it('are denied to an administrator who names the domain', async () => {
    const refused = await refusal(list({ domain_id: other.domain_id }));
    expect(refused).toMatchObject({ code: status.PERMISSION_DENIED, reason: 'ERROR_PERMISSION_DENIED' });
  });

  it('are not met by any condition', async () => {
    const named = [{ k: 'domain_id', v: other.domain_id, o: 'eq' }];
    expect(await query({ filter: named })).toEqual({});
    expect(await query({ filter_or: [...named, { k: 'target_id', v: other.domain_id, o: 'eq' }] })).toEqual(
      {},
    );
    expect(await list({ target_id: other.domain_id })).toEqual({});
  });

  it('are read by the administrators of the system: of one domain or of all', async () => {
    expect(told(await list({ domain_id: other.domain_id }, systemAdmin))).toEqual([
      'role.grant admin',
      'user.create admin',
      `domain.create ${other.domain_id}`,
    ]);
    for (const token of [systemAdmin, systemToken]) {
      const everywhere = await list({}, token);
      const domains = new Set(everywhere.results.map(({ domain_id }: Answer) => domain_id));
      expect(domains).toEqual(new Set(['domain-root', tenant.domain_id, other.domain_id]));
      expect(everywhere.total_count).toBe(everywhere.results.length);
    }
  });

  it('are left out when the system token acts for one domain', async () => {
    const acting = { x_domain_id: other.domain_id };
    const answer = await service.call('audit.v1.AuditService.ListRecords', {}, systemToken, acting);
    expect(answer.total_count).toBe(3);
  });
});
