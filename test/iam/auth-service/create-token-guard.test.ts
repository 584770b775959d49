import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableOtp, nextStep } from '../../authenticator.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, opaqueId, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { UNAUTHENTICATED, ask, byName, refused, withCode, withPassword } from '../tokens.js';

const WRONG = 'Wrong0pass';
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

const guess = (user: object, from = service, password = WRONG) =>
  refused(from, 'CreateToken', withPassword(user, undefined, password));
const guesses = async (user: object, count: number) => {
  for (let index = 0; index < count; index++) expect(await guess(user)).toMatchObject(UNAUTHENTICATED);
};
const right = (user_id: string) => ask(service, 'CreateToken', withPassword(byName(tenant, user_id)));
const counts = () => service.app.rooms.mongo.connection.collection('sign_in_attempt');
const wrongOf = async (user_id: string) =>
  (await counts().findOne({ _id: `user/${tenant.domain_id}/${user_id}` } as object))?.['wrong'] as number;

describe('Guesses at CreateToken', () => {
  it('P02: block a user on both faces after ten, for the right password too, for 300 seconds', async () => {
    const victim = await aUser(service, tenant);
    await guesses(byName(tenant, victim), 10);
    expect(await guess(byName(tenant, victim), service, PASSWORD)).toMatchObject(UNAUTHENTICATED);
    expect(await refusal(signIn(service, tenant, victim))).toMatchObject({ reason: 'ERROR_LOGIN_BLOCKED' });
    service.clock.advance(295);
    expect(await guess(byName(tenant, victim), second, PASSWORD)).toMatchObject(UNAUTHENTICATED);
    service.clock.advance(10);
    expect((await right(victim)).status).toBe('201');
  });

  it('P05: count together with those at Token.issue', async () => {
    const victim = await aUser(service, tenant);
    await guesses(byName(tenant, victim), 5);
    for (let index = 0; index < 5; index++) await refusal(signIn(service, tenant, victim, WRONG));
    expect(await guess(byName(tenant, victim), second, PASSWORD)).toMatchObject(UNAUTHENTICATED);
    expect(await refusal(signIn(second, tenant, victim))).toMatchObject({ reason: 'ERROR_LOGIN_BLOCKED' });
  });

  it('count once for an account, whatever it is called', async () => {
    const victim = await aUser(service, tenant, { user_id: 'many@example.com', username: 'Many.Names' });
    const id = await opaqueId(service, tenant, victim);
    const called = [
      { id },
      { id, domain: { id: tenant.domain_id } },
      { id: victim, domain: { name: tenant.name } },
      byName(tenant, victim),
      byName(tenant, 'MANY@example.com'),
      byName(tenant, ' many@example.com '),
      byName(tenant, 'Many.Names'),
      { name: 'many.names', domain: { name: tenant.name } },
      byName(tenant, 'ｍany@example.com'),
      byName(tenant, 'MANY.NAMES'),
    ];
    for (const user of called) expect(await guess(user)).toMatchObject(UNAUTHENTICATED);
    expect(await wrongOf(victim)).toBe(10);
    expect(await refusal(signIn(service, tenant, victim))).toMatchObject({ reason: 'ERROR_LOGIN_BLOCKED' });
  });

  it('count for unknown users as well', async () => {
    await guesses(byName(tenant, 'nobody@example.com'), 10);
    const reason = lastReason();
    await guesses(byName(tenant, 'nobody@example.com'), 1);
    expect(reason()).toBe('ERROR_LOGIN_BLOCKED');
  });

  it('are let through ten times of fifty at once, over two instances and both faces', async () => {
    const victim = await aUser(service, tenant);
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => {
        const from = index % 2 ? second : service;
        return index % 3 ? guess(byName(tenant, victim), from) : refusal(signIn(from, tenant, victim, WRONG));
      }),
    );
    expect(await wrongOf(victim)).toBe(10);
    expect(await guess(byName(tenant, victim), second, PASSWORD)).toMatchObject(UNAUTHENTICATED);
  });

  it('are forgotten after a right password', async () => {
    const user = await aUser(service, tenant);
    await guesses(byName(tenant, user), 9);
    expect((await right(user)).status).toBe('201');
    expect(await wrongOf(user)).toBe(0);
  });

  it('P05: count codes like passwords, and no right password alone clears them', async () => {
    const user = await aUser(service, tenant);
    const authenticator = await enableOtp(service, (await signIn(service, tenant, user)).access_token);
    nextStep(service);
    for (let index = 0; index < 10; index++) {
      const request = withCode(byName(tenant, user), authenticator.wrongCode());
      expect(await refused(service, 'CreateToken', request)).toMatchObject(UNAUTHENTICATED);
      if (index === 4) expect((await right(user)).status).toBe('401');
    }
    expect(await wrongOf(user)).toBe(10);
    const request = withCode(byName(tenant, user), authenticator.code());
    expect(await refused(service, 'CreateToken', request)).toMatchObject(UNAUTHENTICATED);
  });

  it('do not count when the user is disabled and the password right', async () => {
    const user = await aUser(service, tenant, { state: 'DISABLED' });
    await guess(byName(tenant, user), service, PASSWORD);
    expect(await wrongOf(user)).toBe(0);
  });

  it('block an address that guesses at many users', async () => {
    const strict = await service.another({ SIGN_IN_ATTEMPTS_PER_PEER: '5' });
    const from = { 'x-forwarded-for': '198.51.100.17' };
    for (let index = 0; index < 5; index++) {
      const request = withPassword(byName(tenant, `spray${index}@example.com`), undefined, WRONG);
      await refused(strict, 'CreateToken', request, from);
    }
    const request = withPassword(byName(tenant, tenant.admin));
    expect(await refused(strict, 'CreateToken', request, from)).toMatchObject(UNAUTHENTICATED);
    const elsewhere = { 'x-forwarded-for': '198.51.100.18' };
    expect((await ask(strict, 'CreateToken', request, elsewhere)).status).toBe('201');
    await strict.close();
  });
});

