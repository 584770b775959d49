import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBinding, aTenant, aUser, opaqueId, signIn, tokenOf } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import { mailedLink } from '../../mailed.js';
import { initialise } from '../../system.js';
import { startUserCalls } from '../user-calls.js';
import type { UserCalls } from '../user-calls.js';

let calls: UserCalls;
beforeAll(async () => {
  calls = await startUserCalls();
});
afterAll(() => calls.service.close());

const collection = (name: string) => calls.service.app.rooms.mongo.connection.collection(name);
const someone = (given = {}) => aUser(calls.service, calls.tenant, given);
const alphaCount = async () =>
  (await collection('workspace').findOne({ workspace_id: calls.tenant.alpha }))!['user_count'];

describe('UserService.DeleteUser', () => {
  it('removes the user and every role, group and pending thing of theirs', async () => {
    const { service, tenant } = calls;
    const { domain_id, alpha, beta } = tenant;
    await someone({ user_id: 'stays', roles: { [alpha]: 'WORKSPACE_MEMBER' } });
    const user_id = await someone({ roles: { [alpha]: 'WORKSPACE_MEMBER', [beta]: 'WORKSPACE_OWNER' } });
    await aBinding(service, tenant, user_id, { workspace_id: '*', role_type: 'WORKSPACE_MEMBER' });
    await aBinding(service, tenant, user_id, {
      workspace_id: alpha,
      role_type: 'WORKSPACE_OWNER',
      workspace_group_id: 'wg-1',
    });
    const now = new Date();
    const member = { role_id: 'managed-workspace-owner', role_type: 'WORKSPACE_OWNER' };
    await collection('workspace_group').insertOne({
      workspace_group_id: 'wg-1',
      name: 'Group',
      users: [
        { user_id, ...member },
        { user_id: 'stays', ...member },
      ],
      created_by: tenant.admin,
      domain_id,
      created_at: now,
      updated_at: now,
    });
    const { access_token } = await signIn(service, tenant, user_id);
    await service.call('UserProfile.verify_email', {}, access_token);
    await service.call('UserProfile.enable_mfa', { mfa_type: 'OTP' }, access_token);
    const id = await opaqueId(service, tenant, user_id);

    await calls.remove(id);

    for (const name of ['user', 'role_binding', 'pending_code'])
      expect(await collection(name).countDocuments({ domain_id, user_id }), name).toBe(0);
    expect(await collection('workspace').findOne({ workspace_id: alpha })).toMatchObject({ user_count: 1 });
    expect(await collection('workspace').findOne({ workspace_id: beta })).toMatchObject({ user_count: 0 });
    expect(await collection('domain').findOne({ domain_id })).toMatchObject({ wildcard_members: 0 });
    const group = await collection('workspace_group').findOne({ workspace_group_id: 'wg-1' });
    expect(group!['users']).toEqual([{ user_id: 'stays', ...member }]);
    const owner = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    const listed = await service.call('WorkspaceUser.list', { workspace_id: alpha }, owner);
    expect(listed).toMatchObject({
      total_count: 1,
      results: [expect.objectContaining({ user_id: 'stays' })],
    });
  });

  it('ends every token of the user at once', async () => {
    const { service, tenant } = calls;
    const user_id = await someone({ roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const { access_token, refresh_token } = await signIn(service, tenant, user_id);
    const member = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    await calls.remove(user_id);
    expect((await refusal(service.call('UserProfile.get', {}, access_token))).code).toBe(
      status.UNAUTHENTICATED,
    );
    expect((await refusal(service.call('WorkspaceUser.list', {}, member))).code).toBe(status.UNAUTHENTICATED);
    const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token, scope: 'USER' };
    expect((await refusal(service.call('Token.grant', grant))).code).toBe(status.UNAUTHENTICATED);
    expect((await refusal(signIn(service, tenant, user_id))).code).toBe(status.UNAUTHENTICATED);
  });

  it('kills a mailed link, also for who gets the name next', async () => {
    const { service, tenant } = calls;
    const links = collection('password_link');
    const before = await links.countDocuments();
    const invited = { user_id: 'invited-one', email: 'invited@example.com', auth_type: 'LOCAL' };
    const role = { role_id: 'managed-workspace-member', reset_password: true };
    const owner = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.alpha);
    await service.call('WorkspaceUser.create', { ...invited, ...role }, owner);
    expect(await links.countDocuments()).toBe(before + 1);
    const { token } = await mailedLink(service, invited.email);
    expect(await service.call('UserProfile.get', {}, token)).toMatchObject({ user_id: 'invited-one' });
    await calls.remove('invited-one');
    expect(await links.countDocuments()).toBe(before);
    await service.call('WorkspaceUser.create', { ...invited, ...role }, owner);
    expect((await refusal(service.call('UserProfile.get', {}, token))).code).toBe(status.UNAUTHENTICATED);
  });

  it('takes whoever is asked for twice at once out once', async () => {
    const { tenant } = calls;
    const before = await alphaCount();
    const user_id = await someone({ roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => calls.remove(user_id)));
    expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    for (const one of outcomes)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: status.NOT_FOUND });
    expect(await alphaCount()).toBe(before);
  });

  it('also removes from a workspace that is gone', async () => {
    const { tenant } = calls;
    const user_id = await someone({ roles: { [tenant.beta]: 'WORKSPACE_MEMBER' } });
    await collection('workspace').updateOne({ workspace_id: tenant.beta }, { $set: { state: 'DELETED' } });
    await calls.remove(user_id);
    expect((await refusal(calls.get(user_id))).code).toBe(status.NOT_FOUND);
  });

  it('does not know users of another domain, or nobody', async () => {
    const { service } = calls;
    const other = await aTenant(service);
    const id = await opaqueId(service, other, await aUser(service, other));
    for (const ref of [id, 'nobody@example.com', '0'.repeat(32)]) {
      expect(await refusal(calls.remove(ref))).toMatchObject({
        code: status.NOT_FOUND,
        text: `Could not find user: ${ref}.`,
      });
    }
    const { systemToken } = await initialise(service);
    expect(await calls.remove(id, systemToken)).toEqual({});
  });

  it('is for administrators, who cannot remove themselves', async () => {
    const { service, tenant } = calls;
    const user_id = await someone();
    const { access_token } = await signIn(service, tenant, user_id);
    const denied = {
      code: status.PERMISSION_DENIED,
      text: 'You are not authorized to perform the requested action: identity:delete_user.',
    };
    for (const ref of [user_id, tenant.admin, 'nobody'])
      expect(await refusal(calls.remove(ref, access_token))).toMatchObject(denied);
    expect(await refusal(calls.remove(tenant.admin))).toMatchObject(denied);
    expect((await refusal(calls.remove(user_id, null))).code).toBe(status.UNAUTHENTICATED);
    expect(await calls.get(user_id)).toMatchObject({ name: user_id });
  });

  it('asks for an id', async () => {
    expect(await refusal(calls.remove(''))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      text: "'user_id' is a required property",
    });
  });
});
