import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescMessage } from '@bufbuild/protobuf';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Children, lastWords } from '../../scripts/launch/children.mjs';
import type { Child } from '../../scripts/launch/children.mjs';
import { startDatabase } from '../../scripts/launch/database.mjs';
import { freePort } from '../../scripts/launch/ports.mjs';
import { serverTools } from '../../scripts/launch/tools.mjs';
import { isServing, until } from '../../scripts/launch/wait.mjs';
import { Authenticator } from '../authenticator.js';
import { httpBindings } from '../fuzz/descriptor.js';
import type { Service } from '../harness.js';
import { withPassword, withToken } from '../iam/tokens.js';
import { mailedCode, mailedLink, wrongCode } from '../mailed.js';
import type { Edge, RestAnswer } from '../rest/edge.js';
import { startEdge } from '../rest/edge.js';
import type { SmtpSink } from '../smtp-sink.js';
import { startSmtpSink } from '../smtp-sink.js';
import type { Answer } from '../wire-client.js';
import { WireClient, registry } from '../wire-client.js';

const PASSWORDS = {
  root: 'Unforgettable1',
  admin: 'Unforgettable2',
  first: 'Unforgettable3',
  second: 'Unforgettable4',
  third: 'Unforgettable5',
  reset: 'Unforgettable6',
  made: 'Unforgettable7',
  changed: 'Unforgettable8',
  administered: 'Unforgettable9',
  detailed: 'Unforgotten1',
  replaced: 'Unforgotten2',
  wrong: 'Unrememberable1',
  mistaken: 'Unrememberable2',
  never: 'Unrememberable3',
};
const ADMIN = 'admin@example.com';
const MEMBER = 'member@example.com';
const FACTOR = 'factor@example.com';
const PACKAGE = 'spaceone.api.identity.v2.';
/** Names of fields and headers that hold a secret. */
const SECRET = /password$|token$|^verify_code$|^passcode$|receipt$|^otp_/;

const children = new Children();
/** Everything secret that went to the service or came from it, by what it is. */
const secrets = new Map<string, string>(Object.entries(PASSWORDS));
/** Methods that were called. */
const called = new Set<string>();
let folder: string;
let service: Child;
let sink: SmtpSink;
let edge: Edge;
let direct: WireClient;
let uri: string;
let domain_id: string;
let workspace_id: string;
let written: Record<string, string>;

const mails = () => ({ sink }) as unknown as Service;

function keep(name: string, value: string): string {
  if (value.length > 5) secrets.set(`${secrets.size} ${name}`, value);
  return value;
}

/** Keeps every text that stands in a field whose name says that it is secret. */
function keepAll(value: unknown, name = ''): void {
  if (typeof value === 'string' && SECRET.test(name)) keep(name, value);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inside] of Object.entries(value)) keepAll(inside, Array.isArray(value) ? name : key);
}

/** Calls a method over HTTP if it has a path, else over gRPC; answers its message whatever it is. */
async function call(method: string, request: Record<string, unknown> = {}, token = ''): Promise<Answer> {
  const name = /^\w+\.v\d/.test(method) ? method : PACKAGE + method;
  called.add(name);
  const binding = httpBindings().find((one) => `${one.method.parent.typeName}.${one.method.name}` === name);
  keepAll(request);
  if (!binding) return grpc(method, request, token);
  const path = binding.path.replace(/\{(\w+)\}/g, (_, key: string) =>
    encodeURIComponent(String(request[key])),
  );
  const body = binding.body === '*' ? request : request[binding.body];
  const answer = await edge.send(binding.verb, path, body, token ? { 'x-auth-token': token } : {});
  return kept(answer).body;
}

async function grpc(method: string, request: object, token?: string): Promise<Answer> {
  const answer: Answer = await direct.call(method, request, token).catch((error: Error) => error.message);
  keepAll(answer);
  return answer;
}

function kept(answer: RestAnswer): RestAnswer {
  keepAll(answer.body);
  keepAll(Object.fromEntries(answer.headers));
  const inText = /access_token = ([\w.-]+)/.exec(JSON.stringify(answer.body));
  if (inText) keep('token in an error', inText[1]!);
  return answer;
}

function wrong(token: string): string {
  return keep('wrong token', `${token.slice(0, -9)}AAAAAAAAA`);
}

const issue = (user_id: string, password: string, more: object = {}) =>
  call('Token.issue', { auth_type: 'LOCAL', domain_id, credentials: { user_id, password }, ...more });

/** Methods whose request or answer has a field that is marked as secret. */
function secretMethods(): string[] {
  const holds = (message: DescMessage, seen: Set<DescMessage>): boolean => {
    if (seen.has(message)) return false;
    seen.add(message);
    return message.fields.some(
      (field) => field.proto.options?.debugRedact || (field.message && holds(field.message, seen)),
    );
  };
  return [...registry].flatMap((type) => {
    if (type.kind !== 'service') return [];
    const found = type.methods.filter((one) => holds(one.input, new Set()) || holds(one.output, new Set()));
    return found.map((one) => `${type.typeName}.${one.name}`);
  });
}

