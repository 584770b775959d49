import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { storedCounts } from '../../database.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aBinding, aRole, aTenant, aUser, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

type RoleType = 'WORKSPACE_OWNER' | 'WORKSPACE_MEMBER';
const role = (role_type: RoleType, ...permissions: string[]) =>
  aRole(service, tenant, { role_type, permissions });

/** The token of an owner of the workspace who may do no more than this. */
async function owner(...permissions: string[]): Promise<string> {
  const user = await aUser(service, tenant);
  const role_id = await role('WORKSPACE_OWNER', ...permissions);
  const binding = { workspace_id: tenant.alpha, role_type: 'WORKSPACE_OWNER' as const, role_id };
  await aBinding(service, tenant, user, binding);
  return tokenOf(service, tenant, user, 'WORKSPACE', tenant.alpha);
}

/** The same as an administrator of the domain. */
async function administrator(...permissions: string[]): Promise<string> {
  const role_id = await aRole(service, tenant, { role_type: 'DOMAIN_ADMIN', permissions });
  const user = await aUser(service, tenant, { role_type: 'DOMAIN_ADMIN', role_id });
  return tokenOf(service, tenant, user, 'WORKSPACE', tenant.alpha);
}

let count = 0;
const create = (role_id: string, token: string) =>
  service.call(
    'WorkspaceUser.create',
    { user_id: `made-${++count}`, password: PASSWORD, auth_type: 'LOCAL', role_id },
    token,
  );

const CREATE = 'identity:WorkspaceUser.create';
const LIST = 'identity:WorkspaceUser.list';

it.each<[string, () => Promise<string>]>([
  ['owns all that an owner may', () => Promise.resolve('managed-workspace-owner')],
  ['is a member without a restriction', () => Promise.resolve('managed-workspace-member')],
  ['may do something that is not theirs', () => role('WORKSPACE_OWNER', CREATE, LIST)],
  ['may do what theirs is a part of', () => role('WORKSPACE_MEMBER', 'identity:WorkspaceUser')],
  ['may do everything in words', () => role('WORKSPACE_MEMBER', '*')],
])('who may not do it gives no role that %s', async (_what, given) => {
  const role_id = await given();
  for (const token of [await owner(CREATE), await administrator(CREATE)]) {
    const before = await storedCounts(service);
    expect(await refusal(create(role_id, token))).toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'ERROR_PERMISSION_DENIED',
    });
    expect(await storedCounts(service)).toEqual(before);
  }
});

it('gives a role that may do the same or less', async () => {
  for (const token of [await owner('identity:WorkspaceUser.*'), await administrator('identity:')])
    for (const given of [
      await role('WORKSPACE_OWNER', CREATE, LIST),
      await role('WORKSPACE_MEMBER', 'identity:WorkspaceUser.*'),
    ])
      expect((await create(given, token)).role_binding_info.role_id).toBe(given);
});

it('gives every role without a restriction of their own', async () => {
  const token = await owner();
  for (const given of ['managed-workspace-owner', await role('WORKSPACE_MEMBER', CREATE, LIST)])
    expect((await create(given, token)).role_binding_info.role_id).toBe(given);
});
