import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, aUser, opaqueId, signIn, tokenOf } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import { mailedLink, mailsTo } from '../../mailed.js';
import { initialise } from '../../system.js';
import { startUserCalls } from '../user-calls.js';
import type { UserCalls } from '../user-calls.js';

const NEW = 'Ander5wort';
const CHANGE = { password: NEW, original_password: PASSWORD };
const WRONG = { code: status.UNAUTHENTICATED, text: 'The request you have made requires authentication.' };

let calls: UserCalls;
beforeAll(async () => {
  calls = await startUserCalls();
});
afterAll(() => calls.service.close());

async function someone(given = {}) {
  const user_id = await aUser(calls.service, calls.tenant, given);
  const { access_token: token, refresh_token } = await signIn(calls.service, calls.tenant, user_id);
  return { user_id, token, refresh_token };
}

describe('UserService.ChangePassword', () => {
  it('changes the own password under either id, and ends every token', async () => {
    const { service, tenant } = calls;
    for (const opaque of [false, true]) {
      const { user_id, token, refresh_token } = await someone();
      const ref = opaque ? await opaqueId(service, tenant, user_id) : user_id;
      expect(await calls.changePassword(ref, CHANGE, token)).toEqual({});
      expect((await refusal(calls.get(user_id, token))).code).toBe(status.UNAUTHENTICATED);
      const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token, scope: 'USER' };
      expect((await refusal(service.call('Token.grant', grant))).code).toBe(status.UNAUTHENTICATED);
      expect((await refusal(signIn(service, tenant, user_id))).code).toBe(status.UNAUTHENTICATED);
      expect(await signIn(service, tenant, user_id, NEW)).toHaveProperty('access_token');
      expect(await mailsTo(service, user_id)).toBe(1);
    }
  });

  it('works with a token that is good for that alone, and asks for the current password even then', async () => {
    const { user_id, token } = await someone({ required_actions: ['UPDATE_PASSWORD'] });
    const wrong = { ...CHANGE, original_password: 'Wrong0pass' };
    expect(await refusal(calls.changePassword(user_id, wrong, token))).toMatchObject(WRONG);
    expect(await calls.changePassword(user_id, CHANGE, token)).toEqual({});
    const { access_token } = await signIn(calls.service, calls.tenant, user_id, NEW);
    expect(await calls.service.call('UserProfile.get', {}, access_token)).not.toHaveProperty(
      'required_actions',
    );
  });

  it('works with a token of any scope', async () => {
    const { service, tenant } = calls;
    const { user_id } = await someone({ roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const token = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
    expect(await calls.changePassword(user_id, CHANGE, token)).toEqual({});
  });

  it('answers a wrong current password as a sign-in does, and changes nothing', async () => {
    const { service, tenant } = calls;
    const { user_id, token } = await someone();
    const wrong = { ...CHANGE, original_password: 'Wrong0pass' };
    expect(await refusal(calls.changePassword(user_id, wrong, token))).toMatchObject(WRONG);
    expect(await calls.get(user_id, token)).toMatchObject({ name: user_id });
    expect(await signIn(service, tenant, user_id)).toHaveProperty('access_token');
  });

  it('counts wrong ones with those of sign-in, until the right one is refused as well', async () => {
    const { service, tenant } = calls;
    const { user_id, token } = await someone();
    const wrong = { ...CHANGE, original_password: 'Wrong0pass' };
    for (let index = 0; index < 5; index += 1) {
      await refusal(calls.changePassword(user_id, wrong, token));
      await refusal(signIn(service, tenant, user_id, 'Wrong0pass'));
    }
    expect(await refusal(calls.changePassword(user_id, CHANGE, token))).toMatchObject(WRONG);
    expect((await refusal(signIn(service, tenant, user_id))).reason).toBe('ERROR_LOGIN_BLOCKED');
    service.clock.advance(301);
    expect(await calls.changePassword(user_id, CHANGE, token)).toEqual({});
  });

  it.each([
    ['password', { original_password: PASSWORD }, "'password' is a required property"],
    ['original_password', { password: NEW }, "'original_password' is a required property"],
    ['password', { ...CHANGE, password: 'short' }, 'At least 8 characters long'],
    ['password', { ...CHANGE, password: 'alllowercase1' }, 'at least one uppercase'],
    ['password', { ...CHANGE, password: PASSWORD }, 'equals the old one'],
    ['password', { ...CHANGE, password: 'Speaking-1' }, 'neither the username nor its reverse'],
    ['password', { ...CHANGE, password: '1-gnikaepS' }, 'neither the username nor its reverse'],
  ])('refuses a bad %s: %j', async (field, change, said) => {
    const { service, tenant } = calls;
    const user_id = 'speaking-1';
    await aUser(service, tenant, { user_id }).catch(() => undefined);
    const { access_token } = await signIn(service, tenant, user_id);
    const refused = await refusal(calls.changePassword(user_id, change, access_token));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.text).toContain(`'${field}'`);
    expect(refused.text).toContain(said);
  });

  it('asks for a user', async () => {
    expect(await refusal(calls.changePassword(calls.tenant.admin, undefined))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      text: "'user' is a required property",
    });
  });

  it('is for the owner alone, whoever else asks and whoever is asked for', async () => {
    const { service, tenant } = calls;
    const { user_id, token } = await someone();
    const { systemToken, systemAdmin } = await initialise(service);
    const denied = {
      code: status.PERMISSION_DENIED,
      text: 'You are not authorized to perform the requested action: identity:change_password.',
    };
    for (const other of [
      calls.admin,
      systemToken,
      systemAdmin,
      await tokenOf(service, tenant, tenant.admin, 'DOMAIN'),
    ])
      expect(await refusal(calls.changePassword(user_id, CHANGE, other))).toMatchObject(denied);
    for (const ref of [tenant.admin, 'nobody@example.com', '0'.repeat(32)])
      expect(await refusal(calls.changePassword(ref, CHANGE, token))).toMatchObject(denied);
    expect(await refusal(calls.changePassword(user_id, CHANGE, null))).toMatchObject(WRONG);
    expect(await signIn(service, tenant, user_id)).toHaveProperty('access_token');
  });

  it('does not take the token of a mailed link, which UserProfile.update_password is for', async () => {
    const { service, tenant } = calls;
    const { user_id } = await someone();
    await service.call('UserProfile.reset_password', { user_id, domain_id: tenant.domain_id });
    const { token } = await mailedLink(service, user_id);
    expect((await refusal(calls.changePassword(user_id, CHANGE, token))).code).toBe(status.PERMISSION_DENIED);
  });

  it('refuses who signs in with an identity provider', async () => {
    const { user_id, token } = await someone();
    const users = calls.service.app.rooms.mongo.connection.collection('user');
    await users.updateOne({ user_id }, { $set: { auth_type: 'EXTERNAL' } });
    const refused = await refusal(calls.changePassword(user_id, CHANGE, token));
    expect(refused.text).toBe("Invalid input for field 'password': is not kept here for this user");
  });

  it('changes the password once when it is asked twice at the same time', async () => {
    const { service, tenant } = calls;
    const { user_id, token } = await someone();
    const wanted = ['Newpass1!', 'Newpass2!', 'Newpass3!'];
    const change = (password: string) => calls.changePassword(user_id, { ...CHANGE, password }, token);
    const outcomes = await Promise.allSettled(wanted.map(change));
    const done = wanted.filter((_, index) => outcomes[index]!.status === 'fulfilled');
    expect(done).toHaveLength(1);
    expect(await signIn(service, tenant, user_id, done[0])).toHaveProperty('access_token');
  });
});
