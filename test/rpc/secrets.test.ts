import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authenticator, nextStep } from '../authenticator.js';
import { storedDocuments } from '../database.js';
import type { Tenant } from '../fixtures.js';
import { aTenant, aUser } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { mailedCode, mailedLink, mailedPassword, mailsTo, wrongCode } from '../mailed.js';
import { ROOT_ADMIN } from '../system.js';

const PASSWORDS = {
  first: 'Unforgettable1',
  second: 'Unforgettable2',
  wrong: 'Unforgettable3',
  reset: 'Unforgettable4',
  invited: 'Unforgettable5',
  root: 'Unforgettable6',
};

/** Everything secret that passed in the flows below, by what it is. */
const secrets = new Map<string, string>(Object.entries(PASSWORDS));
let service: Service;
let mailing: Service;
let tenant: Tenant;
/** The database while mails were queued and codes were open, and at the end. */
const dumps: string[] = [];

const issue = (user_id: string, password: string, given: object = {}) =>
  service.call('Token.issue', {
    credentials: { user_id, password },
    auth_type: 'LOCAL',
    domain_id: tenant.domain_id,
    ...given,
  });

function keep(name: string, value: string): string {
  secrets.set(name, value);
  return value;
}

async function signedIn(name: string, user: string, password: string): Promise<string> {
  const { access_token, refresh_token } = await issue(user, password);
  keep(`${name} refresh token`, refresh_token);
  return keep(`${name} access token`, access_token);
}

async function dump(): Promise<void> {
  dumps.push(JSON.stringify(await storedDocuments(service)));
}

/** Runs the work while no mail can leave, so that what it queues is in the dump. */
async function dumpedWhileQueued(work: () => Promise<unknown>): Promise<void> {
  await service.sink.down();
  await work();
  await dump();
  await service.sink.up();
}

beforeAll(async () => {
  service = await startService({ LOG_LEVEL: 'debug' });
  mailing = await service.another({ RESET_PASSWORD_TYPE: 'PASSWORD', LOG_LEVEL: 'debug' });
  tenant = await aTenant(service);
  await passwordFlows();
  await emailFlows();
  await otpFlows();
  await resetFlows();
  await systemFlows();
  await mailsTo(service, 'nobody@example.com');
  await dump();
});
afterAll(async () => {
  await mailing.close();
  await service.close();
});

async function passwordFlows(): Promise<void> {
  const user = await aUser(service, tenant, { password: PASSWORDS.first });
  const token = await signedIn('first', user, PASSWORDS.first);
  await refusal(issue(user, PASSWORDS.wrong));
  const change = (request: object) => service.call('UserProfile.update_password', request, token);
  await refusal(change({ current_password: PASSWORDS.wrong, new_password: PASSWORDS.second }));
  await change({ current_password: PASSWORDS.first, new_password: PASSWORDS.second });
  const fresh = await signedIn('second', user, PASSWORDS.second);
  await service.call('UserProfile.update', { password: PASSWORDS.reset }, fresh);
}

async function emailFlows(): Promise<void> {
  const user = await aUser(service, tenant, { password: PASSWORDS.first });
  const token = await signedIn('e-mail', user, PASSWORDS.first);
  await dumpedWhileQueued(() => service.call('UserProfile.verify_email', {}, token));
  const code = keep('e-mail code', await mailedCode(service, user));
  await refusal(
    service.call('UserProfile.confirm_email', { verify_code: keep('wrong code', wrongCode(code)) }, token),
  );
  await service.call('UserProfile.confirm_email', { verify_code: code }, token);
  const enable = { mfa_type: 'EMAIL', options: { email: 'second-factor@example.com' } };
  await dumpedWhileQueued(() => service.call('UserProfile.enable_mfa', enable, token));
  const mfa = keep('MFA code', await mailedCode(service, 'second-factor@example.com'));
  await service.call('UserProfile.confirm_mfa', { verify_code: mfa }, token);
  await dumpedWhileQueued(() => refusal(issue(user, PASSWORDS.first)));
  const verify_code = keep('sign-in code', await mailedCode(service, 'second-factor@example.com'));
  const tokens = await issue(user, PASSWORDS.first, { auth_type: 'MFA', verify_code });
  keep('MFA access token', tokens.access_token);
}

async function otpFlows(): Promise<void> {
  const user = await aUser(service, tenant, { password: PASSWORDS.first });
  const token = await signedIn('OTP', user, PASSWORDS.first);
  const { mfa } = await service.call('UserProfile.enable_mfa', { mfa_type: 'OTP' }, token);
  const authenticator = new Authenticator(service, mfa.options.otp_qrcode_uri as string);
  keep('OTP secret', authenticator.uri.searchParams.get('secret')!);
  await dump();
  await service.call(
    'UserProfile.confirm_mfa',
    { verify_code: keep('OTP code', authenticator.code()) },
    token,
  );
  nextStep(service);
  await refusal(issue(user, PASSWORDS.first));
  await dump();
  const enforced = await aUser(service, tenant, {
    password: PASSWORDS.first,
    required_actions: ['ENFORCE_MFA'],
    mfa: { state: 'DISABLED', mfa_type: 'OTP', options: { enforce: true } },
  });
  const { text } = await refusal(issue(enforced, PASSWORDS.first));
  keep('enrolment token', /access_token = ([\w.-]+)/.exec(text)![1]!);
}