/** Starts database and service, each as a process that writes to a file of its own. */
async function startStack(): Promise<void> {
  const given = process.env['MONGODB_URI'] || undefined;
  const tools = await serverTools({ ownDatabase: true });
  const log = join(folder, 'database.log');
  uri = given ?? (await startDatabase(children, { tools, port: await freePort(), folder, log }));
  uri = uri.replace(/(?<=:\/\/[^/]+\/)[^?]*/, `written-${randomBytes(6).toString('hex')}`);
  const port = await freePort();
  const environment = {
    MONGODB_URI: uri,
    GRPC_PORT: String(port),
    LOG_LEVEL: 'debug',
    BCRYPT_COST: '4',
    SMTP_URL: sink.url,
    SERVICE_KEY: keep('service key', randomBytes(32).toString('base64')),
    BOOTSTRAP_SECRET: keep('bootstrap secret', randomBytes(16).toString('hex')),
  };
  const command = [process.execPath, '--import', 'tsx', 'src/main.ts'];
  service = children.start({ name: 'service', command, log: join(folder, 'service.log'), env: environment });
  if (
    !(await until(
      () => isServing(`127.0.0.1:${port}`),
      30_000,
      () => service.ended,
    ))
  )
    throw lastWords(service);
  direct = new WireClient(`127.0.0.1:${port}`);
  edge = await startEdge(`127.0.0.1:${port}`);
}

/** A workspace is put there by hand: no method makes one. */
async function systemFlows(): Promise<void> {
  const root = { user_id: 'root@example.com', name: 'Rita Root', password: PASSWORDS.root };
  const { system_token } = await call('System.init', { admin: root });
  await call('System.init', { admin: root, force: true }, wrong(system_token as string));
  const admin = { ...root, user_id: ADMIN, password: PASSWORDS.admin, email: ADMIN };
  ({ domain_id } = await call('Domain.create', { name: 'written', admin }, system_token));
  workspace_id = 'workspace-0123456789ab';
  const client = await MongoClient.connect(uri);
  const workspace = { workspace_id, name: 'alpha', state: 'ENABLED', user_count: 0, domain_id };
  await client
    .db()
    .collection('workspace')
    .insertOne({ ...workspace, created_at: new Date() });
  await client.close();
}

async function passwordFlows(): Promise<void> {
  const { refresh_token: token } = await issue(ADMIN, PASSWORDS.admin);
  const scope = { grant_type: 'REFRESH_TOKEN', scope: 'WORKSPACE', workspace_id };
  const { access_token: owner } = await call('Token.grant', { ...scope, token });
  await call('Token.grant', { ...scope, token: wrong(token as string) });
  const account = { user_id: MEMBER, email: MEMBER, auth_type: 'LOCAL', role_id: 'managed-workspace-member' };
  await call('WorkspaceUser.create', { ...account, password: PASSWORDS.first }, owner);
  await call('WorkspaceUser.create', { ...account, password: PASSWORDS.wrong }, owner);
  await issue(MEMBER, PASSWORDS.wrong);
  await issue(PASSWORDS.wrong, PASSWORDS.first);
  const { access_token } = await issue(MEMBER, PASSWORDS.first);
  await call('UserProfile.get', {}, access_token);
  await call('UserProfile.update', { password: PASSWORDS.second }, access_token);
  const { access_token: second } = await issue(MEMBER, PASSWORDS.second);
  const change = { current_password: PASSWORDS.wrong, new_password: PASSWORDS.third };
  await call('UserProfile.update_password', change, second);
  await call('UserProfile.update_password', { ...change, current_password: PASSWORDS.second }, second);
  await addressFlows((await issue(MEMBER, PASSWORDS.third)).access_token as string);
}

async function addressFlows(token: string): Promise<void> {
  await call('UserProfile.verify_email', {}, token);
  const verify_code = await mailedCode(mails(), MEMBER);
  await call('UserProfile.confirm_email', { verify_code: wrongCode(verify_code) }, token);
  await call('UserProfile.confirm_email', { verify_code }, token);
  await call('UserProfile.reset_password', { user_id: MEMBER, domain_id });
  const link = await mailedLink(mails(), MEMBER);
  keep('link', link.token);
  await call('UserProfile.update_password', { new_password: PASSWORDS.reset }, link.token);
}

