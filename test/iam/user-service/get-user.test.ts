import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aTenant, aUser, opaqueId, signIn, tokenOf } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import { initialise } from '../../system.js';
import { PUBLIC_URL, startUserCalls } from '../user-calls.js';
import type { UserCalls } from '../user-calls.js';

let calls: UserCalls;
beforeAll(async () => {
  calls = await startUserCalls();
});
afterAll(() => calls.service.close());

describe('UserService.GetUser', () => {
  it('shows every field that a user can have', async () => {
    const { service, tenant } = calls;
    const user_id = await aUser(service, tenant, {
      username: 'full-user',
      description: 'Made by hand',
      default_project_id: tenant.alpha,
    });
    const id = await opaqueId(service, tenant, user_id);
    expect(await calls.get(id)).toEqual({
      id,
      name: 'full-user',
      domain_id: tenant.domain_id,
      enabled: true,
      description: 'Made by hand',
      decription: 'Made by hand',
      extra: { email: user_id },
      email: user_id,
      default_project_id: tenant.alpha,
      password_expires_at: null,
      options: {},
      links: { self: `${PUBLIC_URL}/v3/users/${id}` },
    });
  });

  it('leaves out what is not there', async () => {
    const { service, tenant } = calls;
    const user_id = await aUser(service, tenant, { email: '', state: 'PENDING' });
    const user = await calls.get(user_id);
    expect(user).toMatchObject({ name: user_id, enabled: true, password_expires_at: null });
    for (const key of ['email', 'default_project_id', 'description']) expect(user).not.toHaveProperty(key);
  });

  it('shows until when a password is good, without Z unless that is configured', async () => {
    const { service, tenant, admin } = calls;
    const user_id = await aUser(service, tenant);
    const path = 'iam.v3.UserService.GetUser';
    for (const [IAM_EXPIRY_WITH_Z, end] of [
      ['false', ''],
      ['true', 'Z'],
    ] as const) {
      const another = await service.another({ PASSWORD_VALID_DAYS: '90', IAM_EXPIRY_WITH_Z });
      const { user } = await another.call(path, { user_id }, admin);
      expect(user.password_expires_at).toMatch(
        new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}${end}$`),
      );
      await another.close();
    }
  });

  it('shows a user to themself, under either id', async () => {
    const { service, tenant } = calls;
    const user_id = await aUser(service, tenant);
    const { access_token } = await signIn(service, tenant, user_id);
    const { id } = await calls.get(user_id, access_token);
    expect(await calls.get(id, access_token)).toMatchObject({ name: user_id });
  });

  it('shows nobody else to a user, whether they exist or not', async () => {
    const { service, tenant } = calls;
    const user_id = await aUser(service, tenant);
    const { access_token } = await signIn(service, tenant, user_id);
    for (const other of [tenant.admin, 'nobody@example.com', '0'.repeat(32)]) {
      expect(await refusal(calls.get(other, access_token))).toMatchObject({
        code: status.PERMISSION_DENIED,
        text: 'You are not authorized to perform the requested action: identity:get_user.',
      });
    }
  });

  it('does not know users of another domain, whatever they are called', async () => {
    const { service, tenant } = calls;
    const other = await aTenant(service);
    const user_id = await aUser(service, other);
    const id = await opaqueId(service, other, user_id);
    const token = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    for (const ref of [user_id, id]) {
      expect(await refusal(calls.get(ref, token))).toMatchObject({
        code: status.NOT_FOUND,
        text: `Could not find user: ${ref}.`,
      });
    }
  });

  it('shows users of all domains to the system', async () => {
    const { service, tenant } = calls;
    const { systemToken, systemAdmin } = await initialise(service);
    const id = await opaqueId(service, tenant, tenant.admin);
    for (const token of [systemToken, systemAdmin])
      expect(await calls.get(id, token)).toMatchObject({ name: tenant.admin });
  });

  it('refuses a call without a token, with a broken and with a refresh token', async () => {
    const { service, tenant } = calls;
    const { refresh_token } = await signIn(service, tenant, tenant.admin);
    for (const token of [null, 'x.y.z', refresh_token]) {
      expect(await refusal(calls.get(tenant.admin, token))).toMatchObject({
        code: status.UNAUTHENTICATED,
        text: 'The request you have made requires authentication.',
      });
    }
  });
});