async function resetFlows(): Promise<void> {
  const user = await aUser(service, tenant, { password: PASSWORDS.first });
  const key = { user_id: user, domain_id: tenant.domain_id };
  await dumpedWhileQueued(async () => {
    await service.call('UserProfile.reset_password', key);
    await service.app.rooms.reset.settled();
  });
  const { token } = await mailedLink(service, user);
  keep('link token', token);
  await service.call('UserProfile.update_password', { new_password: PASSWORDS.reset }, token);
  await dumpedWhileQueued(async () => {
    await mailing.call('UserProfile.reset_password', key);
    await mailing.app.rooms.reset.settled();
  });
  const temporary = keep('temporary password', await mailedPassword(service, user));
  await signedIn('temporary', user, temporary);
}

async function systemFlows(): Promise<void> {
  const admin = { ...ROOT_ADMIN, password: PASSWORDS.root };
  const { system_token } = await service.call('System.init', { admin });
  keep('system token', system_token);
  const account = { user_id: 'boss@example.com', name: 'Boss', password: PASSWORDS.invited };
  await service.call('Domain.create', { name: 'secret-domain', admin: account }, system_token);
  const invited = {
    ...account,
    user_id: 'guest@example.com',
    email: 'guest@example.com',
    reset_password: true,
  };
  await dumpedWhileQueued(() =>
    mailing.call('Domain.create', { name: 'other-domain', admin: invited }, system_token),
  );
  keep('invitation password', await mailedPassword(service, 'guest@example.com'));
}

/** A code of six digits may stand anywhere by chance, so it counts only where no digit touches it. */
function holds(text: string, secret: string): boolean {
  return /^\d{6}$/.test(secret)
    ? new RegExp(`(?<![\\d.])${secret}(?!\\d)`).test(text)
    : text.includes(secret);
}

describe('D-18: what is logged', () => {
  it('holds no password, code, token or secret, though every flow was run and refused', () => {
    const lines = [...service.logs, ...mailing.logs];
    expect(lines.length).toBeGreaterThan(40);
    for (const [name, secret] of secrets)
      expect(
        lines.filter((line) => holds(line, secret)),
        name,
      ).toEqual([]);
    expect(lines.filter((line) => /eyJ[\w-]{10,}\./.test(line))).toEqual([]);
  });

  it('holds no address that mails went to', () => {
    const sent = [...service.logs, ...mailing.logs].filter((line) => line.includes('mail_id'));
    expect(sent.length).toBeGreaterThan(5);
    for (const line of sent) expect(line).not.toContain('@example.com');
  });

  it('tells of every sign-in, good and bad, with the user', () => {
    const signIns = service.logs.map((line) => JSON.parse(line) as Record<string, unknown>);
    const issued = signIns.filter(({ method }) => String(method).endsWith('Token/issue'));
    const known = { level: 30, domain_id: tenant.domain_id, user_id: expect.stringContaining('@') };
    expect(issued).toContainEqual(expect.objectContaining({ ...known, code: 'OK' }));
    const reason = 'ERROR_AUTHENTICATION_FAILURE';
    expect(issued).toContainEqual(expect.objectContaining({ ...known, reason }));
  });

  it('holds no user id that nobody has, because it may be a password in the wrong field', async () => {
    await refusal(issue('Mistyped-Passw0rd', PASSWORDS.wrong));
    expect(service.logs.join('')).not.toContain('Mistyped-Passw0rd');
  });
});

describe('D-17: what is stored', () => {
  it('holds no password, code, token, link or secret in clear, at any time', () => {
    expect(dumps.length).toBeGreaterThan(7);
    for (const [name, secret] of secrets)
      expect(
        dumps.map((text) => holds(text, secret)),
        name,
      ).not.toContain(true);
    for (const text of dumps) {
      expect(text).not.toMatch(/sso_access_token|otpauth:|eyJ[\w-]{10,}\./);
    }
  });

  it('holds no private key in clear', async () => {
    const { domain_secret } = await storedDocuments(service);
    expect(domain_secret!.length).toBeGreaterThan(2);
    for (const keys of domain_secret as Record<'access' | 'refresh', Record<string, unknown>>[]) {
      for (const { public_jwk, private_jwk } of [keys.access, keys.refresh]) {
        expect(Object.keys(public_jwk as object).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
        expect(private_jwk).toMatch(/^v1\.[\w-]+$/);
      }
    }
    expect(dumps.at(-1)).not.toMatch(/"(d|p|q|dp|dq|qi)":/);
  });

  it('holds passwords as bcrypt hashes alone, and no address or content of mails that were sent', async () => {
    const { user, outbox } = await storedDocuments(service);
    for (const { password } of user as { password?: string }[])
      if (password !== undefined) expect(password).toMatch(/^\$2b\$\d\d\$[./A-Za-z0-9]{53}$/);
    expect(outbox!.length).toBeGreaterThan(5);
    for (const mail of outbox as Record<string, unknown>[]) expect(mail).toMatchObject({ state: 'SENT' });
    expect(JSON.stringify(outbox)).not.toMatch(/payload|@/);
  });
});