async function factorFlows(): Promise<void> {
  const { access_token: token } = await issue(MEMBER, PASSWORDS.reset);
  const confirm = async (address: string) =>
    call('UserProfile.confirm_mfa', { verify_code: await mailedCode(mails(), address) }, token);
  await call('UserProfile.enable_mfa', { mfa_type: 'EMAIL', options: { email: FACTOR } }, token);
  await confirm(FACTOR);
  await issue(MEMBER, PASSWORDS.reset);
  const verify_code = await mailedCode(mails(), FACTOR);
  await issue(MEMBER, PASSWORDS.reset, { auth_type: 'MFA', verify_code: wrongCode(verify_code) });
  await issue(MEMBER, PASSWORDS.reset, { auth_type: 'MFA', verify_code });
  await call('UserProfile.disable_mfa', {}, token);
  await confirm(FACTOR);
  const { mfa } = await call('UserProfile.enable_mfa', { mfa_type: 'OTP' }, token);
  const clock = { now: () => new Date() };
  const otp = new Authenticator({ clock } as Service, mfa.options.otp_qrcode_uri as string);
  keep('OTP secret', otp.uri.searchParams.get('secret')!);
  await call('UserProfile.confirm_mfa', { verify_code: otp.code() }, token);
  await issue(MEMBER, PASSWORDS.reset);
  await issue(MEMBER, PASSWORDS.reset, { auth_type: 'MFA', verify_code: otp.wrongCode() });
  await iam(
    'CreateToken',
    withPassword({ name: MEMBER, domain: { id: domain_id } }, undefined, PASSWORDS.reset),
  );
}

/** Calls `/v3/auth/tokens`, and answers the token that came as a header. */
async function iam(method: string, request?: object, headers: Record<string, string> = {}): Promise<string> {
  called.add(`iam.v3.AuthService.${method}`);
  keepAll([request, headers]);
  const verb = { CreateToken: 'POST', GetToken: 'GET', RevokeToken: 'DELETE' }[method]!;
  const answer = kept(await edge.send(verb, '/v3/auth/tokens', request, headers));
  return answer.headers.get('x-subject-token') ?? '';
}

async function iamFlows(): Promise<void> {
  const by = (name: string, password: string) =>
    iam('CreateToken', withPassword({ name, domain: { id: domain_id } }, undefined, password));
  const admin = await by(ADMIN, PASSWORDS.admin);
  await by(ADMIN, PASSWORDS.wrong);
  const managed = { name: 'managed', password: PASSWORDS.made };
  const { user } = await call('iam.v3.UserService.CreateUser', { user: managed }, admin);
  const user_id = user.id as string;
  const own = await by('managed', PASSWORDS.made);
  const exchanged = await iam('CreateToken', withToken(keep('proof', own), 'unscoped'));
  const both = { 'x-auth-token': admin, 'x-subject-token': exchanged };
  await iam('GetToken', undefined, both);
  await iam('RevokeToken', undefined, both);
  await iam('GetToken', undefined, both);
  for (const original_password of [PASSWORDS.wrong, PASSWORDS.made]) {
    const body = { user: { original_password, password: PASSWORDS.changed } };
    await call('iam.v3.UserService.ChangePassword', { user_id, body }, own);
  }
  const body = { user: { password: PASSWORDS.administered } };
  await call('iam.v3.UserService.UpdateUser', { user_id, body }, admin);
  const short = { user: { password: 'Sh0rt-word' } };
  await call('iam.v3.UserService.UpdateUser', { user_id, body: short }, wrong(admin));
  const detailed = { name: 'detailed', domain_id, password: PASSWORDS.detailed };
  await call('iam.v3.OsUserService.CreateUser', { user: detailed }, admin);
  const change = { user_id: 'detailed', body: { user: { password: PASSWORDS.replaced } } };
  await call('iam.v3.OsUserService.UpdateUser', change, admin);
}

