import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableEmail, enableOtp, nextStep } from '../../authenticator.js';
import type { Authenticator } from '../../authenticator.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { startService } from '../../harness.js';
import { mailedCode, mailsTo, wrongCode } from '../../mailed.js';
import { UNAUTHENTICATED, ask, byName, iamToken, refused, withCode, withPassword } from '../tokens.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService({ PUBLIC_URL: 'https://iam.example.com' });
  tenant = await aTenant(service);
});
afterAll(() => service.close());

const RECEIPT = 'openstack-auth-receipt';
let count = 0;

async function withOtp(): Promise<{ user: string; authenticator: Authenticator }> {
  const user = await aUser(service, tenant);
  const authenticator = await enableOtp(service, (await signIn(service, tenant, user)).access_token);
  nextStep(service);
  return { user, authenticator };
}

async function withEmail(): Promise<{ user: string; address: string }> {
  const user = await aUser(service, tenant);
  const address = `second${++count}@example.com`;
  await enableEmail(service, (await signIn(service, tenant, user)).access_token, address);
  return { user, address };
}

const create = (request: object, headers?: Record<string, string>) =>
  ask(service, 'CreateToken', request, headers);
const denied = (request: object, headers?: Record<string, string>) =>
  refused(service, 'CreateToken', request, headers);
const onlyPassword = (user: string) => create(withPassword(byName(tenant, user)));
const onlyCode = (user: object, passcode: string) => ({
  auth: { identity: { methods: ['totp'], totp: { user: { ...user, passcode } } } },
});

async function receiptOf(user: string): Promise<Record<string, string>> {
  return { [RECEIPT]: (await onlyPassword(user)).headers[RECEIPT]! };
}

/** Neither token nor receipt. */
async function expectDenied(request: object, headers?: Record<string, string>): Promise<void> {
  const answer = await denied(request, headers);
  expect(answer).toMatchObject(UNAUTHENTICATED);
  expect(answer.metadata.get(RECEIPT)).toEqual([]);
  expect(answer.metadata.get('x-subject-token')).toEqual([]);
}

describe('A password of a user with MFA', () => {
  it('gives a receipt, and no token', async () => {
    const { user } = await withOtp();
    const { status, headers, body } = await onlyPassword(user);
    expect(status).toBe('401');
    expect(headers).toMatchObject({
      [RECEIPT]: expect.stringMatching(/^[\w.-]+$/),
      'www-authenticate': 'Keystone uri="https://iam.example.com/v3"',
    });
    expect(headers).not.toHaveProperty('x-subject-token');
    expect(body).toEqual({
      receipt: {
        methods: ['password'],
        user: expect.objectContaining({ name: user, domain: { id: tenant.domain_id, name: tenant.name } }),
        issued_at: expect.stringMatching(/Z$/),
        expires_at: expect.stringMatching(/Z$/),
      },
      required_auth_methods: [['password', 'totp']],
    });
    expect(Buffer.from(headers[RECEIPT]!.slice(3), 'base64url').toString('latin1')).not.toContain(user);
  });

  it('gives neither when it is wrong', async () => {
    const { user } = await withOtp();
    await expectDenied(withPassword(byName(tenant, user), undefined, 'Wrong0pass'));
  });
});

describe('A password and a code of an authenticator', () => {
  it('sign in together without any call before', async () => {
    const { user, authenticator } = await withOtp();
    const { status, body, headers } = await create(withCode(byName(tenant, user), authenticator.code()));
    expect(status).toBe('201');
    expect(body.token.methods).toEqual(['password', 'totp']);
    expect(decodeJwt(headers['x-subject-token']!)).toMatchObject({ amr: ['pwd', 'otp'] });
  });

  it('sign in once with one code, however many try', async () => {
    const { user, authenticator } = await withOtp();
    const request = withCode(byName(tenant, user), authenticator.code());
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => create(request)));
    expect(answers.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    await expectDenied(request);
    nextStep(service);
    expect(await iamToken(service, withCode(byName(tenant, user), authenticator.code()))).toBeTruthy();
  });

  it('do not sign in when either is wrong', async () => {
    const { user, authenticator } = await withOtp();
    await expectDenied(withCode(byName(tenant, user), authenticator.wrongCode()));
    await expectDenied(withCode(byName(tenant, user), authenticator.code(), 'Wrong0pass'));
    await expectDenied(withCode(byName(tenant, user), 'abcdef'));
  });

  it('have to be those of one user', async () => {
    const { user, authenticator } = await withOtp();
    const other = await aUser(service, tenant);
    const identity = {
      methods: ['password', 'totp'],
      password: { user: { ...byName(tenant, user), password: PASSWORD } },
      totp: { user: { ...byName(tenant, other), passcode: authenticator.code() } },
    };
    await expectDenied({ auth: { identity } });
    identity.totp.user = { ...byName(tenant, user.toUpperCase()), passcode: authenticator.code() };
    expect(await iamToken(service, { auth: { identity } })).toBeTruthy();
  });

  it('are refused to a user without MFA', async () => {
    await expectDenied(withCode(byName(tenant, await aUser(service, tenant)), '123456'));
  });
});

