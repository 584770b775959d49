import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aUser, opaqueId } from '../../fixtures.js';
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
});
