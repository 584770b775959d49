import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aBinding, aRole, aTenant, aUser, signIn, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { initialise } from '../system.js';

let service: Service;
/** An instance that learns of every change from the database. */
let other: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService({ USER_CACHE_MS: '300', DOMAIN_CACHE_MS: '300' });
  other = await service.another();
  tenant = await aTenant(service);
});
afterAll(async () => {
  await other.close();
  await service.close();
});

const TAKEN = { code: status.UNAUTHENTICATED, reason: 'ERROR_AUTHENTICATE_FAILURE' };
const DENIED = { code: status.PERMISSION_DENIED };
const list = (token: string, at = service) =>
  at.call('WorkspaceUser.list', { workspace_id: tenant.alpha }, token);
const roles = () => service.app.rooms.mongo.connection.collection('role');
const change = (role_id: string, fields: object, domain_id = tenant.domain_id) =>
  roles().updateOne({ domain_id, role_id }, { $set: fields });

/** Waits, five seconds at most, for what an instance remembers to be looked up again. */
const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 5000, interval: 50 });
const refusedSoon = (call: () => Promise<unknown>, expected: object) =>
  soon(async () => expect(await refusal(call())).toMatchObject(expected));
const answersSoon = (call: () => Promise<unknown>) =>
  soon(async () => expect(await call()).toHaveProperty('total_count'));

async function member(permissions: string[] = [], given?: string) {
  const role_id = given ?? (await aRole(service, tenant, { permissions }));
  const user_id = await aUser(service, tenant);
  const held = { workspace_id: tenant.alpha, role_type: 'WORKSPACE_MEMBER' as const, role_id };
  await aBinding(service, tenant, user_id, held);
  return { role_id, user_id, token: await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha) };
}

async function administrator(permissions: string[] = []) {
  const role_id = await aRole(service, tenant, { role_type: 'DOMAIN_ADMIN', permissions });
  return { role_id, user_id: await aUser(service, tenant, { role_type: 'DOMAIN_ADMIN', role_id }) };
}

describe('A role that is disabled', () => {
  it('ends what its tokens for a workspace are good for, on every instance, until it is enabled', async () => {
    const { role_id, user_id, token } = await member();
    for (const at of [service, other]) await list(token, at);
    await change(role_id, { state: 'DISABLED' });
    for (const at of [service, other]) await refusedSoon(() => list(token, at), TAKEN);
    const { access_token } = await signIn(service, tenant, user_id);
    expect(await service.call('UserProfile.get', {}, access_token)).toMatchObject({ user_id });
    await change(role_id, { state: 'ENABLED' });
    for (const at of [service, other]) await answersSoon(() => list(token, at));
    await roles().deleteOne({ role_id });
    for (const at of [service, other]) await refusedSoon(() => list(token, at), TAKEN);
  });

  it('ends those of an administrator for the domain and for its workspaces', async () => {
    const { role_id, user_id } = await administrator();
    const tokens = [
      await tokenOf(service, tenant, user_id, 'DOMAIN'),
      await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha),
    ];
    for (const token of tokens) await list(token);
    await change(role_id, { state: 'DISABLED' });
    for (const token of tokens) {
      await refusedSoon(() => list(token), TAKEN);
      await refusedSoon(() => service.call('UserProfile.get', {}, token), TAKEN);
      const users = await refusal(service.call('iam.v3.UserService.ListUsers', {}, token));
      expect(users.code).toBe(status.UNAUTHENTICATED);
    }
  });

  it('ends those of a system administrator', async () => {
    await initialise(service);
    const root = { ...tenant, domain_id: 'domain-root' };
    const role_id = await aRole(service, root, { role_type: 'DOMAIN_ADMIN' });
    const user_id = await aUser(service, root, { role_type: 'DOMAIN_ADMIN', role_id });
    const token = await tokenOf(service, root, user_id, 'SYSTEM');
    const read = () => service.call('Domain.get', { domain_id: tenant.domain_id }, token);
    expect(await read()).toMatchObject({ domain_id: tenant.domain_id });
    await change(role_id, { state: 'DISABLED' }, root.domain_id);
    await refusedSoon(read, TAKEN);
  });

  it('does not count while another one of its kind is enabled in the workspace', async () => {
    const { role_id, user_id, token } = await member();
    const second = await aRole(service, tenant);
    const alone = await member([], role_id);
    await list(alone.token);
    const held = { workspace_id: '*', role_type: 'WORKSPACE_MEMBER' as const, role_id: second };
    await aBinding(service, tenant, user_id, held);
    await change(role_id, { state: 'DISABLED' });
    await refusedSoon(() => list(alone.token), TAKEN);
    expect(await list(token)).toHaveProperty('total_count');
    await change(second, { state: 'DISABLED' });
    await refusedSoon(() => list(token), TAKEN);
  });
});

