import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn } from '../../fixtures.js';
import type { Refusal, Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedCode, wrongCode } from '../../mailed.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

const WRONG = 'Wrong0pass';
const guess = (user_id: string, more: object = {}, from: Service = service): Promise<Refusal> =>
  refusal(
    from.call('Token.issue', {
      credentials: { user_id, password: WRONG, ...more },
      auth_type: 'LOCAL',
      domain_id: tenant.domain_id,
    }),
  );
const guesses = async (user_id: string, count: number) => {
  for (let index = 0; index < count; index++)
    expect((await guess(user_id)).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
};
const blocked = { code: status.UNAUTHENTICATED, reason: 'ERROR_LOGIN_BLOCKED' };
const mfa = { state: 'ENABLED' as const, mfa_type: 'EMAIL' as const };

describe('Guesses at Token.issue', () => {
  it('P02 D-08: blocks a user after ten wrong passwords, for the right one too, until 300 seconds are over', async () => {
    const victim = await aUser(service, tenant);
    const other = await aUser(service, tenant);
    await guesses(victim, 10);
    expect(await refusal(signIn(service, tenant, victim))).toMatchObject(blocked);
    expect(await guess(victim)).toMatchObject(blocked);
    expect(await signIn(service, tenant, other)).toHaveProperty('access_token');
    service.clock.advance(295);
    expect(await refusal(signIn(service, tenant, victim))).toMatchObject(blocked);
    service.clock.advance(10);
    expect(await signIn(service, tenant, victim)).toHaveProperty('access_token');
  });

  it('P02 D-08: blocks for the whole time, counted from the guess that used the last chance up', async () => {
    const victim = await aUser(service, tenant);
    await guesses(victim, 9);
    service.clock.advance(250);
    await guesses(victim, 1);
    service.clock.advance(250);
    expect(await refusal(signIn(service, tenant, victim))).toMatchObject(blocked);
  });

  it('does not make the block longer for further guesses', async () => {
    const victim = await aUser(service, tenant);
    await guesses(victim, 10);
    service.clock.advance(200);
    expect(await guess(victim)).toMatchObject(blocked);
    service.clock.advance(101);
    expect(await signIn(service, tenant, victim)).toHaveProperty('access_token');
  });

  it('forgets wrong passwords after a right one', async () => {
    const user = await aUser(service, tenant);
    for (let round = 0; round < 2; round++) {
      await guesses(user, 9);
      expect(await signIn(service, tenant, user)).toHaveProperty('access_token');
    }
  });

  it('counts unknown users like known ones, so that the block tells nothing', async () => {
    await guesses('nobody@example.com', 10);
    expect(await guess('nobody@example.com')).toMatchObject(blocked);
  });

  it('counts one user once, whatever else is in the credentials and however the id is written', async () => {
    const victim = await aUser(service, tenant, { user_id: 'spelling@example.com' });
    for (let index = 0; index < 7; index++) {
      expect((await guess(victim, { x: index })).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
    }
    for (const user_id of ['SPELLING@example.com', ' spelling@example.com ', 'ｓpelling@example.com']) {
      expect((await guess(user_id)).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
    }
    expect(await refusal(signIn(service, tenant, victim))).toMatchObject(blocked);
  });

  it('counts a user id apart in every domain', async () => {
    const elsewhere = await aTenant(service);
    const victim = await aUser(service, tenant, { user_id: 'twin@example.com' });
    await aUser(service, elsewhere, { user_id: 'twin@example.com' });
    await guesses(victim, 10);
    expect(await signIn(service, elsewhere, 'twin@example.com')).toHaveProperty('access_token');
  });

  it('P02 F10: lets no more than ten of fifty guesses at once through, over two instances', async () => {
    const victim = await aUser(service, tenant);
    const second = await service.another();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => guess(victim, {}, index % 2 ? second : service)),
    );
    const reasons = answers.map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === 'ERROR_AUTHENTICATION_FAILURE')).toHaveLength(10);
    expect(reasons.filter((reason) => reason === 'ERROR_LOGIN_BLOCKED')).toHaveLength(40);
    expect(await refusal(signIn(second, tenant, victim))).toMatchObject(blocked);
    await second.close();
  });

  it('answers forty right passwords at once, over two instances', async () => {
    const user = await aUser(service, tenant);
    const second = await service.another();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => signIn(index % 2 ? second : service, tenant, user)),
    );
    expect(answers.filter(({ access_token }) => access_token)).toHaveLength(40);
    await second.close();
  });

  it('F10: shares the count between instances', async () => {
    const victim = await aUser(service, tenant);
    const second = await service.another();
    await guesses(victim, 5);
    for (let index = 0; index < 5; index++) await guess(victim, {}, second);
    expect(await refusal(signIn(service, tenant, victim))).toMatchObject(blocked);
    await second.close();
  });

  it('blocks an address that guesses at many users', async () => {
    const strict = await service.another({ SIGN_IN_ATTEMPTS_PER_PEER: '5' });
    const from = { 'x-forwarded-for': '198.51.100.7' };
    const attempt = (user_id: string, password: string, metadata: Record<string, string>) =>
      strict.call(
        'Token.issue',
        { credentials: { user_id, password }, auth_type: 'LOCAL', domain_id: tenant.domain_id },
        undefined,
        metadata,
      );
    for (let index = 0; index < 5; index++) await refusal(attempt(`spray${index}@example.com`, WRONG, from));
    expect(await refusal(attempt(tenant.admin, PASSWORD, from))).toMatchObject(blocked);
    const elsewhere = { 'x-forwarded-for': '198.51.100.8' };
    expect(await attempt(tenant.admin, PASSWORD, elsewhere)).toHaveProperty('access_token');
    await strict.close();
  });
});

