import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, aUser, opaqueId, signIn } from '../fixtures.js';
import { refusal } from '../harness.js';
import { detailCalls, startUserCalls } from '../iam/user-calls.js';
import type { UserCalls } from '../iam/user-calls.js';
import { ROOT_ADMIN } from '../system.js';
import { actions, recorder } from './recorded.js';

let calls: UserCalls;
let recordsOf: ReturnType<typeof recorder>;

beforeAll(async () => {
  calls = await startUserCalls();
  const { system_token } = await calls.service.call('System.init', { admin: ROOT_ADMIN });
  recordsOf = recorder(calls.service, system_token);
});
afterAll(() => calls.service.close());

const byAdmin = (action: string, target_id: string) => ({
  action,
  target_id,
  target_type: 'USER',
  domain_id: calls.tenant.domain_id,
  actor_id: calls.tenant.admin,
  actor_type: 'ACTOR_TYPE_USER',
  outcome: 'OUTCOME_SUCCESS',
  peer: '127.0.0.1',
  request_id: expect.any(String),
});

describe('An administrator at OpenStack Identity', () => {
  it('makes, changes, renames, disables, enables and removes a user: each is recorded', async () => {
    let id = '';
    const change = (user: object) => recordsOf(() => calls.update(id, user));
    const made = await recordsOf(async () => {
      const given = { name: 'recorded', password: PASSWORD, email: 'recorded@example.com' };
      ({ id } = await calls.create(given));
    });
    expect(made).toMatchObject([byAdmin('user.create', 'recorded')]);
    expect(await change({ description: 'described', default_project_id: 'project-1' })).toMatchObject([
      { ...byAdmin('user.update', 'recorded'), detail: { fields: ['description', 'default_project_id'] } },
    ]);
    expect(await change({ description: null })).toMatchObject([{ detail: { fields: ['description'] } }]);
    expect(await change({ name: 'renamed' })).toMatchObject([byAdmin('user.rename', 'recorded')]);
    expect(await change({ enabled: false })).toMatchObject([byAdmin('user.disable', 'recorded')]);
    expect(await change({ enabled: true })).toMatchObject([byAdmin('user.enable', 'recorded')]);
    expect(await change({ password: 'Newpass1!' })).toMatchObject([
      { ...byAdmin('password.change', 'recorded'), detail: { way: 'ADMINISTRATOR' } },
    ]);
    const all = await change({ name: 'again', enabled: false, description: 'x', password: 'Newpass2!' });
    expect(actions(all)).toEqual(['user.update', 'user.rename', 'user.disable', 'password.change']);
    expect(new Set(all.map(({ request_id }) => request_id)).size).toBe(1);
    expect(await change({ name: 'again', enabled: false })).toEqual([]);
    expect(await recordsOf(() => calls.remove(id))).toMatchObject([byAdmin('user.delete', 'recorded')]);
  });

  it('sets details, address and the demand for a password through OS-USER: each is recorded', async () => {
    const { domain_id } = calls.tenant;
    const detail = detailCalls(calls);
    let id = '';
    const change = (user: object) => recordsOf(() => detail.update(id, user));
    const made = await recordsOf(async () => {
      ({ id } = await detail.create({ name: 'detailed', domain_id, password: PASSWORD, pwd_status: true }));
    });
    expect(made).toMatchObject([byAdmin('user.create', 'detailed')]);
    const number = { areacode: '0049', phone: '15112345678' };
    expect(await change({ ...number, pwd_status: false })).toMatchObject([
      { ...byAdmin('user.update', 'detailed'), detail: { fields: ['areacode', 'phone', 'pwd_status'] } },
    ]);
    expect(await change({ email: 'detailed@example.com' })).toMatchObject([
      byAdmin('email.change', 'detailed'),
    ]);
    expect(await change({ ...number, pwd_status: false, email: 'detailed@example.com' })).toEqual([]);
    const pair = { xuser_type: 'TenantIdp', xuser_id: 'x' };
    const all = await change({ ...pair, name: 'again2', enabled: false, email: '', password: 'Newpass1!' });
    expect(all[0]).toMatchObject({ detail: { fields: ['xuser_type', 'xuser_id'] } });
    expect(actions(all)).toEqual([
      'user.update',
      'user.rename',
      'user.disable',
      'email.change',
      'password.change',
    ]);
    expect(await recordsOf(() => refusal(change({ email: 'x@example.com', phone: '1' })))).toEqual([]);
  });

  it('takes every role with the user', async () => {
    const { service, tenant } = calls;
    const roles = { [tenant.alpha]: 'WORKSPACE_OWNER', [tenant.beta]: 'WORKSPACE_MEMBER' } as const;
    const user_id = await aUser(service, tenant, { roles });
    const id = await opaqueId(service, tenant, user_id);
    const [gone, ...taken] = await recordsOf(() => calls.remove(id));
    expect(gone).toMatchObject(byAdmin('user.delete', user_id));
    expect(taken).toMatchObject([
      {
        ...byAdmin('role.revoke', user_id),
        workspace_id: tenant.alpha,
        request_id: gone!.request_id,
        detail: {
          role_id: 'managed-workspace-owner',
          role_type: 'WORKSPACE_OWNER',
          role_binding_id: expect.stringMatching(/^rb-/),
        },
      },
      { ...byAdmin('role.revoke', user_id), workspace_id: tenant.beta },
    ]);
    expect(taken).toHaveLength(2);
  });

  it('takes the role of another administrator with them', async () => {
    const { service, tenant } = calls;
    const admin = { role_type: 'DOMAIN_ADMIN' as const, role_id: 'managed-domain-admin' };
    const user_id = await aUser(service, tenant, admin);
    const id = await opaqueId(service, tenant, user_id);
    expect(await recordsOf(() => calls.remove(id))).toMatchObject([
      byAdmin('user.delete', user_id),
      { ...byAdmin('role.revoke', user_id), workspace_id: '*', detail: admin },
    ]);
  });

  it('leaves no record of what is refused', async () => {
    const { service, tenant } = calls;
    const user_id = await aUser(service, tenant);
    const id = await opaqueId(service, tenant, user_id);
    const own = await opaqueId(service, tenant, tenant.admin);
    const { access_token } = await signIn(service, tenant, user_id);
    const records = await recordsOf(async () => {
      await refusal(calls.create({ name: user_id }));
      await refusal(calls.update(id, { name: tenant.admin }));
      await refusal(calls.update(id, { password: PASSWORD }));
      await refusal(calls.update(id, { enabled: false }, access_token));
      await refusal(calls.update(own, { enabled: false }));
      await refusal(calls.remove(own));
      await refusal(calls.remove('0123456789abcdef0123456789abcdef'));
    });
    expect(records).toEqual([]);
  });

  it('removes a user once, and so is the record, when asked many times at once', async () => {
    const { service, tenant } = calls;
    const id = await opaqueId(service, tenant, await aUser(service, tenant));
    const records = await recordsOf(() =>
      Promise.allSettled(Array.from({ length: 6 }, () => calls.remove(id))),
    );
    expect(actions(records)).toEqual(['user.delete']);
  });
});