/** Secrets where they do not belong, and requests that break on the way. */
async function mistakes(): Promise<void> {
  const secret = PASSWORDS.mistaken;
  const path = '/identity/v2/token/issue';
  const bodies: unknown[] = [
    `{"credentials": {"password": "${secret}"`,
    `{"auth_type": "${secret}", "domain_id": "${secret}"}`,
    `{"domain_id": {"password": "${secret}"}}`,
    `{"timeout": "${secret}", "domain_id": ["${secret}"]}`,
    { domain_id, auth_type: 'LOCAL', credentials: { user_id: { password: secret }, password: [secret] } },
    { domain_id: secret, auth_type: 'LOCAL', credentials: { user_id: secret, password: secret } },
    { domain_id, auth_type: 'MFA', verify_code: secret, credentials: { [secret]: secret } },
    JSON.stringify({ password: secret + 'x'.repeat(5_000_000) }),
  ];
  for (const body of bodies) await edge.send('POST', path, body);
  for (const one of [
    `${path}?password=${secret}`,
    `/${secret}`,
    `/v3/users/${secret}%2F`,
    `/v3/users?name=${secret}`,
  ])
    for (const verb of ['GET', 'POST', 'DELETE']) await edge.send(verb, one);
  for (const name of [
    'authorization',
    'token',
    'x-auth-token',
    'x-subject-token',
    'traceparent',
    'x_token',
    'cookie',
  ])
    await edge.send('GET', '/v3/auth/tokens', undefined, { [name]: `Bearer ${secret}` });
  await edge.send('GET', '/v3/auth/tokens', undefined, { 'x-auth-token': secret.repeat(3000) });
  const head = `GET /v3/auth/tokens HTTP/1.1\r\nHost: edge\r\nConnection: close\r\nX-Auth-Token: ${secret}`;
  for (const end of ['\xff', '\0', '\x01']) await edge.raw(Buffer.from(`${head}${end}\r\n\r\n`, 'latin1'));
  const bytes = [Buffer.from(secret), Buffer.concat([Buffer.from([0x0a, 0x7f]), Buffer.from(secret)])];
  for (const one of bytes)
    for (const token of [secret, `${secret}.${secret}.${secret}`])
      await direct.callWithBytes('UserProfile.update_password', one, token).catch(() => undefined);
  await direct.callPath(`/${secret}/x`, bytes[0]!).catch(() => undefined);
}

/** Nothing when it is not ours. */
function killDatabase(): void {
  const own = children.processes.find(({ program }) => /mongod|secantus/.test(program));
  if (own) process.kill(own.pid, 'SIGKILL');
}

/** What is said when the database dies in the middle of it all. */
async function whileTheDatabaseIsAway(): Promise<void> {
  const { access_token } = await issue(ADMIN, PASSWORDS.admin);
  const calls = () => [
    issue(ADMIN, PASSWORDS.admin),
    issue(ADMIN, PASSWORDS.wrong),
    call(
      'UserProfile.update_password',
      { current_password: PASSWORDS.admin, new_password: PASSWORDS.never },
      access_token,
    ),
    call('UserProfile.verify_email', { email: MEMBER }, access_token),
  ];
  const atWork = calls();
  killDatabase();
  await Promise.all(atWork);
  await Promise.all(calls());
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'identity-written-'));
  sink = await startSmtpSink();
  await startStack();
  await systemFlows();
  await passwordFlows();
  await factorFlows();
  await iamFlows();
  await mistakes();
  await whileTheDatabaseIsAway();
  const edgeWrote = await edge.written();
  await edge.close();
  direct.close();
  service.process.kill('SIGTERM');
  await service.exit;
  const logs = ['service', 'database'].map((name) => join(folder, `${name}.log`));
  const texts = await Promise.all(logs.map((path) => readFile(path, 'utf8').catch(() => '')));
  written = { service: texts[0]!, database: texts[1]!, edge: edgeWrote };
}, 120_000);
afterAll(async () => {
  await children.stop();
  await sink.close();
  await rm(folder, { recursive: true, force: true });
});

/** A code of six digits may stand anywhere by chance, so it counts only where no digit or letter touches it. */
function holds(text: string, secret: string): boolean {
  return /^\d{6}$/.test(secret)
    ? new RegExp(`(?<![\\w.])${secret}(?!\\w)`).test(text)
    : text.includes(secret);
}

describe('P22: what service, edge and database write in a whole run', () => {
  it('is the run of every method that takes or gives a secret', () => {
    expect(secretMethods().filter((method) => !called.has(method))).toEqual([]);
    expect(secretMethods().length).toBeGreaterThan(14);
    const kinds = [...secrets.keys()].map((name) => name.replace(/^\d+ /, ''));
    expect(kinds).toEqual(
      expect.arrayContaining(['access_token', 'x-subject-token', 'openstack-auth-receipt']),
    );
  });

  it('holds no password, code, token, link, key or hash', () => {
    for (const [program, text] of Object.entries(written)) {
      for (const [name, secret] of secrets) expect(holds(text, secret), `${program}: ${name}`).toBe(false);
      expect(text).not.toMatch(/eyJ[\w-]{10,}\.|\$2[aby]\$\d\d\$|otpauth:|sso_access_token|PRIVATE KEY/);
    }
  });

  it('tells of every call, refused and answered, by method and request id', () => {
    const lines = written['service']!.trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const calls = lines.filter(({ msg }) => ['answered', 'refused', 'failed'].includes(String(msg)));
    const told = new Set(calls.map(({ method }) => String(method).replace('/', '.')));
    expect([...called].filter((method) => !told.has(method))).toEqual([]);
    for (const line of calls) expect(line).toMatchObject({ request_id: expect.stringMatching(/^[\w.:-]+$/) });
    expect(calls.filter(({ msg }) => msg === 'failed')).toEqual([]);
    expect(lines.some(({ msg }) => msg === 'database availability changed')).toBe(true);
  });
});
