import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { initialise } from '../../system.js';
import type { Answer } from '../../wire-client.js';

let service: Service;
let tenant: Tenant;
let other: Tenant;
let systemAdmin: string;
let admin: string;

beforeAll(async () => {
  service = await startService();
  ({ systemAdmin } = await initialise(service));
  tenant = await aTenant(service);
  other = await aTenant(service);
  admin = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
  for (const name of ['one', 'two', 'three'])
    await service.call('Domain.update', { domain_id: tenant.domain_id, name }, systemAdmin);
  // Those of the sign-ins above.
  const { connection } = service.app.rooms.mongo;
  await connection
    .collection('audit_record')
    .deleteMany({ action: { $in: ['user.sign_in', 'token.grant'] } });
});
afterAll(() => service.close());

const stat = (
  asked: object | undefined,
  token: string | undefined = admin,
  more: object = {},
): Promise<Answer> =>
  service.call('audit.v1.AuditService.StatRecords', { ...(asked ? { query: asked } : {}), ...more }, token);
const byAction = {
  aggregate: [
    {
      group: {
        keys: [{ key: 'action', name: 'action' }],
        fields: [{ name: 'records', operator: 'count' }],
      },
    },
    { sort: [{ key: 'action' }] },
  ],
};

describe('AuditService.StatRecords', () => {
  it('groups and counts the records of the domain', async () => {
    expect(await stat(byAction)).toEqual({
      results: [
        { action: 'domain.create', records: 1 },
        { action: 'domain.update', records: 3 },
        { action: 'role.grant', records: 1 },
        { action: 'user.create', records: 1 },
      ],
    });
  });

  it('answers distinct values, and their number with a page', async () => {
    expect(await stat({ distinct: 'target_type' })).toEqual({ results: ['DOMAIN', 'USER'] });
    expect(await stat({ distinct: 'action', page: { limit: 1 } })).toEqual({
      results: ['domain.create'],
      total_count: 4,
    });
  });

  it('narrows by filters and by a keyword', async () => {
    const filter = [{ k: 'target_type', v: 'DOMAIN', o: 'eq' }];
    expect((await stat({ ...byAction, filter })).results).toHaveLength(2);
    expect((await stat({ ...byAction, keyword: 'GRANT' })).results).toEqual([
      { action: 'role.grant', records: 1 },
    ]);
  });

  it('D-04: refuses fields that are not offered', async () => {
    const refused = await refusal(stat({ distinct: 'expires_at' }));
    expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_DB_QUERY' });
  });

  it.each([[undefined], [{}]])('asks for what to aggregate: %j', async (asked) => {
    expect(await refusal(stat(asked))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
    });
  });

  it('refuses callers without a token, and those who administer nothing', async () => {
    const anonymous = service.call('audit.v1.AuditService.StatRecords', { query: byAction });
    expect((await refusal(anonymous)).code).toBe(status.UNAUTHENTICATED);
    const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const owner = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    expect((await refusal(stat(byAction, owner))).code).toBe(status.PERMISSION_DENIED);
  });

  it('tells nothing of other domains, but to the administrators of the system', async () => {
    const elsewhere = { domain_id: other.domain_id };
    expect((await refusal(stat(byAction, admin, elsewhere))).code).toBe(status.PERMISSION_DENIED);
    expect((await stat({ distinct: 'domain_id' })).results).toEqual([tenant.domain_id]);
    expect((await stat({ distinct: 'domain_id' }, systemAdmin, elsewhere)).results).toEqual([
      other.domain_id,
    ]);
    expect((await stat({ distinct: 'domain_id' }, systemAdmin)).results).toHaveLength(3);
  });
});