describe('The count of an address', () => {
  let strict: Service;
  beforeAll(async () => void (strict = await service.another({ SIGN_IN_ATTEMPTS_PER_PEER: '3' })));
  afterAll(() => strict.close());

  let names = 0;
  const guessFrom = (peer: string) => {
    const credentials = { user_id: `peer${++names}@example.com`, password: WRONG };
    const request = { credentials, auth_type: 'LOCAL', domain_id: tenant.domain_id };
    return refusal(strict.call('Token.issue', request, undefined, { 'x-forwarded-for': peer }));
  };
  const resetFrom = (peer: string) => {
    const request = { user_id: `peer${++names}@example.com`, domain_id: tenant.domain_id };
    return strict.call('UserProfile.reset_password', request, undefined, { 'x-forwarded-for': peer });
  };

  it('is that of a network of 64 bits for IPv6', async () => {
    for (const peer of ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', '2001:DB8:1:2:0:0:0:3'])
      expect((await guessFrom(peer)).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
    expect(await guessFrom('2001:db8:1:2:a:b:c:d')).toMatchObject(blocked);
    expect((await guessFrom('2001:db8:1:3::1')).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
  });

  it('is one for an address of IPv4, also written as IPv6', async () => {
    for (const peer of ['203.0.113.77', '::ffff:203.0.113.77', '::ffff:cb00:714d'])
      expect((await guessFrom(peer)).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
    expect(await guessFrom('0:0:0:0:0:ffff:203.0.113.77')).toMatchObject(blocked);
    expect((await guessFrom('::ffff:203.0.113.78')).reason).toBe('ERROR_AUTHENTICATION_FAILURE');
  });

  it('counts password resets in the same way', async () => {
    for (let index = 1; index <= 3; index += 1) await resetFrom(`2001:db8:7:7::${index}`);
    const refused = await refusal(resetFrom('2001:db8:7:7:1::'));
    expect(refused.reason).toBe('ERROR_TOO_MANY_REQUESTS');
    await resetFrom('2001:db8:7:8::');
  });
});

describe('The one count of all flows', () => {
  it('P05: counts second factors like passwords', async () => {
    const user = await aUser(service, tenant, { mfa: { ...mfa, options: { email: 'second@example.com' } } });
    const second = (verify_code: string) =>
      refusal(
        service.call('Token.issue', {
          credentials: { user_id: user, password: PASSWORD },
          auth_type: 'MFA',
          domain_id: tenant.domain_id,
          verify_code,
        }),
      );
    for (let round = 0; round < 2; round++) {
      expect((await refusal(signIn(service, tenant, user))).reason).toBe('ERROR_MFA_REQUIRED');
      const code = await mailedCode(service, 'second@example.com');
      for (let index = 0; index < 5; index++)
        expect((await second(wrongCode(code))).reason).toBe('ERROR_INVALID_VERIFY_CODE');
    }
    expect(await refusal(signIn(service, tenant, user))).toMatchObject(blocked);
    expect(await second('123456')).toMatchObject(blocked);
  });

  it('is not cleared by the password of a user whose second factor is still to come', async () => {
    const user = await aUser(service, tenant, { mfa: { ...mfa, options: { email: 'third@example.com' } } });
    await guesses(user, 9);
    expect((await refusal(signIn(service, tenant, user))).reason).toBe('ERROR_MFA_REQUIRED');
    await guesses(user, 1);
    expect(await refusal(signIn(service, tenant, user))).toMatchObject(blocked);
  });

  it('P05 D-20: counts guesses at the current password, and holds in every flow of a session', async () => {
    const user = await aUser(service, tenant);
    const { access_token } = await signIn(service, tenant, user);
    const call = (method: string, request: object) => refusal(service.call(method, request, access_token));
    const update = { current_password: WRONG, new_password: 'Newpass1!' };
    for (let index = 0; index < 10; index++)
      expect((await call('UserProfile.update_password', update)).reason).toBe('ERROR_PASSWORD_NOT_MATCHED');
    expect(
      await call('UserProfile.update_password', { ...update, current_password: PASSWORD }),
    ).toMatchObject(blocked);
    expect(await call('UserProfile.confirm_email', { verify_code: '123456' })).toMatchObject(blocked);
    expect(await call('UserProfile.confirm_mfa', { verify_code: '123456' })).toMatchObject(blocked);
    expect(await refusal(signIn(service, tenant, user))).toMatchObject(blocked);
    expect(await service.call('UserProfile.get', {}, access_token)).toMatchObject({ user_id: user });
  });

  it('is not cleared by a right code inside a session', async () => {
    const user = await aUser(service, tenant);
    const { access_token } = await signIn(service, tenant, user);
    const wrong = { current_password: WRONG, new_password: 'Newpass1!' };
    const tryIt = () => refusal(service.call('UserProfile.update_password', wrong, access_token));
    for (let index = 0; index < 9; index++) await tryIt();
    await service.call('UserProfile.verify_email', {}, access_token);
    const verify_code = await mailedCode(service, user);
    await service.call('UserProfile.confirm_email', { verify_code }, access_token);
    expect((await tryIt()).reason).toBe('ERROR_PASSWORD_NOT_MATCHED');
    expect(await tryIt()).toMatchObject(blocked);
  });
});
