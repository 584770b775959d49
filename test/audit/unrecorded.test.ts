import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditActions } from '../../src/audit-actions.js';
import { storedDocuments } from '../database.js';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, opaqueId, signIn, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { ask, byName, iamToken, refused, withPassword, withToken } from '../iam/tokens.js';
import { mailedCode } from '../mailed.js';

/*
 * What happens when a record cannot be written: nothing. An index that takes one record of each action for a user stands
 * in for a database that refuses them.
 */

let service: Service;
let tenant: Tenant;
let admin: string;

beforeAll(async () => {
  service = await startService({ USER_CACHE_MS: '0', DOMAIN_CACHE_MS: '0' });
  tenant = await aTenant(service);
  admin = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
});
afterAll(() => service.close());

const records = () => service.app.rooms.mongo.connection.collection('audit_record');
/** What changes although a call fails: counts of attempts and guesses, and mails that an earlier call left. */
const COUNTS = new Set(['audit_record', 'sign_in_attempt', 'outbox', 'mail_count']);

/** Runs the work while nothing can be recorded of the user; answers what is stored before and after. */
async function unrecorded(target_id: string, work: () => Promise<unknown>): Promise<[unknown, unknown]> {
  const { domain_id } = tenant;
  await records().deleteMany({ target_id });
  await records().insertMany(
    Object.keys(auditActions).map((action) => ({ action, target_id, domain_id, method: 'here already' })),
  );
  const index = { partialFilterExpression: { target_id, domain_id }, unique: true };
  const name = await records().createIndex({ action: 1, target_id: 1, domain_id: 1 }, index);
  const before = await kept();
  try {
    await work();
    return [before, await kept()];
  } finally {
    await records().dropIndex(name);
    await records().deleteMany({ target_id });
  }
}

async function kept(): Promise<unknown> {
  const documents = Object.entries(await storedDocuments(service)).filter(([name]) => !COUNTS.has(name));
  return JSON.parse(JSON.stringify(Object.fromEntries(documents)));
}

async function expectInternal(call: Promise<unknown>): Promise<void> {
  expect((await refusal(call)).code).toBe(status.INTERNAL);
}

async function expectNothingChanged(target_id: string, call: () => Promise<unknown>): Promise<void> {
  const [before, after] = await unrecorded(target_id, () => expectInternal(call()));
  expect(after).toEqual(before);
}

describe('Without its record', () => {
  it('nobody signs in: no token, and the new user is not let in', async () => {
    const user_id = await aUser(service, tenant, { state: 'PENDING' });
    await expectNothingChanged(user_id, () => signIn(service, tenant, user_id));
    await expectNothingChanged(user_id, () =>
      service.call('iam.v3.AuthService.CreateToken', withPassword(byName(tenant, user_id))),
    );
    expect(await signIn(service, tenant, user_id)).toHaveProperty('access_token');
  });

  it('no code is sent for a sign-in, and none is used up', async () => {
    const options = { email: 'unrecorded@example.com' };
    const user_id = await aUser(service, tenant, { mfa: { state: 'ENABLED', mfa_type: 'EMAIL', options } });
    await expectNothingChanged(user_id, () => signIn(service, tenant, user_id));
    expect((await refusal(signIn(service, tenant, user_id))).reason).toBe('ERROR_MFA_REQUIRED');
    const verify_code = await mailedCode(service, options.email);
    const second = () =>
      service.call('Token.issue', {
        credentials: { user_id, password: PASSWORD },
        auth_type: 'MFA',
        domain_id: tenant.domain_id,
        verify_code,
      });
    await unrecorded(user_id, () => expectInternal(second()));
    expect(await second()).toHaveProperty('access_token');
  });

  it('no token is handed out, exchanged or ended', async () => {
    const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const { refresh_token } = await signIn(service, tenant, user_id);
    const token = await iamToken(service, withPassword(byName(tenant, user_id)));
    await unrecorded(user_id, async () => {
      const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token, scope: 'USER' };
      await expectInternal(service.call('Token.grant', grant));
      const exchange = withToken(token, { project: { id: tenant.alpha } });
      expect((await refused(service, 'CreateToken', exchange)).status).toBe('500');
      const by = { 'x-auth-token': token, 'x-subject-token': token };
      expect((await refused(service, 'RevokeToken', {}, by)).status).toBe('500');
    });
    expect(
      (await ask(service, 'GetToken', {}, { 'x-auth-token': token, 'x-subject-token': token })).status,
    ).toBe(undefined);
  });

  it('no profile, address or password changes', async () => {
    const user_id = await aUser(service, tenant, { email_verified: false });
    const { access_token } = await signIn(service, tenant, user_id);
    const call = (method: string, request: object) =>
      service.call(`UserProfile.${method}`, request, access_token);
    await service.call('UserProfile.verify_email', {}, access_token);
    const verify_code = await mailedCode(service, user_id);
    for (const change of [{ name: 'New' }, { email: 'new@example.com' }, { password: 'Newpass1!' }])
      await expectNothingChanged(user_id, () => call('update', change));
    const passwords = { current_password: PASSWORD, new_password: 'Newpass1!' };
    await expectNothingChanged(user_id, () => call('update_password', passwords));
    await expectNothingChanged(user_id, () => call('verify_email', { email: 'new@example.com' }));
    await unrecorded(user_id, () => expectInternal(call('confirm_email', { verify_code })));
    expect(await call('confirm_email', { verify_code })).toMatchObject({ email_verified: true });
  });

  it('no administrator makes, changes or removes a user', async () => {
    const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const id = await opaqueId(service, tenant, user_id);
    const call = (method: string, request: object) =>
      service.call(`iam.v3.UserService.${method}`, request, admin);
    const update = (user: object) => call('UpdateUser', { user_id: id, body: { user } });
    const changes = [{ name: 'other' }, { enabled: false }, { description: 'x' }, { password: 'Newpass1!' }];
    for (const change of changes) await expectNothingChanged(user_id, () => update(change));
    await expectNothingChanged(user_id, () => call('DeleteUser', { user_id: id }));
    await expectNothingChanged('not-made', () => call('CreateUser', { user: { name: 'not-made' } }));
  });
});