describe('A password and a mailed code', () => {
  it('sign in after the code was asked for with the password alone', async () => {
    const { user, address } = await withEmail();
    expect((await onlyPassword(user)).status).toBe('401');
    const code = await mailedCode(service, address);
    await expectDenied(withCode(byName(tenant, user), wrongCode(code)));
    expect(await iamToken(service, withCode(byName(tenant, user), code))).toBeTruthy();
    await expectDenied(withCode(byName(tenant, user), code));
  });

  it('mail nothing by themselves', async () => {
    const { user, address } = await withEmail();
    const before = await mailsTo(service, address);
    await expectDenied(withCode(byName(tenant, user), '123456'));
    expect(await mailsTo(service, address)).toBe(before);
  });

  it('sign in after Token.issue asked for the code', async () => {
    const { user, address } = await withEmail();
    await signIn(service, tenant, user).catch(() => undefined);
    const code = await mailedCode(service, address);
    expect(await iamToken(service, withCode(byName(tenant, user), code))).toBeTruthy();
  });
});

describe('A receipt', () => {
  it('stands for the password, once', async () => {
    const { user, authenticator } = await withOtp();
    const receipt = await receiptOf(user);
    const request = onlyCode(byName(tenant, user), authenticator.code());
    const { status, body } = await create(request, receipt);
    expect(status).toBe('201');
    expect(body.token.methods).toEqual(['password', 'totp']);
    nextStep(service);
    await receiptOf(user);
    await expectDenied(onlyCode(byName(tenant, user), authenticator.code()), receipt);
  });

  it('works with a mailed code', async () => {
    const { user, address } = await withEmail();
    const receipt = await receiptOf(user);
    const code = await mailedCode(service, address);
    expect((await create(onlyCode(byName(tenant, user), code), receipt)).status).toBe('201');
  });

  it('takes five wrong codes', async () => {
    const { user, authenticator } = await withOtp();
    const receipt = await receiptOf(user);
    for (let guess = 0; guess < 5; guess++)
      await expectDenied(onlyCode(byName(tenant, user), authenticator.wrongCode()), receipt);
    await expectDenied(onlyCode(byName(tenant, user), authenticator.code()), receipt);
  });

  it('is worth nothing for another user, late, changed, or after the password was changed', async () => {
    const { user, authenticator } = await withOtp();
    const other = await withOtp();
    const request = () => onlyCode(byName(tenant, user), authenticator.code());
    await receiptOf(user);
    await expectDenied(request(), await receiptOf(other.user));
    await expectDenied(request());
    const [text] = Object.values(await receiptOf(user)) as [string];
    await expectDenied(request(), { [RECEIPT]: `${text.slice(0, -2)}AA` });
    await expectDenied(request(), { [RECEIPT]: 'nonsense' });
    const late = await receiptOf(user);
    service.clock.advance(301);
    await expectDenied(request(), late);
    const before = await receiptOf(user);
    const key = { domain_id: tenant.domain_id, user_id: user };
    const reach = { deadline: Date.now() + 9000 };
    await service.app.rooms.models.users.update(reach, key, { $inc: { generation: 1 } });
    await expectDenied(request(), before);
    expect((await create(request(), await receiptOf(user))).status).toBe('201');
  });
});
