import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { ROOT_ADMIN } from '../system.js';
import type { Answer } from '../wire-client.js';

let service: Service;
let tenant: Tenant;
let systemToken: string;

const account = { user_id: 'boss@example.com', name: 'Boss', password: PASSWORD };
const DAY_MS = 86_400_000;

beforeAll(async () => {
  service = await startService();
  systemToken = (await service.call('System.init', { admin: ROOT_ADMIN })).system_token;
  tenant = await aTenant(service);
});
afterAll(() => service.close());

const stored = () => service.app.rooms.mongo.connection.collection('audit_record');

/** The records that the work leaves behind, the oldest first. */
async function recordsOf(work: () => Promise<unknown>): Promise<Answer[]> {
  const request = { query: { sort: [{ key: 'created_at' }] } };
  const all = async () =>
    (await service.call('audit.v1.AuditService.ListRecords', request, systemToken)).results as Answer[];
  const known = new Set((await all()).map(({ record_id }) => record_id));
  service.clock.advance(1);
  await work();
  return (await all()).filter(({ record_id }) => !known.has(record_id));
}

const actions = (records: Answer[]) => records.map(({ action, target_id }) => `${action} ${target_id}`);

describe('a record is made of', () => {
  it('System.init, by nobody, as nobody is known yet; anew by the system', async () => {
    const { results } = await service.call(
      'audit.v1.AuditService.ListRecords',
      { domain_id: 'domain-root', query: { sort: [{ key: 'created_at' }] } },
      systemToken,
    );
    expect(actions(results)).toEqual([
      'system.init domain-root',
      'domain.create domain-root',
      `user.create ${ROOT_ADMIN.user_id}`,
      `role.grant ${ROOT_ADMIN.user_id}`,
    ]);
    for (const one of results) expect(one.actor_type).toBe('ACTOR_TYPE_NOBODY');
    const again = await recordsOf(async () => {
      const anew = { admin: { ...ROOT_ADMIN, user_id: 'new@example.com' }, force: true };
      systemToken = (await service.call('System.init', anew, systemToken)).system_token;
    });
    expect(actions(again)).toEqual([
      'system.init domain-root',
      'user.create new@example.com',
      'role.grant new@example.com',
    ]);
    for (const one of again)
      expect(one).toMatchObject({
        actor_type: 'ACTOR_TYPE_SYSTEM',
        actor_id: ROOT_ADMIN.user_id,
        actor_domain_id: 'domain-root',
        request_id: again[0].request_id,
      });
  });

  it('every change of a domain, and of none that changes nothing', async () => {
    let domain_id = '';
    const records = await recordsOf(async () => {
      const call = (method: string, request: object) =>
        service.call(`Domain.${method}`, request, systemToken);
      ({ domain_id } = await call('create', { name: 'audited', admin: account }));
      await call('update', { domain_id, name: 'renamed', tags: { a: 1 } });
      await call('update', { domain_id });
      await call('disable', { domain_id });
      await call('enable', { domain_id });
      await call('delete', { domain_id });
    });
    expect(actions(records)).toEqual([
      `domain.create ${domain_id}`,
      'user.create boss@example.com',
      'role.grant boss@example.com',
      `domain.update ${domain_id}`,
      `domain.disable ${domain_id}`,
      `domain.enable ${domain_id}`,
      `domain.delete ${domain_id}`,
    ]);
    for (const one of records) expect(one).toMatchObject({ domain_id, outcome: 'OUTCOME_SUCCESS' });
    expect(records[2].detail).toMatchObject({ role_id: 'managed-domain-admin', role_type: 'DOMAIN_ADMIN' });
    expect(records[3].detail).toEqual({ fields: ['name', 'tags'] });
  });

  it('a password reset that is mailed, and of one that is not, with the reason', async () => {
    const { domain_id } = tenant;
    const known = await aUser(service, tenant);
    const unproven = await aUser(service, tenant, { email_verified: false });
    const asking = [known, unproven, 'Mistyped-Passw0rd'].map((user_id) => ({ user_id, domain_id }));
    const records = await recordsOf(async () => {
      for (const key of [...asking, { user_id: known, domain_id: 'domain-of-nobody' }])
        await service.call('UserProfile.reset_password', key);
      await service.app.rooms.reset.settled();
    });
    const common = {
      action: 'password.reset',
      domain_id,
      actor_type: 'ACTOR_TYPE_NOBODY',
      peer: '127.0.0.1',
      method: 'spaceone.api.identity.v2.UserProfile/reset_password',
      request_id: expect.any(String),
    };
    const failed = { ...common, outcome: 'OUTCOME_FAILURE' };
    expect(records).toHaveLength(3);
    expect(records).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...common, outcome: 'OUTCOME_SUCCESS', target_id: known }),
        expect.objectContaining({
          ...failed,
          target_id: unproven,
          reason: 'ERROR_VERIFICATION_UNAVAILABLE',
        }),
        expect.objectContaining({ ...failed, reason: 'ERROR_NOT_FOUND' }),
      ]),
    );
    expect(JSON.stringify(records)).not.toContain('Mistyped');
  });

  it('a password reset that the mail limit stops', async () => {
    const limited = await service.another({ MAIL_LIMIT_PER_HOUR: '1' });
    const key = { user_id: await aUser(service, tenant), domain_id: tenant.domain_id };
    const records = await recordsOf(async () => {
      for (let count = 0; count < 2; count += 1) {
        await limited.call('UserProfile.reset_password', key);
        await limited.app.rooms.reset.settled();
      }
    });
    await limited.close();
    expect(records.map(({ reason }) => reason)).toEqual([undefined, 'ERROR_TOO_MANY_REQUESTS']);
  });
});

