import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, opaqueId, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedCode, mailedLink } from '../../mailed.js';

const PUBLIC_URL = 'https://identity.example.com';
const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,3}$/;

let service: Service;
let tenant: Tenant;
let admin: string;

beforeAll(async () => {
  service = await startService({ PUBLIC_URL, USER_CACHE_MS: '0' });
  tenant = await aTenant(service);
  ({ access_token: admin } = await signIn(service, tenant, tenant.admin));
});
afterAll(() => service.close());

const show = async (user_id: string, token: string | undefined = admin) =>
  (await service.call('iam.v3.OsUserService.ShowUser', { user_id }, token)).user;

const own = async (user_id: string, password = PASSWORD) =>
  (await signIn(service, tenant, user_id, password)).access_token;

describe('OsUserService.ShowUser', () => {
  it('shows every field that a user can have', async () => {
    const user_id = await aUser(service, tenant, {
      id: '093f75808b8089ba1f6dc000c7cac0de',
      username: 'autotest1',
      description: 'Made by hand',
      areacode: '0049',
      phone: '15112345678',
      xuser_id: 'ext-1',
      xuser_type: 'TenantIdp',
      required_actions: ['UPDATE_PASSWORD'],
      created_at: new Date('2020-07-08T02:19:03.000Z'),
      updated_at: new Date('2020-07-09T12:00:00.250Z'),
      last_accessed_at: new Date('2020-07-10T23:59:59.999Z'),
    });
    expect(await show(user_id)).toEqual({
      id: '093f75808b8089ba1f6dc000c7cac0de',
      name: 'autotest1',
      domain_id: tenant.domain_id,
      enabled: true,
      description: 'Made by hand',
      email: user_id,
      areacode: '0049',
      phone: '0049-15112345678',
      xuser_id: 'ext-1',
      xuser_type: 'TenantIdp',
      pwd_status: true,
      pwd_strength: 'Low',
      create_time: '2020-07-08 02:19:03.0',
      update_time: '2020-07-09 12:00:00.25',
      last_login_time: '2020-07-10 23:59:59.999',
      password_expires_at: null,
      links: {
        self: `${PUBLIC_URL}/v3.0/OS-USER/users/093f75808b8089ba1f6dc000c7cac0de`,
        previous: null,
        next: null,
      },
    });
  });

  it('shows a user of whom little is known', async () => {
    const user_id = await aUser(service, tenant, { user_id: 'bare-user' });
    const id = await opaqueId(service, tenant, user_id);
    // Here without what is empty or false; over REST those are there too.
    expect(await show(user_id)).toEqual({
      id,
      name: 'bare-user',
      domain_id: tenant.domain_id,
      enabled: true,
      phone: '-',
      pwd_strength: 'Low',
      create_time: expect.stringMatching(TIME),
      update_time: null,
      last_login_time: null,
      password_expires_at: null,
      links: { self: `${PUBLIC_URL}/v3.0/OS-USER/users/${id}`, previous: null, next: null },
    });
  });

  it('shows a number without a country code as it is', async () => {
    expect(await show(await aUser(service, tenant, { phone: '15112345678' }))).toMatchObject({
      phone: '15112345678',
    });
  });

  it('knows the administrator of the domain', async () => {
    expect(await show(tenant.admin)).toMatchObject({ is_domain_owner: true, name: tenant.admin });
  });

  it('finds a user by either id', async () => {
    const user_id = await aUser(service, tenant);
    const id = await opaqueId(service, tenant, user_id);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect((await show(id)).id).toBe(id);
    expect((await show(user_id)).id).toBe(id);
  });

  it.each([
    ['ENABLED', true],
    // Whoever has not signed in yet can do so.
    ['PENDING', true],
    ['DISABLED', undefined],
  ] as const)('a user who is %s: enabled %s', async (state, enabled) => {
    expect((await show(await aUser(service, tenant, { state }))).enabled).toBe(enabled);
  });

  it('tells when the password ends, where passwords end', async () => {
    const strict = await service.another({ PASSWORD_VALID_DAYS: '90' });
    const user_id = await aUser(service, tenant, { password_changed_at: new Date('2026-01-01T00:00:00Z') });
    const shown = await strict.call('iam.v3.OsUserService.ShowUser', { user_id }, admin);
    await strict.close();
    expect(shown.user.password_expires_at).toBe('2026-04-01T00:00:00.000000');
  });
});

