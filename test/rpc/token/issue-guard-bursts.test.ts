import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableOtp, newAuthenticator, nextStep } from '../../authenticator.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedCode } from '../../mailed.js';

let service: Service;
let second: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  second = await service.another();
  tenant = await aTenant(service);
});
afterAll(async () => {
  await second.close();
  await service.close();
});

const attempts = () => service.app.rooms.mongo.connection.collection('sign_in_attempt');
const counterOf = (user_id: string) => attempts().findOne({ _id: { $regex: `/${user_id}$` } } as object);
/** Counts of names that nobody has. */
const nobodies = () =>
  attempts()
    .find({ _id: { $regex: '^nobody/' } } as object)
    .toArray();
const guess = (from: Service, user_id: string) =>
  refusal(
    from.call('Token.issue', {
      credentials: { user_id, password: 'Wrong0pass' },
      auth_type: 'LOCAL',
      domain_id: tenant.domain_id,
    }),
  );
const times = <T>(count: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

function tally(reasons: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

describe('Many first attempts of a user at once', () => {
  let seen = 0;

  it.each([
    [14, 8],
    [50, 3],
  ])('counts %i wrong ones exactly, %i rounds', async (count, rounds) => {
    for (let round = 0; round < rounds; round++) {
      const user = `burst-${count}-${round}@example.com`;
      const answers = await times(count, (index) => guess(index % 2 ? second : service, user));
      expect(tally(answers.map(({ reason }) => reason))).toEqual({
        ERROR_AUTHENTICATION_FAILURE: 10,
        ERROR_LOGIN_BLOCKED: count - 10,
      });
      const counted = await nobodies();
      expect(counted).toHaveLength((seen += 1));
      for (const one of counted) expect(one).toMatchObject({ wrong: 10, held: [] });
    }
  });

  it('answers sixteen right ones every time and leaves a clean counter', async () => {
    for (let round = 0; round < 3; round++) {
      const user = await aUser(service, tenant);
      for (let again = 0; again < 2; again++)
        await times(16, (index) => signIn(index % 2 ? second : service, tenant, user));
      expect(await counterOf(user)).toMatchObject({ wrong: 0, held: [] });
    }
  });
});

describe('Attempts that never end', () => {
  it('block while they may still be under way, answered soon, and are forgotten afterwards', async () => {
    const user = await aUser(service, tenant);
    await guess(service, user);
    const held = Array.from({ length: 9 }, (_, index) => ({
      id: `lost-${index}`,
      until: new Date(service.clock.now().getTime() + 30_000),
    }));
    await attempts().updateOne({ _id: { $regex: `/${user}$` } } as object, { $set: { held } });
    const refused = await times(3, () => refusal(signIn(service, tenant, user)));
    expect(tally(refused.map(({ reason }) => reason))).toEqual({ ERROR_LOGIN_BLOCKED: 3 });
    service.clock.advance(31);
    expect(await signIn(service, tenant, user)).toHaveProperty('access_token');
    expect(await counterOf(user)).toMatchObject({ wrong: 0, held: [] });
  });
});

describe('One right code, many times at once', () => {
  const twenty = async (work: (from: Service) => Promise<unknown>) => {
    const outcomes = await times(20, (index) =>
      work(index % 2 ? second : service).then(
        () => 'OK',
        (error: { details: string }) => error.details.split(':')[0]!,
      ),
    );
    return tally(outcomes);
  };
  const once = { OK: 1, ERROR_INVALID_VERIFY_CODE: 19 };
  const nobodyGuessed = async (user: string) =>
    expect(await counterOf(user)).toMatchObject({ wrong: 0, held: [] });

  it.each([['EMAIL'], ['OTP']])(
    'D-05: %s: switches MFA on and off once, and is no guess',
    async (mfa_type) => {
      const user = await aUser(service, tenant);
      const { access_token } = await signIn(service, tenant, user);
      const email = `twenty-${user}`;
      const call = (method: string, request: object, from = service) =>
        from.call(method, request, access_token);
      const otp = mfa_type === 'OTP' ? await newAuthenticator(service, access_token) : undefined;
      if (!otp) await call('UserProfile.enable_mfa', { mfa_type, options: { email } });
      for (const state of ['ENABLED', 'DISABLED']) {
        const verify_code = otp?.code() ?? (await mailedCode(service, email));
        expect(await twenty((from) => call('UserProfile.confirm_mfa', { verify_code }, from)), state).toEqual(
          once,
        );
        await nobodyGuessed(user);
        if (state === 'DISABLED') continue;
        nextStep(service);
        await call('UserProfile.disable_mfa', {});
      }
    },
  );

  it('D-05: OTP: signs in once, and is no guess', async () => {
    const user = await aUser(service, tenant);
    const otp = await enableOtp(service, (await signIn(service, tenant, user)).access_token);
    nextStep(service);
    await refusal(signIn(service, tenant, user));
    const request = {
      credentials: { user_id: user, password: PASSWORD },
      auth_type: 'MFA',
      domain_id: tenant.domain_id,
      verify_code: otp.code(),
    };
    expect(await twenty((from) => from.call('Token.issue', request))).toMatchObject({ OK: 1 });
    await nobodyGuessed(user);
  });

  it('confirm_email: confirms once, and is no guess', async () => {
    const user = await aUser(service, tenant, { email_verified: false });
    const { access_token } = await signIn(service, tenant, user);
    await service.call('UserProfile.verify_email', {}, access_token);
    const verify_code = await mailedCode(service, user);
    expect(
      await twenty((from) => from.call('UserProfile.confirm_email', { verify_code }, access_token)),
    ).toEqual(once);
    await nobodyGuessed(user);
  });

  it('is no guess when nothing waits for a code', async () => {
    const user = await aUser(service, tenant);
    const { access_token } = await signIn(service, tenant, user);
    for (const method of ['UserProfile.confirm_email', 'UserProfile.confirm_mfa'])
      for (let index = 0; index < 10; index++)
        expect((await refusal(service.call(method, { verify_code: '123456' }, access_token))).reason).toBe(
          'ERROR_INVALID_VERIFY_CODE',
        );
    expect(await signIn(service, tenant, user)).toHaveProperty('access_token');
  });
});
