import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aTenant, aUser, opaqueId } from '../fixtures.js';
import type { Tenant } from '../fixtures.js';
import { refusal } from '../harness.js';
import { initialise } from '../system.js';
import { startUserCalls } from './user-calls.js';
import type { UserCalls } from './user-calls.js';

let calls: UserCalls;
let system: { systemToken: string; systemAdmin: string };
let gone: Tenant;
let id: string;
beforeAll(async () => {
  calls = await startUserCalls();
  const { service } = calls;
  system = await initialise(service);
  gone = await aTenant(service);
  for (let index = 0; index < 30; index += 1) await aUser(service, gone, { user_id: `gone-${index}` });
  id = await opaqueId(service, gone, gone.admin);
  await service.call('Domain.delete', { domain_id: gone.domain_id }, system.systemToken);
});
afterAll(() => calls.service.close());

it('takes its projects with it, for the system too', async () => {
  const { systemAdmin, systemToken } = system;
  const ask = (method: string, request: object, token: string) =>
    calls.service.call(`iam.v3.ProjectService.${method}`, request, token);
  for (const token of [systemAdmin, systemToken]) {
    const { code, text } = await refusal(ask('GetProject', { project_id: gone.alpha }, token));
    expect({ code, text }).toEqual({
      code: status.NOT_FOUND,
      text: `Could not find project: ${gone.alpha}.`,
    });
    for (const scope of [{ domain_id: gone.domain_id }, { parent_id: gone.domain_id }])
      expect(await ask('ListProjects', scope, token)).not.toHaveProperty('projects');
    const { projects } = await ask('ListProjects', {}, token);
    const domains = (projects as { domain_id: string }[]).map(({ domain_id }) => domain_id);
    expect(domains).toEqual([calls.tenant.domain_id, calls.tenant.domain_id]);
  }
});

describe('Users of a deleted domain', () => {
  const ways: [string, () => Promise<unknown>][] = [
    ['GET /v3/users', () => calls.get(id, system.systemAdmin)],
    ['PATCH', () => calls.update(id, { description: 'x' }, system.systemAdmin)],
    ['DELETE', () => calls.remove(id, system.systemToken)],
    [
      'OS-USER',
      () => calls.service.call('iam.v3.OsUserService.ShowUser', { user_id: id }, system.systemAdmin),
    ],
    ['CSMS', () => calls.service.call('csms.v1.UserService.GetUser', { user_id: id }, system.systemToken)],
  ];
  it.each(ways)('are not there for the system either: %s', async (_, call) => {
    expect(await refusal(call())).toMatchObject({
      code: status.NOT_FOUND,
      text: `Could not find user: ${id}.`,
    });
  });

  it('are not there by their user_id, for who acts for the domain', async () => {
    const call = calls.service.call(
      'iam.v3.UserService.GetUser',
      { user_id: gone.admin },
      system.systemToken,
      { x_domain_id: gone.domain_id },
    );
    expect((await refusal(call)).code).toBe(status.NOT_FOUND);
  });

  it('are in no list: neither of that domain, nor of all, nor by name', async () => {
    const { systemAdmin } = system;
    for (const domain_id of [gone.domain_id, 'domain-0'])
      expect(await calls.list({ domain_id }, systemAdmin)).not.toHaveProperty('users');
    expect(await calls.list({ name: 'gone-7' }, systemAdmin)).not.toHaveProperty('users');
    expect((await calls.list({ name: gone.admin }, systemAdmin)).users).toHaveLength(1);
  });

  it('leave no page short and none empty', async () => {
    for (let index = 0; index < 7; index += 1) await aUser(calls.service, calls.tenant);
    for (const limit of [1, 4]) {
      const seen = [];
      for (let marker: string | undefined; ;) {
        const { users, next } = await calls.list(
          { limit, ...(marker ? { marker } : {}) },
          system.systemAdmin,
        );
        seen.push(...(users as { id: string; domain_id: string }[]));
        if (!next) break;
        expect(users).toHaveLength(limit);
        marker = new URL(next as string).searchParams.get('marker')!;
      }
      // Those seven, the administrator of the domain and of the root domain.
      expect(seen).toHaveLength(9);
      expect(seen.map(({ id }) => id)).toEqual([...new Set(seen.map(({ id }) => id))].sort());
      expect(seen.map(({ domain_id }) => domain_id)).not.toContain(gone.domain_id);
    }
  });
});
