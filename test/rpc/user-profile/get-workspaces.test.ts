import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aBinding, aRole, aTenant, aUser, aWorkspace, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

const GROUP = 'wg-000000000001';
const list = (token: string | undefined, request: object = {}) =>
  service.call('UserProfile.get_workspaces', request, token);
const tokenFor = async (user: string) => (await signIn(service, tenant, user)).access_token;
const names = (answer: { results?: { name: string }[] }) => (answer.results ?? []).map(({ name }) => name);
const change = (workspace_id: string, set: object) =>
  service.app.rooms.mongo.connection.collection('workspace').updateOne({ workspace_id }, { $set: set });

describe('UserProfile.get_workspaces', () => {
  it('answers the workspaces of an ordinary user with the role there', async () => {
    const user = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    await change(tenant.alpha, { reference_id: 'ref-1', tags: { team: 'one' } });
    expect(await list(await tokenFor(user))).toEqual({
      results: [
        {
          workspace_id: tenant.alpha,
          name: 'alpha',
          state: 'ENABLED',
          role_id: 'managed-workspace-owner',
          role_name: 'Workspace Owner',
          role_type: 'WORKSPACE_OWNER',
          tags: { team: 'one' },
          created_by: 'admin@example.com',
          reference_id: 'ref-1',
          domain_id: tenant.domain_id,
          created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
        },
      ],
      total_count: 1,
    });
  });

  it('answers nothing for a user without roles', async () => {
    expect(await list(await tokenFor(await aUser(service, tenant)))).toEqual({});
  });

  it('answers every workspace of the domain to an administrator, by name, with a role where there is one', async () => {
    await aTenant(service);
    await aWorkspace(service, tenant.domain_id, 'a-first');
    const { results, total_count } = await list(await tokenFor(tenant.admin));
    expect(names({ results })).toEqual(['a-first', 'alpha', 'beta']);
    expect(total_count).toBe(3);
    for (const one of results) expect(one).not.toHaveProperty('role_id');
  });

  it('leaves out workspaces that are not enabled', async () => {
    const disabled = await aWorkspace(service, tenant.domain_id, 'disabled');
    const deleted = await aWorkspace(service, tenant.domain_id, 'deleted');
    const roles = { [disabled]: 'WORKSPACE_OWNER', [deleted]: 'WORKSPACE_OWNER' } as const;
    const user = await aUser(service, tenant, { roles });
    await change(disabled, { state: 'DISABLED' });
    await change(deleted, { state: 'DELETED' });
    expect(await list(await tokenFor(user))).toEqual({});
    expect(names(await list(await tokenFor(tenant.admin)))).not.toContain('disabled');
  });

  it('D-31: answers every workspace to a user with a role for all', async () => {
    const user = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    await aBinding(service, tenant, user, { workspace_id: '*', role_type: 'WORKSPACE_MEMBER' });
    const { results } = await list(await tokenFor(user));
    expect(names({ results })).toEqual(['a-first', 'alpha', 'beta']);
    expect(results.map((one: { role_type: string }) => one.role_type)).toEqual([
      'WORKSPACE_MEMBER',
      'WORKSPACE_OWNER',
      'WORKSPACE_MEMBER',
    ]);
  });

  it('D-32: shows the better of two roles, with the name of a custom one', async () => {
    const user = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const role_id = await aRole(service, tenant, { role_type: 'WORKSPACE_OWNER', name: 'Captain' });
    await aBinding(service, tenant, user, {
      workspace_id: tenant.alpha,
      role_type: 'WORKSPACE_OWNER',
      role_id,
      workspace_group_id: GROUP,
    });
    expect((await list(await tokenFor(user))).results).toMatchObject([{ role_id, role_name: 'Captain' }]);
  });

  it('narrows to the workspaces that a group gives', async () => {
    const user = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    await aBinding(service, tenant, user, {
      workspace_id: tenant.beta,
      role_type: 'WORKSPACE_MEMBER',
      workspace_group_id: GROUP,
    });
    await change(tenant.beta, { workspace_group_id: GROUP });
    const token = await tokenFor(user);
    expect(names(await list(token))).toEqual(['alpha', 'beta']);
    expect(names(await list(token, { workspace_group_id: GROUP }))).toEqual(['beta']);
    expect(await list(token, { workspace_group_id: 'wg-ffffffffffff' })).toEqual({});
    const admin = await tokenFor(tenant.admin);
    expect(names(await list(admin, { workspace_group_id: GROUP }))).toEqual(['beta']);
    expect(await list(admin, { workspace_group_id: 'wg-ffffffffffff' })).toEqual({});
  });

  it('shows the same in the scope of a workspace', async () => {
    const user = await aUser(service, tenant, {
      roles: { [tenant.alpha]: 'WORKSPACE_MEMBER', [tenant.beta]: 'WORKSPACE_OWNER' },
    });
    const token = await tokenOf(service, tenant, user, 'WORKSPACE', tenant.alpha);
    expect(names(await list(token))).toEqual(['alpha', 'beta']);
  });

  it('refuses a group id that is too long to be one', async () => {
    const token = await tokenFor(tenant.admin);
    expect(await refusal(list(token, { workspace_group_id: 'x'.repeat(65) }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_INVALID_PARAMETER',
    });
  });

  it('refuses a call without a token', async () => {
    expect(await refusal(list(undefined))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATE_FAILURE',
    });
  });
});
