import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { databaseServer, isHeartbeat } from '../../database.js';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { declaredMethods } from '../../wire-client.js';

// Two instances with the settings that an installation has.
let service: Service;
let other: Service;
let tenant: Tenant;
/** The commands that the other instance has sent. */
let sent: string[] = [];

beforeAll(async () => {
  const uri = new URL(databaseServer());
  uri.pathname = `/test-${randomUUID()}`;
  uri.searchParams.set('monitorCommands', 'true');
  service = await startService({ MONGODB_URI: uri.href });
  other = await service.another();
  tenant = await aTenant(service);
  other.app.rooms.mongo.connection.getClient().on('commandStarted', ({ commandName, command }) => {
    // Every instance looks for mails by itself.
    if (!isHeartbeat(command) && command[commandName] !== 'outbox')
      sent.push(`${commandName} ${String(command[commandName])}`);
  });
});
afterAll(async () => {
  await other.close();
  await service.close();
});

/** Methods that need no token. */
const OPEN = [
  'System.init',
  'Domain.get_auth_info',
  'Domain.get_public_key',
  'Token.issue',
  'Token.grant',
  'UserProfile.reset_password',
  'iam.v3.VersionService.ListVersions',
  'iam.v3.VersionService.GetVersion',
  'iam.v3.AuthService.CreateToken',
];
/** Methods that change nothing and say so. */
const READS = [
  'Domain.get',
  'Domain.list',
  'Domain.stat',
  'UserProfile.get',
  'UserProfile.get_workspaces',
  'UserProfile.get_workspace_groups',
  'WorkspaceUser.get',
  'WorkspaceUser.find',
  'WorkspaceUser.list',
  'WorkspaceUser.stat',
  'iam.v3.OsUserService.ShowUser',
  'iam.v3.UserService.GetUser',
  'iam.v3.UserService.ListUsers',
  'iam.v3.AuthService.GetToken',
  'iam.v3.AuthService.GetCatalog',
  'iam.v3.AuthService.ListDomains',
  'iam.v3.AuthService.ListProjects',
  'iam.v3.DomainService.GetDomain',
  'iam.v3.DomainService.ListDomains',
  'iam.v3.ProjectService.GetProject',
  'iam.v3.ProjectService.ListProjects',
  'iam.v3.ProjectService.ListUserProjects',
  'csms.v1.UserService.GetUser',
  'audit.v1.AuditService.ListRecords',
  'audit.v1.AuditService.StatRecords',
];

const list = (token: string) => other.call('WorkspaceUser.list', {}, token);
const stored = (name: string) => service.app.rooms.mongo.connection.collection(name);

/** Somebody with a role in the workspace alpha, and a token for it that the other instance has seen. */
async function member(): Promise<{ user_id: string; token: string }> {
  const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
  const token = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
  await list(token);
  return { user_id, token };
}

/** What the other instance asks of the database for it. */
async function asked(call: () => Promise<unknown>): Promise<string[]> {
  sent = [];
  await call();
  return sent;
}

describe('what is remembered of a caller', () => {
  it('is good enough for exactly the methods that say that they only read', async () => {
    const user_id = await aUser(service, tenant);
    const answered = [];
    for (const method of declaredMethods().filter((one) => !OPEN.includes(one))) {
      const { access_token } = await signIn(service, tenant, user_id);
      await other.call('iam.v3.UserService.GetUser', { user_id }, access_token);
      const subject = { 'x-subject-token': access_token };
      await service.call('iam.v3.AuthService.RevokeToken', {}, access_token, subject);
      const outcome = await refusal(other.call(method, {}, access_token)).catch(() => undefined);
      if (outcome?.code !== status.UNAUTHENTICATED) answered.push(method);
    }
    expect(answered.sort()).toEqual([...READS].sort());
  });

  it('is not good enough for long', async () => {
    const { user_id, token } = await member();
    await stored('user').updateOne({ user_id }, { $inc: { generation: 1 } });
    await vi.waitFor(async () => expect((await refusal(list(token))).code).toBe(status.UNAUTHENTICATED), {
      timeout: 5000,
      interval: 50,
    });
  });

  it('saves every reading of the caller', async () => {
    const { user_id, token } = await member();
    const get = () => other.call('WorkspaceUser.get', { user_id }, token);
    expect(await asked(get)).toEqual(['find user']);
    const { access_token } = await signIn(service, tenant, user_id);
    const profile = () => other.call('UserProfile.get', {}, access_token);
    await profile();
    expect(await asked(profile)).toEqual(['find user']);
  });
});

it.each([
  ['user', { state: 'DISABLED' }],
  ['user', { generation: 77 }],
  ['workspace', { state: 'DISABLED' }],
  ['domain', { state: 'DISABLED' }],
] as const)('a token that is dead costs one look at the %s that has %o', async (name, fields) => {
  tenant = await aTenant(service);
  const { domain_id, alpha: workspace_id } = tenant;
  const { user_id, token } = await member();
  const keys = { user: { domain_id, user_id }, workspace: { workspace_id }, domain: { domain_id } };
  await stored(name).updateOne(keys[name], { $set: fields });
  // A change is decided by the database: from then on the instance knows.
  const update = () => refusal(other.call('UserProfile.update', {}, token));
  await update();
  for (let index = 0; index < 3; index += 1)
    expect(await asked(() => refusal(list(token)))).toEqual([`find ${name}`]);
  if (name === 'user') expect(await asked(update)).toEqual(['find user']);
  const twenty = await asked(() => Promise.all(Array.from({ length: 20 }, () => refusal(list(token)))));
  expect(twenty.length).toBeLessThanOrEqual(20);
});
