import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { startService } from '../../harness.js';
import { ask, byName, iamToken, refused, withPassword } from '../tokens.js';

let service: Service;
let tenant: Tenant;
let user: string;

beforeAll(async () => {
  service = await startService({ USER_CACHE_MS: '0', DOMAIN_CACHE_MS: '0' });
  tenant = await aTenant(service);
  user = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
});
afterAll(() => service.close());

const scoped = () => withPassword(byName(tenant, user), { project: { id: tenant.alpha } });
const denied = (by: string, subject?: string) =>
  refused(
    service,
    'RevokeToken',
    {},
    { 'x-auth-token': by, ...(subject ? { 'x-subject-token': subject } : {}) },
  );
const NOT_FOUND = { status: '404', text: 'Could not find token.' };

describe('iam.v3.AuthService.RevokeToken', () => {
  const revoke = (by: string, subject: string) =>
    ask(service, 'RevokeToken', {}, { 'x-auth-token': by, 'x-subject-token': subject });
  const opened = (from: Service, token: string) =>
    Promise.all(
      [
        from.call('UserProfile.get', {}, token),
        from.call('iam.v3.OsUserService.ShowUser', { user_id: user }, token),
        from.call('csms.v1.UserService.GetUser', { user_id: user }, token),
        ask(from, 'ListProjects', {}, { 'x-auth-token': token }),
      ].map((call) =>
        call.then(
          () => true,
          () => false,
        ),
      ),
    );

  it('ends that token on every face, and no other', async () => {
    const [token, other] = [await iamToken(service, scoped()), await iamToken(service, scoped())];
    const answer = await revoke(token, token);
    expect(answer).toMatchObject({ status: '204', body: {} });
    expect(await opened(service, token)).toEqual([false, false, false, false]);
    expect(await opened(service, other)).toEqual([true, true, true, true]);
    expect(await denied(token, token)).toMatchObject({ status: '401' });
    expect(await denied(other, token)).toMatchObject(NOT_FOUND);
  });

  it('ends tokens of Token.issue and Token.grant', async () => {
    const { access_token } = await signIn(service, tenant, user);
    const granted = await tokenOf(service, tenant, user, 'WORKSPACE', tenant.alpha);
    for (const token of [access_token, granted]) {
      await revoke(token, token);
      expect(await opened(service, token)).toEqual([false, false, false, false]);
    }
  });

  it('is seen at once here and soon elsewhere, though tokens in use are remembered', async () => {
    const here = await service.another({ USER_CACHE_MS: '1000' });
    const there = await service.another({ USER_CACHE_MS: '1000' });
    const token = await iamToken(here, scoped());
    for (const one of [here, there]) expect(await opened(one, token)).toEqual([true, true, true, true]);
    await ask(here, 'RevokeToken', {}, { 'x-auth-token': token, 'x-subject-token': token });
    expect(await opened(here, token)).toEqual([false, false, false, false]);
    await sleep(1100);
    expect(await opened(there, token)).toEqual([false, false, false, false]);
    await Promise.all([here.close(), there.close()]);
  });

  it('is for the user and the administrators alone', async () => {
    const token = await iamToken(service, scoped());
    const other = await iamToken(service, withPassword(byName(tenant, await aUser(service, tenant))));
    expect(await denied(other, token)).toMatchObject({ status: '403' });
    expect(await opened(service, token)).toEqual([true, true, true, true]);
    const { access_token: admin } = await signIn(service, tenant, tenant.admin);
    expect((await revoke(admin, token)).status).toBe('204');
    expect(await opened(service, token)).toEqual([false, false, false, false]);
    expect(await denied(admin)).toMatchObject({ status: '400' });
  });
});
