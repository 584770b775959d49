import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newAuthenticator, nextStep } from '../authenticator.js';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, opaqueId, signIn } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { mailedCode, mailedLink } from '../mailed.js';
import { ROOT_ADMIN } from '../system.js';
import { actions, recorder } from './recorded.js';

let service: Service;
let tenant: Tenant;
let recordsOf: ReturnType<typeof recorder>;

beforeAll(async () => {
  service = await startService();
  const { system_token } = await service.call('System.init', { admin: ROOT_ADMIN });
  tenant = await aTenant(service);
  recordsOf = recorder(service, system_token);
});
afterAll(() => service.close());

const NEW = 'Newpass1!';
const profile = (method: string, request: object, token: string) =>
  service.call(`UserProfile.${method}`, request, token);

async function signedIn(given: Parameters<typeof aUser>[2] = {}): Promise<{ user: string; token: string }> {
  const user = await aUser(service, tenant, given);
  return { user, token: (await signIn(service, tenant, user)).access_token };
}

describe('UserProfile.update', () => {
  it('is recorded with the names of fields, never their values', async () => {
    const { user, token } = await signedIn();
    const change = { name: 'Personal Name', language: 'ko', tags: { of: 'tag-value' } };
    const records = await recordsOf(() => profile('update', change, token));
    expect(records).toMatchObject([
      {
        action: 'user.update',
        actor_id: user,
        target_id: user,
        domain_id: tenant.domain_id,
        method: 'spaceone.api.identity.v2.UserProfile/update',
        detail: { fields: ['name', 'language', 'tags'] },
      },
    ]);
    expect(JSON.stringify(records)).not.toMatch(/Personal|tag-value/);
  });

  it('of the address and the password leaves one record for each, of nothing leaves none', async () => {
    const { user, token } = await signedIn();
    const records = await recordsOf(() =>
      profile('update', { email: 'moved@example.com', password: NEW, name: 'New' }, token),
    );
    expect(actions(records)).toEqual(['user.update', 'email.change', 'password.change']);
    expect(records[2].detail).toEqual({ way: 'RECENT_SIGN_IN' });
    expect(JSON.stringify(records)).not.toContain('moved@example.com');
    const { access_token } = await signIn(service, tenant, user, NEW);
    const same = { email: 'moved@example.com' };
    expect(await recordsOf(() => profile('update', same, access_token))).toEqual([]);
    expect(await recordsOf(() => refusal(profile('update', { password: NEW }, access_token)))).toEqual([]);
  });
});

describe('A new password', () => {
  const request = { new_password: NEW, current_password: PASSWORD };

  it('with the current one', async () => {
    const { user, token } = await signedIn();
    const records = await recordsOf(() => profile('update_password', request, token));
    expect(records).toMatchObject([
      { action: 'password.change', actor_id: user, target_id: user, detail: { way: 'CURRENT_PASSWORD' } },
    ]);
  });

  it('with the current one at OpenStack Identity, whatever is pending', async () => {
    const { user, token } = await signedIn({ required_actions: ['UPDATE_PASSWORD'] });
    const user_id = await opaqueId(service, tenant, user);
    const change = (original_password: string) =>
      service.call(
        'iam.v3.UserService.ChangePassword',
        { user_id, body: { user: { password: NEW, original_password } } },
        token,
      );
    const records = await recordsOf(async () => {
      await refusal(change('Wrong0pass'));
      await change(PASSWORD);
    });
    expect(actions(records)).toEqual(['password.change ERROR_PASSWORD_NOT_MATCHED', 'password.change']);
    for (const { detail, target_id } of records)
      expect({ detail, target_id }).toEqual({ detail: { way: 'CURRENT_PASSWORD' }, target_id: user });
  });

  it('that is demanded, and with a mailed link', async () => {
    const { user, token } = await signedIn({ required_actions: ['UPDATE_PASSWORD'] });
    const demanded = await recordsOf(() => profile('update_password', { new_password: NEW }, token));
    expect(demanded.map(({ detail }) => detail)).toEqual([{ way: 'REQUIRED_ACTION' }]);
    await service.call('UserProfile.reset_password', { user_id: user, domain_id: tenant.domain_id });
    const link = await mailedLink(service, user);
    const linked = await recordsOf(() => profile('update_password', { new_password: PASSWORD }, link.token));
    expect(linked).toMatchObject([
      { action: 'password.change', actor_id: user, target_id: user, detail: { way: 'LINK' } },
    ]);
    expect(await recordsOf(() => refusal(profile('update_password', request, link.token)))).toEqual([]);
  });
});

