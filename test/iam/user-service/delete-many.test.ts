import { afterAll, beforeAll, expect, it } from 'vitest';
import { aUser } from '../../fixtures.js';
import { startUserCalls } from '../user-calls.js';
import type { UserCalls } from '../user-calls.js';

let calls: UserCalls;
beforeAll(async () => {
  calls = await startUserCalls();
});
afterAll(() => calls.service.close());

it('many members of two workspaces are removed at once while others are made, and every one is counted', async () => {
  const { service, tenant, admin } = calls;
  const { alpha, beta } = tenant;
  const ids: string[] = [];
  for (let index = 0; index < 120; index += 1) {
    const roles =
      index % 2
        ? { [alpha]: 'WORKSPACE_MEMBER' }
        : { [beta]: 'WORKSPACE_MEMBER', [alpha]: 'WORKSPACE_MEMBER' };
    ids.push(await aUser(service, tenant, { user_id: `leaves-${index}`, roles: roles as never }));
  }
  const owner = await service.call('Token.grant', {
    grant_type: 'REFRESH_TOKEN',
    scope: 'WORKSPACE',
    workspace_id: alpha,
    token: (
      await service.call('Token.issue', {
        credentials: { user_id: tenant.admin, password: 'Passw0rd!' },
        auth_type: 'LOCAL',
        domain_id: tenant.domain_id,
      })
    ).refresh_token,
  });
  const role_id = 'managed-workspace-member';
  const joining = Array.from({ length: 10 }, (_, index) =>
    service.call(
      'WorkspaceUser.create',
      { user_id: `joins-${index}`, auth_type: 'LOCAL', password: 'Passw0rd!', role_id },
      owner.access_token,
    ),
  );
  const outcomes = await Promise.allSettled([...joining, ...ids.map((id) => calls.remove(id, admin))]);
  expect(outcomes.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))).toEqual([]);
  const workspaces = service.app.rooms.mongo.connection.collection('workspace');
  expect(await workspaces.findOne({ workspace_id: alpha })).toMatchObject({ user_count: 10 });
  expect(await workspaces.findOne({ workspace_id: beta })).toMatchObject({ user_count: 0 });
});