describe('a change and its record', () => {
  it('do not happen when the change fails', async () => {
    const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const owner = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    const taken = { ...account, user_id, auth_type: 'LOCAL', role_id: 'managed-workspace-member' };
    const records = await recordsOf(async () => {
      await refusal(service.call('Domain.create', { name: tenant.name, admin: account }, systemToken));
      await refusal(service.call('Domain.update', { domain_id: 'domain-x', name: 'x' }, systemToken));
      await refusal(service.call('Domain.delete', { domain_id: 'domain-x' }, systemToken));
      await refusal(service.call('Domain.disable', { domain_id: 'domain-root' }, systemToken));
      await refusal(service.call('WorkspaceUser.create', taken, owner));
    });
    expect(records).toEqual([]);
  });

  it('are one for one when the same is asked for many times at once', async () => {
    const user_id = await aUser(service, tenant, { roles: { [tenant.beta]: 'WORKSPACE_OWNER' } });
    const owner = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.beta);
    const one = { ...account, auth_type: 'LOCAL', role_id: 'managed-workspace-member' };
    const records = await recordsOf(() =>
      Promise.allSettled(Array.from({ length: 8 }, () => service.call('WorkspaceUser.create', one, owner))),
    );
    expect(actions(records)).toEqual([`user.create ${one.user_id}`, `role.grant ${one.user_id}`]);
  });

  it('do not happen when the record cannot be written', async () => {
    const { domain_id } = await service.call('Domain.create', { name: 'kept', admin: account }, systemToken);
    await stored().insertOne({ domain_id, action: 'domain.update', method: 'here already' });
    // Refuses a second record of this action in this domain.
    const index = { partialFilterExpression: { action: 'domain.update', domain_id }, unique: true };
    const name = await stored().createIndex({ action: 1, domain_id: 1 }, index);
    const change = { domain_id, name: 'lost' };
    expect((await refusal(service.call('Domain.update', change, systemToken))).code).toBe(status.INTERNAL);
    await stored().dropIndex(name);
    await stored().deleteOne({ method: 'here already' });
    expect((await service.call('Domain.get', { domain_id }, systemToken)).name).toBe('kept');
  });
});

describe('records', () => {
  it('are removed by the database after AUDIT_DAYS', async () => {
    const indexes = await stored().listIndexes().toArray();
    expect(indexes).toContainEqual(
      expect.objectContaining({ key: { expires_at: 1 }, expireAfterSeconds: 0 }),
    );
    const kept = async (instance: Service) => {
      await instance.call('Domain.update', { domain_id: tenant.domain_id, tags: {} }, systemToken);
      const [newest] = await stored()
        .find({ action: 'domain.update' })
        .sort({ record_id: -1 })
        .limit(1)
        .toArray();
      return (newest!['expires_at'] - newest!['created_at']) / DAY_MS;
    };
    expect(await kept(service)).toBe(365);
    const brief = await service.another({ AUDIT_DAYS: '2' });
    expect(await kept(brief)).toBe(2);
    await brief.close();
  });

  it('hold ids alone: no password, no name of a person, no value of a changed field', async () => {
    const admin = { ...account, name: 'Personal Name', tags: { of: 'tag-of-user' } };
    const { domain_id } = await service.call('Domain.create', { name: 'quiet', admin }, systemToken);
    const tags = { of: 'tag-of-domain' };
    await service.call('Domain.update', { domain_id, name: 'quiet-name', tags }, systemToken);
    const text = JSON.stringify(await stored().find({ domain_id }).toArray());
    expect(text).toContain(account.user_id);
    expect(text).not.toMatch(/Personal Name|tag-of|quiet|Passw0rd|eyJ/);
  });
});