describe('An address', () => {
  it('is recorded when its code is sent, and when it is proven', async () => {
    const { user, token } = await signedIn({ email_verified: false });
    const purpose = { purpose: 'VERIFY_EMAIL' };
    const sent = await recordsOf(() => profile('verify_email', {}, token));
    expect(sent).toMatchObject([{ action: 'code.send', actor_id: user, detail: purpose }]);
    const verify_code = await mailedCode(service, user);
    const proven = await recordsOf(() => profile('confirm_email', { verify_code }, token));
    expect(actions(proven)).toEqual(['code.confirm', 'email.verify']);
    expect(proven[0].detail).toEqual(purpose);
    expect(await recordsOf(() => refusal(profile('confirm_email', { verify_code }, token)))).toEqual([]);
  });

  it('that is another one is recorded as a change too', async () => {
    const { token } = await signedIn();
    const email = 'elsewhere@example.com';
    const records = await recordsOf(async () => {
      await profile('verify_email', { email }, token);
      await profile('confirm_email', { verify_code: await mailedCode(service, email) }, token);
    });
    expect(actions(records)).toEqual(['code.send', 'code.confirm', 'email.change', 'email.verify']);
    expect(JSON.stringify(records)).not.toContain(email);
  });

  it('is proven once when the right code comes many times at once, at two instances', async () => {
    const { user, token } = await signedIn({ email_verified: false });
    await profile('verify_email', {}, token);
    const verify_code = await mailedCode(service, user);
    const second = await service.another();
    const records = await recordsOf(() =>
      Promise.allSettled(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 ? second : service).call('UserProfile.confirm_email', { verify_code }, token),
        ),
      ),
    );
    await second.close();
    expect(actions(records)).toEqual(['code.confirm', 'email.verify']);
  });

  it('gets no code over the mail limit, which is recorded', async () => {
    const limited = await service.another({ MAIL_LIMIT_PER_HOUR: '1' });
    const { user, token } = await signedIn();
    const records = await recordsOf(async () => {
      await limited.call('UserProfile.verify_email', {}, token);
      await refusal(limited.call('UserProfile.verify_email', {}, token));
    });
    await limited.close();
    expect(actions(records)).toEqual(['code.send', 'code.send ERROR_TOO_MANY_REQUESTS']);
    expect(records[1]).toMatchObject({ outcome: 'OUTCOME_FAILURE', target_id: user, actor_id: user });
  });

  it('cannot fill the records with codes over the mail limit: one an hour is recorded of each purpose', async () => {
    const limited = await service.another({ MAIL_LIMIT_PER_HOUR: '1' });
    const second = await limited.another();
    const { user } = await signedIn();
    const refusals = async (mfa: boolean) => {
      const { access_token } = await signIn(service, tenant, user);
      const email = `flood-of-${user}`;
      const ask = (at: Service) =>
        mfa
          ? at.call('UserProfile.enable_mfa', { mfa_type: 'EMAIL', options: { email } }, access_token)
          : at.call('UserProfile.verify_email', {}, access_token);
      const records = await recordsOf(async () => {
        await refusal(ask(limited));
        await Promise.all(
          Array.from({ length: 12 }, (_, index) => refusal(ask(index % 2 ? second : limited))),
        );
      });
      return records.map(({ action, detail }) => [action, detail?.['purpose']]);
    };
    await limited.call('UserProfile.verify_email', {}, (await signIn(service, tenant, user)).access_token);
    expect(await refusals(false)).toEqual([['code.send', 'VERIFY_EMAIL']]);
    expect(await refusals(true)).toEqual([['code.send', 'MFA']]);
    expect(await refusals(false)).toEqual([]);
    service.clock.advance(3601);
    await limited.call('UserProfile.verify_email', {}, (await signIn(service, tenant, user)).access_token);
    expect(await refusals(false)).toEqual([['code.send', 'VERIFY_EMAIL']]);
    await Promise.all([limited.close(), second.close()]);
  });
});

describe('The second factor', () => {
  it('mailed: is recorded when it is switched on and off', async () => {
    const { user, token } = await signedIn();
    const email = 'factor-recorded@example.com';
    const confirm = async () =>
      profile('confirm_mfa', { verify_code: await mailedCode(service, email) }, token);
    const on = await recordsOf(async () => {
      await profile('enable_mfa', { mfa_type: 'EMAIL', options: { email } }, token);
      await confirm();
    });
    expect(actions(on)).toEqual(['code.send', 'code.confirm', 'mfa.enable']);
    expect(on[2]).toMatchObject({ actor_id: user, target_id: user, detail: { mfa_type: 'EMAIL' } });
    const off = await recordsOf(async () => {
      await profile('disable_mfa', {}, token);
      await confirm();
    });
    expect(actions(off)).toEqual(['code.send', 'code.confirm', 'mfa.disable']);
    expect(JSON.stringify([on, off])).not.toContain(email);
  });

  it('of an authenticator: is recorded without its secret, and so is a wrong code', async () => {
    const { token } = await signedIn();
    const records = await recordsOf(async () => {
      const otp = await newAuthenticator(service, token);
      await refusal(profile('confirm_mfa', { verify_code: otp.wrongCode() }, token));
      await profile('confirm_mfa', { verify_code: otp.code() }, token);
      nextStep(service);
      await profile('disable_mfa', {}, token);
      await profile('confirm_mfa', { verify_code: otp.code() }, token);
    });
    expect(actions(records)).toEqual([
      'code.confirm ERROR_INVALID_VERIFY_CODE',
      'code.confirm',
      'mfa.enable',
      'code.confirm',
      'mfa.disable',
    ]);
    expect(records[0].detail).toEqual({ purpose: 'MFA' });
    expect(records[2].detail).toEqual({ mfa_type: 'OTP' });
  });
});
