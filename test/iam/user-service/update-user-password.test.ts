import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aUser, signIn } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import { mailedLink, mailedPassword, mailsTo } from '../../mailed.js';
import { startUserCalls } from '../user-calls.js';
import type { UserCalls } from '../user-calls.js';

const NEW = 'Ander5wort';

let calls: UserCalls;
beforeAll(async () => {
  calls = await startUserCalls();
});
afterAll(() => calls.service.close());

const someone = (given = {}) => aUser(calls.service, calls.tenant, given);
const stored = (user_id: string) =>
  calls.service.app.rooms.mongo.connection.collection('user').findOne({ user_id });

describe('UserService.UpdateUser with a password', () => {
  it('puts it in force and ends every token of the user', async () => {
    const { service, tenant } = calls;
    const user_id = await someone();
    const { access_token, refresh_token } = await signIn(service, tenant, user_id);
    await calls.update(user_id, { password: NEW });
    expect((await refusal(calls.get(user_id, access_token))).code).toBe(status.UNAUTHENTICATED);
    const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token, scope: 'USER' };
    expect((await refusal(service.call('Token.grant', grant))).code).toBe(status.UNAUTHENTICATED);
    expect((await refusal(signIn(service, tenant, user_id))).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
    expect(await signIn(service, tenant, user_id, NEW)).toHaveProperty('access_token');
  });

  it('tells the owner at a proven address, and nobody at another', async () => {
    const proven = await someone();
    const unproven = await someone({ email_verified: false });
    for (const user_id of [proven, unproven]) await calls.update(user_id, { password: NEW });
    expect(await mailsTo(calls.service, proven)).toBe(1);
    expect(await mailsTo(calls.service, unproven)).toBe(0);
    const [mail] = calls.service.sink.mails.filter(({ to }) => to.includes(proven));
    expect(mail!.text).not.toContain(NEW);
  });

  it('gives a first password to who has none, and ends what was pending', async () => {
    const { service, tenant } = calls;
    const { id } = await calls.create({ name: 'without-one' });
    await calls.update(id, { password: NEW });
    expect(await signIn(service, tenant, 'without-one', NEW)).toHaveProperty('access_token');
    const pending = await someone({ required_actions: ['UPDATE_PASSWORD', 'ENFORCE_MFA'] });
    await calls.update(pending, { password: NEW });
    expect(await stored(pending)).toMatchObject({ required_actions: ['ENFORCE_MFA'] });
  });

  it('asks the user for another one where that is configured, but not an administrator for their own', async () => {
    const { service, tenant, admin } = calls;
    const strict = await service.another({ FORCE_PASSWORD_CHANGE: 'true' });
    const user_id = await someone();
    const method = 'iam.v3.UserService.UpdateUser';
    await strict.call(method, { user_id, body: { user: { password: NEW } } }, admin);
    expect(await stored(user_id)).toMatchObject({ required_actions: ['UPDATE_PASSWORD'] });
    const second = await someone({ role_type: 'DOMAIN_ADMIN', role_id: 'managed-domain-admin' });
    const { access_token } = await signIn(service, tenant, second);
    await strict.call(method, { user_id: second, body: { user: { password: NEW } } }, access_token);
    expect(await stored(second)).toMatchObject({ required_actions: [] });
    await strict.close();
  });

  it('kills a mailed link', async () => {
    const { service, tenant } = calls;
    const user_id = await someone();
    await service.call('UserProfile.reset_password', { user_id, domain_id: tenant.domain_id });
    const { token } = await mailedLink(service, user_id);
    await calls.update(user_id, { password: NEW });
    const change = service.call('UserProfile.update_password', { new_password: 'Wieder7wort' }, token);
    expect((await refusal(change)).code).toBe(status.UNAUTHENTICATED);
  });

  it('kills a mailed password', async () => {
    const { tenant } = calls;
    const service = await calls.service.another({ RESET_PASSWORD_TYPE: 'PASSWORD' });
    const user_id = await someone();
    await service.call('UserProfile.reset_password', { user_id, domain_id: tenant.domain_id });
    const mailed = await mailedPassword(service, user_id);
    await calls.update(user_id, { password: NEW });
    expect((await refusal(signIn(service, tenant, user_id, mailed))).reason).toBe(
      'ERROR_AUTHENTICATION_FAILURE',
    );
    await service.close();
  });

  it('ends the session too that a change of the address had let go on', async () => {
    const { service, tenant } = calls;
    const user_id = await someone();
    const { access_token } = await signIn(service, tenant, user_id);
    await service.call('UserProfile.update', { email: `new-${user_id}` }, access_token);
    expect(await calls.get(user_id, access_token)).toMatchObject({ email: `new-${user_id}` });
    await calls.update(user_id, { password: NEW });
    expect((await refusal(calls.get(user_id, access_token))).code).toBe(status.UNAUTHENTICATED);
  });

  it('takes the own one of an administrator soon after the sign-in alone', async () => {
    const { service, tenant } = calls;
    const user_id = await someone({ role_type: 'DOMAIN_ADMIN', role_id: 'managed-domain-admin' });
    const late = await signIn(service, tenant, user_id);
    service.clock.advance(601);
    const refused = await refusal(calls.update(user_id, { password: NEW }, late.access_token));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.text).toContain("'password'");
    const { access_token } = await signIn(service, tenant, user_id);
    expect(await calls.update(user_id, { password: NEW }, access_token)).toMatchObject({ enabled: true });
    expect((await refusal(calls.get(user_id, access_token))).code).toBe(status.UNAUTHENTICATED);
  });

  it('refuses one for a user of an identity provider', async () => {
    const user_id = await someone();
    const users = calls.service.app.rooms.mongo.connection.collection('user');
    await users.updateOne({ user_id }, { $set: { auth_type: 'EXTERNAL' } });
    const refused = await refusal(calls.update(user_id, { password: NEW }));
    expect(refused).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: '',
      text: "Invalid input for field 'password': is not kept here for this user",
    });
  });

  it('changes nothing at all when another field is refused', async () => {
    const { service, tenant } = calls;
    await someone({ user_id: 'name-of-other' });
    const user_id = await someone();
    const { access_token } = await signIn(service, tenant, user_id);
    const change = { name: 'name-of-other', password: NEW, description: 'x' };
    expect((await refusal(calls.update(user_id, change))).code).toBe(status.ALREADY_EXISTS);
    expect(await calls.get(user_id, access_token)).not.toHaveProperty('description');
    expect(await signIn(service, tenant, user_id)).toHaveProperty('access_token');
  });

  it('never shows in a log or an error', async () => {
    const { service, tenant } = calls;
    const user_id = await someone();
    const secret = 'Ge1heimnis-lang';
    await calls.update(user_id, { password: secret });
    const refused = await refusal(calls.update(user_id, { password: secret }));
    expect(JSON.stringify(refused.metadata.getMap()) + refused.text).not.toContain(secret);
    expect(service.logs.join('')).not.toContain(secret);
    const { id } = await calls.get(user_id);
    const lines = service.logs.filter((line) => line.includes(`"changed_user_id":"${id}"`));
    expect(JSON.parse(lines[0]!)).toMatchObject({ user_id: tenant.admin, code: 'OK' });
  });
});
