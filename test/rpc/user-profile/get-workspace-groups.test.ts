import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aBinding, aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import type { WorkspaceGroupMember } from '../../../src/models/workspace-group.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

const list = (token: string | undefined) => service.call('UserProfile.get_workspace_groups', {}, token);
const tokenFor = async (user: string, at = tenant) => (await signIn(service, at, user)).access_token;
const member = (
  user_id: string,
  role_type: 'WORKSPACE_OWNER' | 'WORKSPACE_MEMBER',
): WorkspaceGroupMember => ({
  user_id,
  role_type,
  role_id: role_type === 'WORKSPACE_OWNER' ? 'managed-workspace-owner' : 'managed-workspace-member',
});

let count = 0;
async function aGroup(name: string, users: WorkspaceGroupMember[], at = tenant): Promise<string> {
  const workspace_group_id = `wg-${String(++count).padStart(12, '0')}`;
  const now = service.clock.now();
  await service.app.rooms.models.groups.insert(
    { deadline: Date.now() + 5000 },
    {
      workspace_group_id,
      name,
      users,
      tags: { made: 'here' },
      created_by: tenant.admin,
      updated_by: tenant.admin,
      domain_id: at.domain_id,
      created_at: now,
      updated_at: now,
    },
  );
  return workspace_group_id;
}

describe('UserProfile.get_workspace_groups', () => {
  it('answers the groups that list the user, with the users and the role that comes from the group', async () => {
    const owner = await aUser(service, tenant, { name: 'Olga Owner' });
    const other = await aUser(service, tenant, { name: 'Max Member', state: 'DISABLED' });
    const users = [
      member(owner, 'WORKSPACE_OWNER'),
      member(other, 'WORKSPACE_MEMBER'),
      member('gone@example.com', 'WORKSPACE_MEMBER'),
    ];
    const workspace_group_id = await aGroup('group-1', users);
    await aGroup('group-of-others', [member(other, 'WORKSPACE_OWNER')]);
    const role = { workspace_id: tenant.beta, role_type: 'WORKSPACE_OWNER' as const, workspace_group_id };
    const binding = await aBinding(service, tenant, owner, role);
    expect(await list(await tokenFor(owner))).toEqual({
      results: [
        {
          workspace_group_id,
          name: 'group-1',
          users: [
            { ...users[0], user_name: 'Olga Owner', state: 'ENABLED' },
            { ...users[1], user_name: 'Max Member', state: 'DISABLED' },
            users[2],
          ],
          tags: { made: 'here' },
          role_binding_info: {
            role_binding_id: binding.role_binding_id,
            role_type: 'WORKSPACE_OWNER',
            resource_group: 'WORKSPACE',
            domain_id: tenant.domain_id,
            workspace_group_id,
            workspace_id: tenant.beta,
            role_id: 'managed-workspace-owner',
            user_id: owner,
            created_at: expect.stringMatching(/Z$/),
          },
          created_by: tenant.admin,
          updated_by: tenant.admin,
          domain_id: tenant.domain_id,
          created_at: expect.stringMatching(/Z$/),
          updated_at: expect.stringMatching(/Z$/),
        },
      ],
      total_count: 1,
    });
  });

  it('answers all groups of the domain to an administrator, by name', async () => {
    const other = await aTenant(service);
    await aGroup('another domain', [member(tenant.admin, 'WORKSPACE_OWNER')], other);
    await aGroup('a-group', []);
    const { results, total_count } = await list(await tokenFor(tenant.admin));
    expect(results.map((group: { name: string }) => group.name)).toEqual([
      'a-group',
      'group-1',
      'group-of-others',
    ]);
    expect(total_count).toBe(3);
    for (const group of results) expect(group).not.toHaveProperty('role_binding_info');
  });

  it('answers nothing for a user in no group', async () => {
    expect(await list(await tokenFor(await aUser(service, tenant)))).toEqual({});
  });

  it('shows no group of another domain to a user of the same id there', async () => {
    const other = await aTenant(service);
    const twin = await aUser(service, tenant, { user_id: 'twin@example.com' });
    await aUser(service, other, { user_id: twin });
    await aGroup('twins', [member(twin, 'WORKSPACE_OWNER')]);
    expect((await list(await tokenFor(twin))).total_count).toBe(1);
    expect(await list(await tokenFor(twin, other))).toEqual({});
  });

  it('refuses a call without a token', async () => {
    expect(await refusal(list(undefined))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATE_FAILURE',
    });
  });
});