describe('A role whose permissions change', () => {
  it('narrows the tokens of before, and gives them back what they had', async () => {
    const { role_id, token } = await member();
    await list(token);
    await change(role_id, { permissions: ['identity:UserProfile'] });
    await refusedSoon(() => list(token), DENIED);
    expect(await service.call('UserProfile.get', {}, token)).toHaveProperty('user_id');
    await change(role_id, { permissions: [] });
    await answersSoon(() => list(token));
  });

  it.each([
    [['identity:WorkspaceUser.*'], ['identity:WorkspaceUser.read', 'identity:Domain'], true],
    [['identity:WorkspaceUser.read'], ['*'], true],
    [['identity:User*'], ['identity:User*', 'identity:WorkspaceUser'], false],
    [['identity:UserProfile'], ['identity:WorkspaceUser'], false],
    [['identity:UserProfile'], [], false],
  ])('from %j to %j leaves an old token what is in both', async (before, after, lists) => {
    const { role_id, user_id, token } = await member(before);
    await change(role_id, { permissions: after });
    // From then on the instance has the role as it is now.
    const fresh = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    expect(await list(fresh)).toHaveProperty('total_count');
    if (lists) expect(await list(token)).toHaveProperty('total_count');
    else expect(await refusal(list(token))).toMatchObject(DENIED);
  });

  it('counts at once for a token that is granted after it', async () => {
    const { role_id, user_id, token } = await member(['identity:UserProfile']);
    expect(await refusal(list(token))).toMatchObject(DENIED);
    await change(role_id, { permissions: ['identity:WorkspaceUser'] });
    const fresh = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    expect(await list(fresh)).toHaveProperty('total_count');
  });

  it('leaves the token of a sign-in what it is', async () => {
    const role_id = await aRole(service, tenant, { role_type: 'DOMAIN_ADMIN', permissions: ['-'] });
    const user_id = await aUser(service, tenant, {
      role_type: 'DOMAIN_ADMIN',
      role_id,
      required_actions: ['UPDATE_PASSWORD'],
    });
    const { access_token } = await signIn(service, tenant, user_id);
    expect(await service.call('UserProfile.get', {}, access_token)).toMatchObject({ user_id });
    expect(await refusal(service.call('iam.v3.UserService.ListUsers', {}, access_token))).toMatchObject(
      DENIED,
    );
  });
});

describe('What a role is looked up for', () => {
  it('is no call on the own account, and one of many for a workspace', async () => {
    const { user_id, token } = await member();
    const { access_token } = await signIn(service, tenant, user_id);
    const looked: unknown[] = [];
    const patient = await service.another({
      USER_CACHE_MS: '5000',
      DOMAIN_CACHE_MS: '5000',
      MONGODB_URI: monitored(service.databaseUri),
    });
    patient.app.rooms.mongo.connection
      .getClient()
      .on('commandStarted', ({ command }) => void (command['find'] === 'role' && looked.push(command)));
    await Promise.all([1, 2, 3].map(() => patient.call('UserProfile.get', {}, access_token)));
    expect(looked).toEqual([]);
    await list(token, patient);
    for (let index = 0; index < 5; index += 1) await list(token, patient);
    expect(looked).toHaveLength(1);
    await patient.close();
  });
});

function monitored(databaseUri: string): string {
  const uri = new URL(databaseUri);
  uri.searchParams.set('monitorCommands', 'true');
  return uri.href;
}
