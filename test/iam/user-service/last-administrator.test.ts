import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseProxy } from '../../database-proxy.js';
import { databaseServer } from '../../database.js';
import type { Tenant } from '../../fixtures.js';
import { aRole, aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { initialise } from '../../system.js';

let service: Service;
/** An instance whose calls can be held up when it has found who calls. */
let other: Service;
let proxy: DatabaseProxy;
let systemToken: string;
let systemAdmin: string;

beforeAll(async () => {
  service = await startService({ USER_CACHE_MS: '5000', DOMAIN_CACHE_MS: '5000' });
  proxy = new DatabaseProxy(databaseServer());
  await proxy.up();
  other = await service.another({ MONGODB_URI: proxy.uri(new URL(service.databaseUri).pathname.slice(1)) });
  ({ systemToken, systemAdmin } = await initialise(service));
});
afterAll(async () => {
  await other.close();
  await service.close();
  await proxy.down();
});

const DENIED = {
  code: status.PERMISSION_DENIED,
  text: expect.stringMatching(/^You are not authorized to perform the requested action/),
};
const ADMIN = { role_type: 'DOMAIN_ADMIN', role_id: 'managed-domain-admin' } as const;
const ROOT = { domain_id: 'domain-root', name: 'root', admin: 'root@example.com', alpha: '', beta: '' };

type Act = (user_id: string, token: string, at?: Service) => Promise<unknown>;
const disable: Act = (user_id, token, at = service) =>
  at.call('iam.v3.UserService.UpdateUser', { user_id, body: { user: { enabled: false } } }, token);
const remove: Act = (user_id, token, at = service) =>
  at.call('iam.v3.UserService.DeleteUser', { user_id }, token);
const acts: [string, Act][] = [
  ['disable', disable],
  ['remove', remove],
];

const stored = (name: string) => service.app.rooms.mongo.connection.collection(name);
const user = ({ domain_id }: Tenant, user_id: string) => stored('user').findOne({ domain_id, user_id });
const enabledAdmins = ({ domain_id }: Tenant) =>
  stored('user').countDocuments({ domain_id, role_type: 'DOMAIN_ADMIN', state: { $ne: 'DISABLED' } });

/** Does it to the administrator through the other instance, and something else after that has found who calls. */
async function amid(act: Act, tenant: Tenant, token: string, meanwhile: () => Promise<unknown>) {
  const { id } = (await user(tenant, tenant.admin))!;
  const underWay = proxy.holdAnswer(id as string);
  const outcome = act(id as string, token, other);
  outcome.catch(() => undefined);
  await underWay;
  await meanwhile();
  proxy.resume();
  return outcome;
}

/** A domain with two administrators, each known to an instance of their own. */
async function twoAdministrators() {
  const tenant = await aTenant(service);
  const second = await aUser(service, tenant, ADMIN);
  const first = (await signIn(service, tenant, tenant.admin)).access_token;
  const token = (await signIn(other, tenant, second)).access_token;
  await service.call('iam.v3.UserService.ListUsers', {}, first);
  await other.call('iam.v3.UserService.ListUsers', {}, token);
  return { tenant, first, second: { user_id: second, token } };
}

describe.each(acts)('The last enabled administrator of a domain: to %s them', (_what, act) => {
  it('is refused whom they disable meanwhile, and nothing is written', async () => {
    const { tenant, first, second } = await twoAdministrators();
    const records = () => stored('audit_record').countDocuments({ domain_id: tenant.domain_id });
    const before = await user(tenant, tenant.admin);
    let count = 0;
    const disabling = async () => {
      await disable(second.user_id, first);
      count = await records();
    };
    expect(await refusal(amid(act, tenant, second.token, disabling))).toMatchObject(DENIED);
    expect(await user(tenant, tenant.admin)).toEqual(before);
    expect(await records()).toBe(count);
    expect(await service.call('UserProfile.get', {}, first)).toMatchObject({ user_id: tenant.admin });
  });

  it.each([
    ['whose role is disabled', { state: 'DISABLED' as const }],
    ['who may not change users', { permissions: ['identity:UserProfile', 'identity:User.read'] }],
  ])('is refused whom they disable meanwhile, though there is one %s', async (_which, given) => {
    const { tenant, first, second } = await twoAdministrators();
    const role_id = await aRole(service, tenant, { role_type: 'DOMAIN_ADMIN', ...given });
    await aUser(service, tenant, { ...ADMIN, role_id });
    const disabling = () => disable(second.user_id, first);
    expect(await refusal(amid(act, tenant, second.token, disabling))).toMatchObject(DENIED);
    expect(await user(tenant, tenant.admin)).toMatchObject({ state: 'ENABLED' });
  });

  it('is refused one of two who do it to each other at once', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { tenant, first, second } = await twoAdministrators();
      const outcomes = await Promise.allSettled([
        act(second.user_id, first),
        act(tenant.admin, second.token, other),
      ]);
      expect(outcomes.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(await enabledAdmins(tenant)).toBe(1);
    }
  });

  it('is not refused who administers the system', async () => {
    for (const token of [systemToken, systemAdmin]) {
      const tenant = await aTenant(service);
      const { id } = (await user(tenant, tenant.admin))!;
      await act(id as string, token);
      expect(await enabledAdmins(tenant)).toBe(0);
    }
  });

  it('is refused administrators of the system for their own domain', async () => {
    const second = await aUser(service, ROOT, ADMIN);
    const token = await tokenOf(other, ROOT, second, 'SYSTEM');
    const disabling = () => disable(second, systemAdmin);
    expect(await refusal(amid(act, ROOT, token, disabling))).toMatchObject(DENIED);
    expect(await enabledAdmins(ROOT)).toBe(1);
  });

  it('says nothing of the others: one of three, one who is disabled, and who is no administrator', async () => {
    const { tenant, first, second } = await twoAdministrators();
    const third = await aUser(service, tenant, { ...ADMIN, state: 'PENDING' });
    await act(second.user_id, first);
    const sleeping = await aUser(service, tenant, { ...ADMIN, state: 'DISABLED' });
    await act(third, first);
    await act(sleeping, first);
    await act(await aUser(service, tenant), first);
    expect(await enabledAdmins(tenant)).toBe(1);
  });
});