describe('pwd_strength', () => {
  it.each([
    ['Passw0rd!', 'Low'],
    ['Wintertag7', 'Middle'],
    ['qX7vLw2mR9tZ', 'High'],
  ])('of %s is %s', async (new_password, strength) => {
    const user_id = await aUser(service, tenant, { password: 'Sommer2Regen' });
    await service.call(
      'UserProfile.update_password',
      { current_password: 'Sommer2Regen', new_password },
      await own(user_id, 'Sommer2Regen'),
    );
    expect((await show(user_id)).pwd_strength).toBe(strength);
  });

  it('counts a password made of the own name as weak', async () => {
    const user_id = await aUser(service, tenant, { user_id: 'Wladimir.Kurbatow7' });
    const token = await own(user_id);
    const change = { current_password: PASSWORD, new_password: 'Wladimir.Kurbatow7' };
    await service.call('UserProfile.update_password', change, token);
    expect((await show(user_id)).pwd_strength).toBe('Low');
  });

  it('is None without a password', async () => {
    const outside = await aUser(service, tenant, { auth_type: 'EXTERNAL' });
    expect((await show(outside)).pwd_strength).toBe('None');
  });
});

describe('update_time', () => {
  async function aNewUser(): Promise<{ user_id: string; token: string }> {
    const user_id = await aUser(service, tenant);
    const token = await own(user_id);
    // Signing in changes when somebody was last there, and nothing else.
    expect(await show(user_id)).toMatchObject({
      update_time: null,
      last_login_time: expect.stringMatching(TIME),
    });
    return { user_id, token };
  }

  const changes: Record<string, (user_id: string, token: string) => Promise<unknown>> = {
    'UserProfile.update': (_, token) => service.call('UserProfile.update', { name: 'New Name' }, token),
    'UserProfile.update_password': (_, token) =>
      service.call(
        'UserProfile.update_password',
        { current_password: PASSWORD, new_password: 'Ander5wort' },
        token,
      ),
    'a mailed link': async (user_id) => {
      const { domain_id } = tenant;
      await service.call('UserProfile.reset_password', { user_id, domain_id });
      const { token } = await mailedLink(service, user_id);
      await service.call('UserProfile.update_password', { new_password: 'Ander5wort' }, token);
    },
    'a proven address': async (user_id, token) => {
      const email = `new-${user_id}`;
      await service.call('UserProfile.verify_email', { email }, token);
      const verify_code = await mailedCode(service, email);
      await service.call('UserProfile.confirm_email', { verify_code }, token);
    },
    'a second factor': async (user_id, token) => {
      await service.call('UserProfile.enable_mfa', { mfa_type: 'EMAIL', options: { email: user_id } }, token);
      const verify_code = await mailedCode(service, user_id);
      await service.call('UserProfile.confirm_mfa', { verify_code }, token);
    },
  };

  it.each(Object.keys(changes))('is noted by %s', async (name) => {
    const { user_id, token } = await aNewUser();
    await changes[name]!(user_id, token);
    expect((await show(user_id)).update_time).toMatch(TIME);
  });
});

it('the user id is required, and blanks are one that nobody has', async () => {
  expect((await refusal(show(' '))).code).toBe(status.NOT_FOUND);
  const refused = await refusal(show(''));
  expect(refused.code).toBe(status.INVALID_ARGUMENT);
  expect(refused.text).toBe("'user_id' is a required property");
});

it.each(['x'.repeat(5000), 'no\u0000body', '\u200b'])('nobody is called %j', async (user_id) => {
  const refused = await refusal(show(user_id));
  expect(refused.code).toBe(status.NOT_FOUND);
  // As much of it as an id can be long.
  expect(refused.text).toBe(`Could not find user: ${user_id.slice(0, 64)}.`);
});
