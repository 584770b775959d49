import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableOtp, nextStep } from '../../authenticator.js';
import { recorder, tally } from '../../audit/recorded.js';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import type { Refusal, Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { UNAUTHENTICATED, ask, byName, refused, withPassword } from '../../iam/tokens.js';
import { mailedCode } from '../../mailed.js';
import { ROOT_ADMIN } from '../../system.js';

const CROWD = 150;
const RECEIPT = 'openstack-auth-receipt';
let service: Service;
let tenant: Tenant;
/** Somebody else, who only wants to go on. */
let other: string;
let recordsOf: ReturnType<typeof recorder>;

beforeAll(async () => {
  service = await startService({
    // More than come at once: only calls that take long make the service refuse some.
    MAX_CALLS: String(3 * CROWD),
    MAX_STREAMS: '1000',
    LOOP_DELAY_MS: '60000',
    REQUEST_TIMEOUT_MS: '6000',
  });
  const { system_token } = await service.call('System.init', { admin: ROOT_ADMIN });
  tenant = await aTenant(service);
  other = await tokenOf(service, tenant, await aUser(service, tenant));
  recordsOf = recorder(service, system_token);
});
afterAll(() => service.close());

const counts = () => service.app.rooms.mongo.connection.collection('sign_in_attempt');
const crowd = <T>(work: () => Promise<T>) => Promise.all(Array.from({ length: CROWD }, work));
const onlyCode = (user_id: string, headers: Record<string, string> = {}) => {
  const totp = { user: { ...byName(tenant, user_id), passcode: '123456' } };
  return refused(service, 'CreateToken', { auth: { identity: { methods: ['totp'], totp } } }, headers);
};

/** Takes every place among the attempts at the user, as instances do that have died. */
async function allHeld(user_id: string): Promise<void> {
  const until = new Date(service.clock.now().getTime() + 60_000);
  const held = Array.from({ length: 10 }, (_, index) => ({ id: `lost-${index}`, until }));
  const _id = `user/${tenant.domain_id}/${user_id}` as never;
  const times = { expires_at: until, purge_at: until };
  await counts().updateOne({ _id }, { $set: { wrong: 0, held, ...times } }, { upsert: true });
}

/** What a crowd is answered; meanwhile calls of somebody else are all answered, and new ones go on doing so. */
async function amid<T>(answers: Promise<T[]>): Promise<T[]> {
  const state = { over: false };
  const done = answers.finally(() => (state.over = true));
  do {
    const { user_id } = await service.call('UserProfile.get', {}, other);
    expect(user_id).toBeTruthy();
    await sleep(20);
  } while (!state.over);
  return done;
}

const reasons = (answers: Refusal[]) => [...new Set(answers.map(({ reason }) => reason))];

describe('A crowd at one user keeps nobody else out', () => {
  it('with codes and no receipt: each is refused at once, whoever else tries at the user', async () => {
    const victim = await aUser(service, tenant);
    await allHeld(victim);
    for (let wave = 0; wave < 2; wave += 1)
      for (const answer of await amid(crowd(() => onlyCode(victim))))
        expect(answer).toMatchObject(UNAUTHENTICATED);
  });

  it('with a receipt of somebody else, or none that is one', async () => {
    const victim = await aUser(service, tenant);
    const attacker = await aUser(service, tenant);
    await enableOtp(service, await tokenOf(service, tenant, attacker));
    const { headers } = await ask(service, 'CreateToken', withPassword(byName(tenant, attacker)));
    await allHeld(victim);
    for (const receipt of [headers[RECEIPT]!, 'nonsense'])
      for (const answer of await amid(crowd(() => onlyCode(victim, { [RECEIPT]: receipt }))))
        expect(answer).toMatchObject(UNAUTHENTICATED);
  });

  it.each(['confirm_email', 'confirm_mfa'])('with a token and no code to confirm: %s', async (method) => {
    const attacker = await aUser(service, tenant);
    const token = await tokenOf(service, tenant, attacker);
    await allHeld(attacker);
    const confirm = () => refusal(service.call(`UserProfile.${method}`, { verify_code: '123456' }, token));
    for (let wave = 0; wave < 2; wave += 1)
      expect(reasons(await amid(crowd(confirm)))).toEqual(['ERROR_INVALID_VERIFY_CODE']);
  });

  it('with guesses that wait for their turn', async () => {
    const attacker = await aUser(service, tenant, { email_verified: false });
    const token = await tokenOf(service, tenant, attacker);
    await service.call('UserProfile.verify_email', {}, token);
    await mailedCode(service, attacker);
    await allHeld(attacker);
    const confirm = () =>
      refusal(service.call('UserProfile.confirm_email', { verify_code: '123456' }, token));
    const waves = [crowd(confirm), crowd(confirm)];
    const answers = (await amid(Promise.all(waves))).flat();
    // Some get no turn before their time is over, some come when too many wait already.
    expect(reasons(answers)).toContain('ERROR_LOGIN_BLOCKED');
  });
});

describe('A code without a receipt that fits', () => {
  it('is a failed sign-in by nobody, and no attempt at the account', async () => {
    const user_id = await aUser(service, tenant);
    const records = await recordsOf(async () => {
      await onlyCode(user_id);
      await onlyCode('nobody@example.com');
    });
    expect(records).toMatchObject([
      { reason: 'ERROR_INVALID_CREDENTIALS', target_id: user_id, actor_type: 'ACTOR_TYPE_NOBODY' },
      { reason: 'ERROR_NOT_FOUND' },
    ]);
    expect(records).toHaveLength(2);
    for (let count = 0; count < 12; count += 1) await onlyCode(user_id);
    expect(await signIn(service, tenant, user_id)).toHaveProperty('access_token');
  });

  it('counts for the address: then nothing is recorded any more', async () => {
    const strict = await service.another({ SIGN_IN_ATTEMPTS_PER_PEER: '5' });
    const user_id = await aUser(service, tenant);
    const totp = { user: { ...byName(tenant, user_id), passcode: '123456' } };
    const request = { auth: { identity: { methods: ['totp'], totp } } };
    const from = { 'x-forwarded-for': '198.51.100.33' };
    const records = await recordsOf(async () => {
      for (let count = 0; count < 8; count += 1) await refused(strict, 'CreateToken', request, from);
    });
    expect(tally(records)).toEqual({ 'user.sign_in ERROR_INVALID_CREDENTIALS': 5 });
    const right = withPassword(byName(tenant, user_id));
    expect(await refused(strict, 'CreateToken', right, from)).toMatchObject(UNAUTHENTICATED);
    const elsewhere = { 'x-forwarded-for': '198.51.100.34' };
    expect((await ask(strict, 'CreateToken', right, elsewhere)).status).toBe('201');
    await strict.close();
  });

  it('leaves no record while the account is locked', async () => {
    const user_id = await aUser(service, tenant);
    for (let count = 0; count < 10; count += 1) await refusal(signIn(service, tenant, user_id, 'Wrong0pass'));
    expect(await recordsOf(() => onlyCode(user_id))).toEqual([]);
  });

  it('is a failed sign-in too when the receipt was used meanwhile', async () => {
    const user_id = await aUser(service, tenant);
    const otp = await enableOtp(service, await tokenOf(service, tenant, user_id));
    nextStep(service);
    const { headers } = await ask(service, 'CreateToken', withPassword(byName(tenant, user_id)));
    const totp = { user: { ...byName(tenant, user_id), passcode: otp.code() } };
    const request = { auth: { identity: { methods: ['totp'], totp } } };
    const receipt = { [RECEIPT]: headers[RECEIPT]! };
    const records = await recordsOf(() =>
      Promise.allSettled(Array.from({ length: 8 }, () => ask(service, 'CreateToken', request, receipt))),
    );
    const { 'user.sign_in': done, 'code.confirm': used, ...failed } = tally(records);
    expect([done, used]).toEqual([1, 1]);
    expect(Object.values(failed).reduce((sum, one) => sum + one, 0)).toBe(7);
  });
});
