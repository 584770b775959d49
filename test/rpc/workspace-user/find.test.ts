import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aBinding, aRole, aTenant, aUser, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { WireClient } from '../../wire-client.js';

let service: Service;
let tenant: Tenant;
let owner: string;
let member: string;
let admin: string;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  const ownerId = await aUser(service, tenant, {
    user_id: 'olga@x.io',
    roles: { [tenant.alpha]: 'WORKSPACE_OWNER' },
  });
  const memberId = await aUser(service, tenant, {
    user_id: 'in-alpha@x.io',
    name: 'Candice Inside',
    roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' },
  });
  owner = await tokenOf(service, tenant, ownerId, 'WORKSPACE', tenant.alpha);
  member = await tokenOf(service, tenant, memberId, 'WORKSPACE', tenant.alpha);
  admin = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
  await aUser(service, tenant, { user_id: 'carl@x.io', name: 'Carl Candidate' });
  await aUser(service, tenant, { user_id: 'anna@x.io', name: 'Änna (CANDI) .*', state: 'PENDING' });
  await aUser(service, tenant, {
    user_id: 'candida@x.io',
    name: '',
    auth_type: 'EXTERNAL',
    state: 'DISABLED',
  });
  await aUser(service, tenant, {
    user_id: 'in-beta@x.io',
    name: 'Cand Beta',
    roles: { [tenant.beta]: 'WORKSPACE_OWNER' },
  });
  const other = await aTenant(service);
  await aUser(service, other, { user_id: 'candy@x.io', name: 'Candy Stranger' });
});
afterAll(() => service.close());

const find = (given: object, token: string | undefined = owner) =>
  service.call('WorkspaceUser.find', given, token);
const ids = async (given: object, token?: string): Promise<string[]> =>
  ((await find(given, token)).results ?? []).map(({ user_id }: { user_id: string }) => user_id);

