import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

const NEW = 'Newpass1!';

async function someone(given: object = {}): Promise<{ user: string; token: string }> {
  const user = await aUser(service, tenant, given);
  return { user, token: (await signIn(service, tenant, user)).access_token };
}
const change = (token: string | undefined, request: object) =>
  service.call('UserProfile.update_password', request, token);

describe('UserProfile.update_password', () => {
  it('changes the password and answers the profile', async () => {
    const { user, token } = await someone();
    const before = await service.call('UserProfile.get', {}, token);
    const changed = await change(token, { current_password: PASSWORD, new_password: NEW });
    expect(changed).toEqual(before);
    expect(await signIn(service, tenant, user, NEW)).toHaveProperty('refresh_token');
    expect((await refusal(signIn(service, tenant, user))).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
  });

  it('tells the owner by mail, at a proven address alone', async () => {
    const { user, token } = await someone({ language: 'ko', timezone: 'Asia/Seoul' });
    await change(token, { current_password: PASSWORD, new_password: NEW });
    const mail = await service.sink.waitFor(user);
    expect(mail.headers.get('content-language')).toMatch(/ko/);
    expect(mail.text).not.toContain(NEW);
  });

  it('needs no current password while the change is required, and takes a wrong one then', async () => {
    for (const request of [{ new_password: NEW }, { new_password: NEW, current_password: 'Wrong0pass' }]) {
      const { user, token } = await someone({ required_actions: ['UPDATE_PASSWORD'] });
      expect(await change(token, request)).not.toHaveProperty('required_actions');
      const { access_token } = await signIn(service, tenant, user, NEW);
      expect(await service.call('UserProfile.get_workspaces', {}, access_token)).toEqual({});
    }
  });

  it('takes passwords of 8 to 72 bytes', async () => {
    for (const new_password of ['Xbcdef12', `Aa1${'y'.repeat(69)}`, `Aa1${'é'.repeat(34)}x`]) {
      const { user, token } = await someone();
      await change(token, { current_password: PASSWORD, new_password });
      expect(await signIn(service, tenant, user, new_password)).toHaveProperty('access_token');
    }
  });

  it.each([
    ['Ab1', 'At least 8 characters long'],
    ['Abcde12', 'At least 8 characters long'],
    ['ABCDEFG1', 'Contains at least one lowercase character'],
    ['abcdefg1', 'Contains at least one uppercase character'],
    ['Abcdefgh', 'Contains at least one number'],
    [`Aa1${'x'.repeat(70)}`, 'At most 72 bytes long'],
    [`Aa1${'é'.repeat(35)}`, 'At most 72 bytes long'],
    ['Password1', 'Is none of the commonest passwords'],
    ['qWeRtY123', 'Is none of the commonest passwords'],
    ['P@ssw0rd', 'Is none of the commonest passwords'],
  ])('P21 D-20: refuses the password %s, naming the rule', async (new_password, rule) => {
    const { token } = await someone();
    expect(await refusal(change(token, { current_password: PASSWORD, new_password }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_INCORRECT_PASSWORD_FORMAT',
      text: `The password breaks a rule. (rule = ${rule})`,
    });
  });

  it('looks at the form of the new password before it compares the current one', async () => {
    const { token } = await someone();
    const refused = await refusal(change(token, { current_password: 'Wrong0pass', new_password: 'short' }));
    expect(refused.reason).toBe('ERROR_INCORRECT_PASSWORD_FORMAT');
  });

  it.each([
    ['new_password', { current_password: PASSWORD }],
    ['current_password', { new_password: NEW }],
  ])('asks for %s', async (key, request) => {
    const { token } = await someone();
    expect(await refusal(change(token, request))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: `Required parameter. (key = ${key})`,
    });
  });

  it('refuses a wrong current password', async () => {
    const { user, token } = await someone();
    const request = { current_password: 'Wrong0pass', new_password: NEW };
    expect(await refusal(change(token, request))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_PASSWORD_NOT_MATCHED',
      text: `The current password is wrong. (user_id = ${user})`,
    });
    expect(await signIn(service, tenant, user)).toHaveProperty('access_token');
  });

  it('P21: refuses the password that is in force, whether the current one has to be given or not', async () => {
    const { user, token } = await someone();
    const refused = { code: status.INVALID_ARGUMENT, reason: 'ERROR_PASSWORD_NOT_CHANGED' };
    const same = { current_password: PASSWORD, new_password: PASSWORD };
    expect(await refusal(change(token, same))).toMatchObject({
      ...refused,
      text: `The new password equals the old one. (user_id = ${user})`,
    });
    const { token: pending } = await someone({ required_actions: ['UPDATE_PASSWORD'] });
    expect(await refusal(change(pending, { new_password: PASSWORD }))).toMatchObject(refused);
  });

  it('D-28: refuses a user whose password is kept elsewhere', async () => {
    const { user, token } = await someone();
    const users = service.app.rooms.mongo.connection.collection('user');
    await users.updateOne(
      { domain_id: tenant.domain_id, user_id: user },
      { $set: { auth_type: 'EXTERNAL' } },
    );
    expect(await refusal(change(token, { current_password: PASSWORD, new_password: NEW }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_UNABLE_TO_RESET_PASSWORD_IN_EXTERNAL_AUTH',
    });
  });

  it('refuses a call without a token', async () => {
    const request = { current_password: PASSWORD, new_password: NEW };
    expect(await refusal(change(undefined, request))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATE_FAILURE',
    });
  });

  it('changes the password once when it is asked twice at the same time', async () => {
    const { user, token } = await someone();
    const wanted = ['Newpass1!', 'Newpass2!', 'Newpass3!'];
    const outcomes = await Promise.allSettled(
      wanted.map((new_password) => change(token, { current_password: PASSWORD, new_password })),
    );
    const done = wanted.filter((_, index) => outcomes[index]!.status === 'fulfilled');
    expect(done).toHaveLength(1);
    expect(await signIn(service, tenant, user, done[0])).toHaveProperty('access_token');
  });
});