/** The reason in the newest log line, once asked. */
function lastReason(): () => unknown {
  return () =>
    (JSON.parse(service.logs.filter((line) => line.includes('CreateToken')).at(-1)!) as { reason: unknown })
      .reason;
}

/** The one line that a sign-in leaves. */
async function lineOf(request: object, secrets: string[]) {
  const id = randomUUID();
  await ask(service, 'CreateToken', request, { 'x-request-id': id }).catch(() => undefined);
  const lines = service.logs.filter((line) => line.includes(id));
  expect(lines).toHaveLength(1);
  for (const secret of [...secrets, 'eyJ', 'v1.']) expect(lines[0]).not.toContain(secret);
  return JSON.parse(lines[0]!) as Record<string, unknown>;
}

describe('The log line of a sign-in', () => {
  it('tells who signed in, and who only half', async () => {
    const user = await aUser(service, tenant, { username: 'Log.Name' });
    const whole = {
      level: 30,
      msg: 'answered',
      domain_id: tenant.domain_id,
      user_id: user,
      peer: '127.0.0.1',
    };
    expect(await lineOf(withPassword(byName(tenant, 'log.name')), [PASSWORD])).toMatchObject(whole);
    await enableOtp(service, (await signIn(service, tenant, user)).access_token);
    expect(await lineOf(withPassword(byName(tenant, 'log.name')), [PASSWORD])).toMatchObject({
      ...whole,
      reason: 'ERROR_MFA_REQUIRED',
    });
  });

  it('tells who did not, and why, though the caller is told one thing', async () => {
    const user = await aUser(service, tenant, { state: 'DISABLED' });
    const stranger = byName(tenant, 'stranger@example.com');
    for (const [request, user_id, reason] of [
      [withPassword(stranger, undefined, WRONG), 'stranger@example.com', 'ERROR_AUTHENTICATION_FAILURE'],
      [withPassword(byName(tenant, user), undefined, WRONG), user, 'ERROR_AUTHENTICATION_FAILURE'],
      [withPassword(byName(tenant, user)), user, 'ERROR_USER_STATE_DISABLED'],
      [
        withPassword(byName(tenant, tenant.admin), { project: { id: 'none' } }),
        tenant.admin,
        'ERROR_NOT_FOUND',
      ],
    ] as const) {
      const line = { level: 30, msg: 'refused', code: 'UNAUTHENTICATED', domain_id: tenant.domain_id };
      expect(await lineOf(request, [WRONG, PASSWORD])).toMatchObject({ ...line, user_id, reason });
    }
  });

  it.each([['Mistyped-Passw0rd'], ['P@ssw0rd']])('holds nothing that is no id: %s', async (name) => {
    expect(await lineOf(withPassword(byName(tenant, name), undefined, WRONG), [name])).not.toHaveProperty(
      'user_id',
    );
    const nowhere = { name: 'a@example.com', domain: { name } };
    expect(await lineOf(withPassword(nowhere, undefined, WRONG), [name])).not.toHaveProperty('domain_id');
  });
});