describe('WorkspaceUser.find', () => {
  it('answers who of the domain is not in the workspace yet, by user id', async () => {
    expect(await find({ keyword: 'cand' })).toEqual({
      results: [
        { user_id: 'anna@x.io', name: 'Änna (CANDI) .*', state: 'PENDING', auth_type: 'LOCAL' },
        { user_id: 'candida@x.io', state: 'DISABLED', auth_type: 'EXTERNAL' },
        { user_id: 'carl@x.io', name: 'Carl Candidate', state: 'ENABLED', auth_type: 'LOCAL' },
        { user_id: 'in-beta@x.io', name: 'Cand Beta', state: 'ENABLED', auth_type: 'LOCAL' },
      ],
      total_count: 4,
    });
  });

  it('answers members of the workspace the same as owners', async () => {
    expect(await find({ keyword: 'cand' }, member)).toEqual(await find({ keyword: 'cand' }));
  });

  it('searches for the whole keyword, literally, in user id and name and in any letter case', async () => {
    expect(await ids({ keyword: 'CARL CAND' })).toEqual(['carl@x.io']);
    expect(await ids({ keyword: 'cand carl' })).toEqual([]);
    expect(await ids({ keyword: '.*' })).toEqual(['anna@x.io']);
    expect(await ids({ keyword: '.*([' })).toEqual([]);
    expect(await ids({ keyword: '$where' })).toEqual([]);
    expect(await ids({ keyword: ' carl@ ' })).toEqual(['carl@x.io']);
  });

  it('answers an empty page when nobody fits', async () => {
    expect(await find({ keyword: 'nobody-at-all' })).toEqual({});
  });

  it('D-30 fills and honours the authentication type', async () => {
    expect(await find({ keyword: 'x.io', auth_type: 'EXTERNAL' })).toEqual({
      results: [{ user_id: 'candida@x.io', state: 'DISABLED', auth_type: 'EXTERNAL' }],
      total_count: 1,
    });
  });

  it('narrows by state', async () => {
    expect(await ids({ keyword: 'x.io', state: 'ENABLED' })).toEqual(['carl@x.io', 'in-beta@x.io']);
    expect(await ids({ keyword: 'x.io', state: 'PENDING' })).toEqual(['anna@x.io']);
  });

  it('answers the page that is asked for, with the number of all', async () => {
    const page = (start: number, limit: number) => find({ keyword: 'cand', page: { start, limit } });
    expect(await page(1, 2)).toMatchObject({
      results: [{ user_id: 'anna@x.io' }, { user_id: 'candida@x.io' }],
      total_count: 4,
    });
    expect(await page(4, 2)).toMatchObject({ results: [{ user_id: 'in-beta@x.io' }], total_count: 4 });
    expect(await page(1000, 10)).toEqual({ total_count: 4 });
  });

  it('D-31 leaves out who has a role in all workspaces', async () => {
    const everywhere = await aUser(service, tenant, { user_id: 'wild@x.io', name: 'Wild Card' });
    expect(await ids({ keyword: 'wild' })).toEqual([everywhere]);
    await aBinding(service, tenant, everywhere, { workspace_id: '*', role_type: 'WORKSPACE_MEMBER' });
    expect(await ids({ keyword: 'wild' })).toEqual([]);
  });

  it('D-39 wants a keyword, so that nobody pages through the whole domain', async () => {
    for (const keyword of ['', '   ']) {
      const refused = await refusal(find({ keyword, state: 'ENABLED' }));
      expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_REQUIRED_PARAMETER' });
      expect(refused.text).toContain('(key = keyword)');
    }
  });

  it('D-39 answers everybody without a keyword where that is configured', async () => {
    const open = await service.another({ FIND_WITHOUT_KEYWORD: 'true' });
    const { results, total_count } = await open.call('WorkspaceUser.find', { state: 'ENABLED' }, owner);
    expect(results.map((one: { user_id: string }) => one.user_id)).toContain(tenant.admin);
    expect(total_count).toBe(results.length);
    await open.close();
  });

  it('D-39 takes the read or the write permission, and no other', async () => {
    const token = async (permission: string) => {
      const role_id = await aRole(service, tenant, { permissions: [permission] });
      const user_id = await aUser(service, tenant);
      await aBinding(service, tenant, user_id, {
        workspace_id: tenant.alpha,
        role_type: 'WORKSPACE_MEMBER',
        role_id,
      });
      return tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    };
    expect(await ids({ keyword: 'carl' }, await token('identity:WorkspaceUser.read'))).toEqual(['carl@x.io']);
    expect(await ids({ keyword: 'carl' }, await token('identity:WorkspaceUser.write'))).toEqual([
      'carl@x.io',
    ]);
    const refused = await refusal(find({ keyword: 'carl' }, await token('identity:UserProfile')));
    expect(refused).toMatchObject({ code: status.PERMISSION_DENIED, reason: 'ERROR_PERMISSION_DENIED' });
  });

  it('D-40 caps the page of a client that sends it under the number it had before', async () => {
    const capped = await service.another({ PAGE_LIMIT: '2' });
    // keyword = 1 "cand"; page in field 3, where auth_type is now: start 1, limit 1.
    const old = Buffer.from([10, 4, 0x63, 0x61, 0x6e, 0x64, 26, 4, 8, 1, 16, 1]);
    const client = new WireClient(capped.address);
    const answer = await client.callWithBytes('WorkspaceUser.find', old, owner);
    expect(answer.results).toHaveLength(2);
    expect(answer.total_count).toBe(4);
    client.close();
    await capped.close();
  });

  it.each<[string, object, string]>([
    ['a page beyond the limit', { keyword: 'a', page: { limit: 1001 } }, 'page.limit'],
    ['a long keyword', { keyword: 'k'.repeat(257) }, 'keyword'],
    ['a keyword with a control character', { keyword: 'a\u0000b' }, 'keyword'],
  ])('refuses %s', async (_what, given, key) => {
    const refused = await refusal(find(given));
    expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
    expect(refused.text).toContain(`(key = ${key}`);
  });

  it('takes the workspace of the token, and of the request from an administrator', async () => {
    expect(await ids({ keyword: 'in-', workspace_id: tenant.beta })).toEqual(['in-beta@x.io']);
    expect(await ids({ keyword: 'in-', workspace_id: tenant.beta }, admin)).toEqual(['in-alpha@x.io']);
    const refused = await refusal(find({ keyword: 'in-' }, admin));
    expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_REQUIRED_PARAMETER' });
    expect(refused.text).toContain('(key = workspace_id)');
  });

  it('P16: does not find a workspace that is unknown or of another domain', async () => {
    const other = await aTenant(service);
    for (const workspace_id of ['workspace-000000000000', other.alpha]) {
      const refused = await refusal(find({ keyword: 'a', workspace_id }, admin));
      expect(refused).toMatchObject({ code: status.NOT_FOUND, reason: 'ERROR_NOT_FOUND' });
      expect(refused.text).toContain(workspace_id);
    }
  });

  it('refuses a call without a token, and a token without a workspace role', async () => {
    const refused = await refusal(service.call('WorkspaceUser.find', { keyword: 'a' }));
    expect(refused).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'ERROR_AUTHENTICATE_FAILURE' });
    const user = await tokenOf(service, tenant, 'carl@x.io', 'USER');
    expect((await refusal(find({ keyword: 'a' }, user))).code).toBe(status.PERMISSION_DENIED);
  });
});
