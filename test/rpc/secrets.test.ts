import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authenticator, nextStep } from '../authenticator.js';
import { auditActions } from '../../src/audit-actions.js';
import { storedDocuments } from '../database.js';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, opaqueId } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { ask, byName, refused, withCode, withPassword, withToken } from '../iam/tokens.js';
import { mailedCode, mailedLink, mailedPassword, mailsTo, wrongCode } from '../mailed.js';
import { ROOT_ADMIN } from '../system.js';

const PASSWORDS = {
  first: 'Unforgettable1',
  second: 'Unforgettable2',
  wrong: 'Unforgettable3',
  reset: 'Unforgettable4',
  invited: 'Unforgettable5',
  root: 'Unforgettable6',
  made: 'Unforgettable7',
  changed: 'Unforgettable8',
  administered: 'Unforgettable9',
  inPlaceOfName: 'Unforgettable10',
};
/** Addresses that are nobody's user id. */
const ADDRESSES = {
  factor: 'second-factor@example.com',
  moved: 'moved-here@example.com',
  proven: 'proven-there@example.com',
  managed: 'managed-address@example.com',
  detailed: 'detailed-address@example.com',
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
  await iamFlows();
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
  const enable = { mfa_type: 'EMAIL', options: { email: ADDRESSES.factor } };
  await dumpedWhileQueued(() => service.call('UserProfile.enable_mfa', enable, token));
  const mfa = keep('MFA code', await mailedCode(service, 'second-factor@example.com'));
  await service.call('UserProfile.confirm_mfa', { verify_code: mfa }, token);
  await dumpedWhileQueued(() => refusal(issue(user, PASSWORDS.first)));
  const verify_code = keep('sign-in code', await mailedCode(service, 'second-factor@example.com'));
  const tokens = await issue(user, PASSWORDS.first, { auth_type: 'MFA', verify_code });
  const moving = keep('MFA access token', tokens.access_token);
  await dumpedWhileQueued(() => service.call('UserProfile.update', { email: ADDRESSES.moved }, moving));
  await dumpedWhileQueued(() =>
    service.call('UserProfile.verify_email', { email: ADDRESSES.proven }, moving),
  );
  const proof = keep('code for another address', await mailedCode(service, ADDRESSES.proven));
  await service.call('UserProfile.confirm_email', { verify_code: proof }, moving);
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
  const { domain_id } = await service.call(
    'Domain.create',
    { name: 'secret-domain', admin: account },
    system_token,
  );
  await service.call('Domain.update', { domain_id, name: 'secret' }, system_token);
  for (const method of ['disable', 'enable', 'delete'])
    await service.call(`Domain.${method}`, { domain_id }, system_token);
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

/** Signing in at OpenStack Identity; whatever carries a secret there is a header. */
async function iamSignIns(user: string): Promise<void> {
  const create = (request: object, headers?: Record<string, string>) =>
    ask(service, 'CreateToken', request, headers);
  const name = byName(tenant, user);
  const first = await create(withPassword(name, undefined, PASSWORDS.first));
  const token = keep('IAM token', first.headers['x-subject-token']!);
  await refused(service, 'CreateToken', withPassword(name, undefined, PASSWORDS.wrong));
  await refused(service, 'CreateToken', withPassword(byName(tenant, PASSWORDS.inPlaceOfName)));
  const exchanged = await create(withToken(token, 'unscoped'));
  const both = {
    'x-auth-token': token,
    'x-subject-token': keep('exchanged token', exchanged.headers['x-subject-token']!),
  };
  await ask(service, 'GetToken', {}, both);
  await ask(service, 'RevokeToken', {}, both);
  await refused(service, 'GetToken', {}, both);
  await refused(service, 'CreateToken', withToken(both['x-subject-token']));
  const { mfa } = await service.call('UserProfile.enable_mfa', { mfa_type: 'OTP' }, token);
  const otp = new Authenticator(service, mfa.options.otp_qrcode_uri as string);
  keep('OTP secret of IAM', otp.uri.searchParams.get('secret')!);
  await service.call('UserProfile.confirm_mfa', { verify_code: keep('OTP code of IAM', otp.code()) }, token);
  nextStep(service);
  const asked = await create(withPassword(name, undefined, PASSWORDS.first));
  const receipt = keep('receipt', asked.headers['openstack-auth-receipt']!);
  await dump();
  const passcode = keep('passcode', otp.code());
  const onlyCode = { identity: { methods: ['totp'], totp: { user: { ...name, passcode } } } };
  const headers = { 'openstack-auth-receipt': receipt };
  const finished = await create({ auth: onlyCode }, headers);
  keep('token for a receipt', finished.headers['x-subject-token']!);
  await refused(service, 'CreateToken', { auth: onlyCode }, headers);
  nextStep(service);
  const next = keep('next passcode', otp.code());
  const atOnce = await create(withCode(name, next, PASSWORDS.first));
  keep('token for both', atOnce.headers['x-subject-token']!);
}

/** Users of OpenStack Identity, as their administrator and they themselves change them. */
async function iamFlows(): Promise<void> {
  await iamSignIns(await aUser(service, tenant, { password: PASSWORDS.first }));
  const { access_token } = await service.call('Token.issue', {
    credentials: { user_id: tenant.admin, password: PASSWORD },
    auth_type: 'LOCAL',
    domain_id: tenant.domain_id,
  });
  const admin = keep('administrator', access_token);
  const call = (method: string, request: object, token: string) =>
    service.call(`iam.v3.UserService.${method}`, request, token);
  const given = { name: 'managed', password: PASSWORDS.made, email: ADDRESSES.managed };
  const { user } = await call('CreateUser', { user: given }, admin);
  const signedInAs = async (password: string) => {
    const { headers } = await ask(service, 'CreateToken', withPassword({ id: user.id }, undefined, password));
    return keep(`token for ${password}`, headers['x-subject-token']!);
  };
  const change = { password: PASSWORDS.changed, original_password: PASSWORDS.made };
  const own = await signedInAs(PASSWORDS.made);
  const wrong = { user_id: user.id, body: { user: { ...change, original_password: PASSWORDS.wrong } } };
  await refusal(call('ChangePassword', wrong, own));
  await call('ChangePassword', { user_id: user.id, body: { user: change } }, own);
  await signedInAs(PASSWORDS.changed);
  const administered = { user_id: user.id, body: { user: { password: PASSWORDS.administered } } };
  await dumpedWhileQueued(() => call('UpdateUser', administered, admin));
  await signedInAs(PASSWORDS.administered);
  const id = await opaqueId(service, tenant, 'managed');
  await service.call('csms.v1.UserService.GetUser', { user_id: id }, admin);
  await service.call('iam.v3.OsUserService.ShowUser', { user_id: id }, admin);
  await detailedFlows(admin);
  await call('DeleteUser', { user_id: id }, admin);
  await otherFlows(admin);
}

/** A user of OS-USER, whose number is as secret as a password. */
async function detailedFlows(admin: string): Promise<void> {
  const call = (method: string, request: object) =>
    service.call(`iam.v3.OsUserService.${method}`, request, admin);
  const given = { name: 'detailed', password: PASSWORDS.made, email: ADDRESSES.detailed };
  const { user } = await call('CreateUser', { user: { ...given, domain_id: tenant.domain_id } });
  const update = (change: object) => call('UpdateUser', { user_id: user.id, body: { user: change } });
  await dumpedWhileQueued(() => update({ password: PASSWORDS.administered, pwd_status: true }));
  await refusal(update({ password: PASSWORDS.administered, email: ADDRESSES.detailed }));
}

/** What is left of all that is recorded. */
async function otherFlows(admin: string): Promise<void> {
  const user_id = await aUser(service, tenant, {
    password: PASSWORDS.first,
    roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' },
  });
  const token = await signedIn('other', user_id, PASSWORDS.first);
  const own = (method: string, request: object) => service.call(`UserProfile.${method}`, request, token);
  const email = ADDRESSES.factor;
  await own('update', { name: 'New Name' });
  await own('enable_mfa', { mfa_type: 'EMAIL', options: { email } });
  await own('confirm_mfa', { verify_code: keep('code on', await mailedCode(service, email)) });
  await own('disable_mfa', {});
  await own('confirm_mfa', { verify_code: keep('code off', await mailedCode(service, email)) });
  await own('verify_email', { email: ADDRESSES.proven });
  const verify_code = wrongCode(keep('guessed code', await mailedCode(service, ADDRESSES.proven)));
  for (let count = 0; count < 5; count += 1) await refusal(own('confirm_email', { verify_code }));
  for (let count = 0; count < 5; count += 1) await refusal(issue(user_id, PASSWORDS.wrong));
  const id = await opaqueId(service, tenant, user_id);
  for (const user of [{ name: 'renamed' }, { enabled: false }, { enabled: true }])
    await service.call('iam.v3.UserService.UpdateUser', { user_id: id, body: { user } }, admin);
  await service.call('iam.v3.UserService.DeleteUser', { user_id: id }, admin);
}

/** A code of six digits may stand anywhere by chance, so it counts only where no digit touches it. */
function holds(text: string, secret: string): boolean {
  return /^\d{6}$/.test(secret)
    ? new RegExp(`(?<![\\d.])${secret}(?!\\d)`).test(text)
    : text.includes(secret);
}

describe('D-18: what is logged', () => {
  it('P22: holds no password, code, token or secret, though every flow was run and refused', () => {
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

  it('holds no address of a person beside their user id', () => {
    const lines = [...service.logs, ...mailing.logs].join('');
    for (const address of Object.values(ADDRESSES)) expect(lines).not.toContain(address);
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
  it('P08: holds no password, code, token, link or secret in clear, at any time', () => {
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

  it('holds mails sealed, from the moment that they are queued', () => {
    const queued = dumps.flatMap(
      (text) => (JSON.parse(text) as { outbox?: { payload?: string }[] }).outbox ?? [],
    );
    const payloads = queued.flatMap(({ payload }) => payload ?? []);
    expect(payloads.length).toBeGreaterThan(5);
    for (const payload of payloads) expect(payload).toMatch(/^v1\.[\w-]+$/);
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

describe('What is recorded', () => {
  it('holds no secret and no address, though every action was recorded', async () => {
    const { audit_record } = await storedDocuments(service);
    const recorded = new Set((audit_record as { action: string }[]).map(({ action }) => action));
    expect([...recorded].sort()).toEqual(Object.keys(auditActions).sort());
    const text = JSON.stringify(audit_record);
    for (const [name, secret] of secrets) expect(holds(text, secret), name).toBe(false);
    for (const address of Object.values(ADDRESSES)) expect(text).not.toContain(address);
    expect(text).not.toMatch(/eyJ[\w-]{10,}\.|\$2b\$|otpauth:/);
  });
});
