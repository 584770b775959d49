import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authenticator } from '../../authenticator.js';
import { enableOtp, newAuthenticator, nextStep } from '../../authenticator.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { startService } from '../../harness.js';
import { ask, byName, withCode, withPassword } from '../tokens.js';

let one: Service;
let other: Service;
let tenant: Tenant;

beforeAll(async () => {
  one = await startService();
  other = await one.another();
  tenant = await aTenant(one);
});
afterAll(async () => {
  await other.close();
  await one.close();
});

/** Apart by a little, as what is checked in one may be written by the other in between. */
const GAPS_MS = [0, 2, 5, 8, 12, 16, 20, 24];

interface Holder {
  user: string;
  token: string;
  authenticator: Authenticator;
}

async function holder(): Promise<Holder> {
  const user = await aUser(one, tenant);
  const token = (await signIn(one, tenant, user)).access_token;
  const authenticator = await enableOtp(one, token);
  nextStep(one);
  return { user, token, authenticator };
}

/** How many of the calls were answered, begun one after the other with a gap. */
async function answered(gapMs: number, calls: (() => Promise<unknown>)[]): Promise<number> {
  const outcomes = await Promise.allSettled(
    calls.map(async (call, index) => {
      if (index > 0) await sleep(index * gapMs);
      return call();
    }),
  );
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
}

const confirm = (service: Service, token: string, verify_code: string) =>
  service.call('UserProfile.confirm_mfa', { verify_code }, token);

async function receiptOf(service: Service, user: string): Promise<Record<string, string>> {
  const { headers } = await ask(service, 'CreateToken', withPassword(byName(tenant, user)));
  return { 'openstack-auth-receipt': headers['openstack-auth-receipt']! };
}

describe('D-05: One code of an authenticator, shown at two instances at once, is taken once', () => {
  it.each(GAPS_MS)('after a receipt, and to switch MFA off (%i ms later)', async (gap) => {
    const { user, token, authenticator } = await holder();
    await one.call('UserProfile.disable_mfa', {}, token);
    const receipt = await receiptOf(one, user);
    const passcode = authenticator.code();
    const identity = { methods: ['totp'], totp: { user: { ...byName(tenant, user), passcode } } };
    const calls = [
      () => ask(one, 'CreateToken', { auth: { identity } }, receipt),
      () => confirm(other, token, passcode),
    ];
    expect(await answered(gap, calls)).toBe(1);
  });

  it.each(GAPS_MS)('at Token.issue, and to switch MFA off (%i ms later)', async (gap) => {
    const { user, token, authenticator } = await holder();
    await one.call('UserProfile.disable_mfa', {}, token);
    await signIn(one, tenant, user).catch(() => undefined);
    const verify_code = authenticator.code();
    const request = {
      credentials: { user_id: user, password: PASSWORD },
      auth_type: 'MFA',
      domain_id: tenant.domain_id,
      verify_code,
    };
    const calls = [() => one.call('Token.issue', request), () => confirm(other, token, verify_code)];
    expect(await answered(gap, calls)).toBe(1);
  });

  it('to sign in with the password', async () => {
    const { user, authenticator } = await holder();
    const request = withCode(byName(tenant, user), authenticator.code());
    const calls = [one, other, one, other].map((at) => () => ask(at, 'CreateToken', request));
    expect(await answered(0, calls)).toBe(1);
  });

  it('to switch MFA on', async () => {
    const token = (await signIn(one, tenant, await aUser(one, tenant))).access_token;
    const code = (await newAuthenticator(one, token)).code();
    const calls = [one, other, one, other].map((at) => () => confirm(at, token, code));
    expect(await answered(0, calls)).toBe(1);
  });
});
