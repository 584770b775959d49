import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storedDocuments } from '../../database.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, aWorkspace, tokenOf } from '../../fixtures.js';
import type { Refusal, Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let service: Service;
let second: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  second = await service.another();
  tenant = await aTenant(service);
});
afterAll(async () => {
  await second.close();
  await service.close();
});

/** A workspace of its own with a token of its owner, so that numbers are those of one test. */
async function aTeam(name: string) {
  const workspace_id = await aWorkspace(service, tenant.domain_id, name);
  const user_id = await aUser(service, tenant, { roles: { [workspace_id]: 'WORKSPACE_OWNER' } });
  return { workspace_id, token: await tokenOf(service, tenant, user_id, 'WORKSPACE', workspace_id) };
}

const create = (user_id: string, token: string, from = service, given: object = {}) =>
  from.call(
    'WorkspaceUser.create',
    { user_id, password: PASSWORD, auth_type: 'LOCAL', role_id: 'managed-workspace-member', ...given },
    token,
  );

const failures = (outcomes: PromiseSettledResult<unknown>[]): Promise<Refusal[]> =>
  Promise.all(
    outcomes
      .filter((one) => one.status === 'rejected')
      .map(({ reason }) => refusal(Promise.reject(reason as Error))),
  );

async function stored(user_ids: string[]) {
  const { user, role_binding } = await storedDocuments(service);
  const of = (documents: object[] = []) =>
    (documents as { user_id: string }[]).filter((one) => user_ids.includes(one.user_id));
  return { users: of(user), bindings: of(role_binding) };
}

describe('WorkspaceUser.create at the same time', () => {
  it('D-23 makes exactly one user and one binding of 50 equal requests', async () => {
    const { token } = await aTeam('fifty');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => create('race@x.io', token, index % 2 ? service : second)),
    );
    const refused = await failures(outcomes);
    expect(refused).toHaveLength(49);
    for (const one of refused) {
      expect(one).toMatchObject({ code: status.ALREADY_EXISTS, reason: 'ERROR_SAVE_UNIQUE_VALUES' });
    }
    const { users, bindings } = await stored(['race@x.io']);
    expect([users.length, bindings.length]).toEqual([1, 1]);
    expect((await service.call('WorkspaceUser.list', {}, token)).total_count).toBe(2);
  });

  it('D-23 D-36 makes exactly one user of ids that differ in letter case alone', async () => {
    const { token } = await aTeam('cases');
    const ids = ['Case@x.io', 'case@x.io', 'CASE@X.IO', 'ｃase@x.io', 'cAsE@x.io', 'casE@x.io'];
    const outcomes = await Promise.allSettled([...ids, ...ids].map((id) => create(id, token)));
    const refused = await failures(outcomes);
    expect(refused.map(({ reason }) => reason)).toEqual(Array(11).fill('ERROR_SAVE_UNIQUE_VALUES'));
    const { users, bindings } = await stored(ids);
    expect([users.length, bindings.length]).toEqual([1, 1]);
  });

  it('D-23 makes one user when two workspaces want the same one', async () => {
    const teams = [await aTeam('left'), await aTeam('right')];
    const outcomes = await Promise.allSettled(teams.map(({ token }) => create('both@x.io', token)));
    expect((await failures(outcomes)).map(({ reason }) => reason)).toEqual(['ERROR_SAVE_UNIQUE_VALUES']);
    const { users, bindings } = await stored(['both@x.io']);
    expect([users.length, bindings.length]).toEqual([1, 1]);
  });

  it('D-24 counts every new user of a workspace, on several instances', async () => {
    const { token, workspace_id } = await aTeam('many');
    const ids = Array.from({ length: 30 }, (_, index) => `many${index}@x.io`);
    await Promise.all(ids.map((id, index) => create(id, token, index % 2 ? service : second)));
    const { results, total_count } = await service.call('WorkspaceUser.list', {}, token);
    expect(total_count).toBe(31);
    expect(results).toHaveLength(31);
    const { workspace } = await storedDocuments(service);
    const one = (workspace as { workspace_id: string }[]).find((row) => row.workspace_id === workspace_id);
    expect(one).toMatchObject({ user_count: 31 });
  });

  it('D-22 mails one invitation to one user of 20 equal requests', async () => {
    const { token } = await aTeam('mails');
    const given = { email: 'once@x.io', password: '', reset_password: true };
    await Promise.allSettled(Array.from({ length: 20 }, () => create('once@x.io', token, service, given)));
    await service.sink.waitFor('once@x.io');
    const { outbox } = await storedDocuments(service);
    expect(outbox).toHaveLength(1);
    expect(service.sink.mails.filter(({ to }) => to.includes('once@x.io'))).toHaveLength(1);
  });
});
