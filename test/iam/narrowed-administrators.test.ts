import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aBinding, aRole, aTenant, aUser, opaqueId, signIn, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { ask, byName, iamToken, refused, withPassword } from './tokens.js';

let service: Service;
let root: Tenant;
let tenant: Tenant;
let someone: string;

beforeAll(async () => {
  service = await startService({ USER_CACHE_MS: '0', DOMAIN_CACHE_MS: '0' });
  root = await aTenant(service, 'domain-root');
  tenant = await aTenant(service);
  someone = await opaqueId(service, tenant, await aUser(service, tenant));
});
afterAll(() => service.close());

/** An administrator whose role allows no more than this. */
async function narrowed(of: Tenant, permissions: string[]): Promise<string> {
  const role_id = await aRole(service, of, { role_type: 'DOMAIN_ADMIN', permissions });
  return aUser(service, of, { role_type: 'DOMAIN_ADMIN', role_id });
}

const read = (token: string) => service.call('iam.v3.UserService.GetUser', { user_id: someone }, token);
const write = (token: string) =>
  service.call(
    'iam.v3.UserService.UpdateUser',
    { user_id: someone, body: { user: { description: 'x' } } },
    token,
  );
const DENIED = { reason: '', text: expect.stringMatching(/^You are not authorized/) };

it('a system administrator does no more to users than the role allows', async () => {
  const user_id = await narrowed(root, ['identity:UserProfile']);
  const subject = await iamToken(service, withPassword(byName(tenant, tenant.admin)));
  for (const token of [
    await tokenOf(service, root, user_id, 'SYSTEM'),
    (await signIn(service, root, user_id)).access_token,
    await iamToken(service, withPassword(byName(root, user_id), { system: { all: true } })),
  ]) {
    expect(await refusal(read(token))).toMatchObject(DENIED);
    expect(await refusal(write(token))).toMatchObject(DENIED);
    const headers = { 'x-auth-token': token, 'x-subject-token': subject };
    for (const method of ['GetToken', 'RevokeToken'])
      expect(await refused(service, method, {}, headers)).toMatchObject(DENIED);
  }
  expect((await ask(service, 'GetToken', {}, own(subject))).body.token.user.name).toBe(tenant.admin);
});

const own = (token: string) => ({ 'x-auth-token': token, 'x-subject-token': token });

it('an administrator who may read does, signed in for whatever scope, and changes nothing', async () => {
  const user_id = await narrowed(tenant, ['identity:User.read', 'identity:UserProfile']);
  for (const scope of ['unscoped', { domain: { id: tenant.domain_id } }, { project: { id: tenant.alpha } }]) {
    const token = await iamToken(service, withPassword(byName(tenant, user_id), scope));
    expect((await read(token)).user.id).toBe(someone);
    expect(await refusal(write(token))).toMatchObject(DENIED);
  }
  const rootReader = await narrowed(root, ['identity:User.read']);
  const token = await tokenOf(service, root, rootReader, 'SYSTEM');
  expect((await read(token)).user.id).toBe(someone);
  expect(await refusal(write(token))).toMatchObject(DENIED);
});

it('an administrator who has to change the password administers nobody before', async () => {
  const user_id = await aUser(service, tenant, {
    role_type: 'DOMAIN_ADMIN',
    role_id: 'managed-domain-admin',
    required_actions: ['UPDATE_PASSWORD'],
  });
  for (const token of [
    (await signIn(service, tenant, user_id)).access_token,
    await iamToken(service, withPassword(byName(tenant, user_id))),
  ])
    expect(await refusal(read(token))).toMatchObject(DENIED);
});

it('an administrator changes no other who may do more', async () => {
  const writer = await narrowed(tenant, ['identity:User', 'identity:UserProfile']);
  const lesser = await narrowed(tenant, ['identity:UserProfile.read']);
  const full = await aUser(service, tenant, { role_type: 'DOMAIN_ADMIN', role_id: 'managed-domain-admin' });
  const change = (user_id: string, token: string) =>
    service.call(
      'iam.v3.UserService.UpdateUser',
      { user_id, body: { user: { password: 'Chosen1Secret' } } },
      token,
    );
  for (const token of [
    (await signIn(service, tenant, writer)).access_token,
    await tokenOf(service, tenant, writer, 'DOMAIN'),
    await iamToken(service, withPassword(byName(tenant, writer), { domain: { id: tenant.domain_id } })),
  ]) {
    expect(await refusal(change(full, token))).toMatchObject(DENIED);
    const removal = service.call('iam.v3.UserService.DeleteUser', { user_id: full }, token);
    expect(await refusal(removal)).toMatchObject(DENIED);
    await write(token);
  }
  const { access_token } = await signIn(service, tenant, writer);
  expect((await change(lesser, access_token)).user.name).toBe(lesser);
  await signIn(service, tenant, full);
});

type Role = [role_type: 'WORKSPACE_OWNER' | 'WORKSPACE_MEMBER', permissions: string[], state?: 'DISABLED'];

/** Somebody with these roles in one workspace after the other, then in all. */
async function withRoles(...roles: Role[]): Promise<string> {
  const user_id = await aUser(service, tenant);
  const workspaces = [tenant.alpha, tenant.beta, '*'];
  for (const [index, [role_type, permissions, state = 'ENABLED']] of roles.entries()) {
    const role_id = await aRole(service, tenant, { role_type, permissions, state });
    await aBinding(service, tenant, user_id, { workspace_id: workspaces[index]!, role_type, role_id });
  }
  return user_id;
}

const CHANGES = [
  { password: 'Chosen1Secret' },
  { enabled: false },
  { name: 'another-name' },
  { description: 'x' },
];

it.each<[string, Role[]]>([
  ['owns a workspace without a restriction', [['WORKSPACE_OWNER', []]]],
  ['is a member of one without a restriction', [['WORKSPACE_MEMBER', []]]],
  ['may do something else in a workspace', [['WORKSPACE_OWNER', ['identity:WorkspaceUser.read']]]],
  ['may do all of what the other may do a part', [['WORKSPACE_OWNER', ['identity:']]]],
  ['may do everything in words', [['WORKSPACE_OWNER', ['*']]]],
  [
    'has such a role as one of several',
    [
      ['WORKSPACE_MEMBER', ['identity:User']],
      ['WORKSPACE_OWNER', []],
    ],
  ],
  [
    'has such a role in all workspaces',
    [
      ['WORKSPACE_MEMBER', ['identity:User.read']],
      ['WORKSPACE_MEMBER', ['identity:User']],
      ['WORKSPACE_OWNER', []],
    ],
  ],
  ['has such a role that is disabled', [['WORKSPACE_OWNER', [], 'DISABLED']]],
])('an administrator changes nobody who %s', async (_what, roles) => {
  const writer = await narrowed(tenant, ['identity:User', 'identity:UserProfile']);
  const user_id = await withRoles(...roles);
  for (const token of [
    (await signIn(service, tenant, writer)).access_token,
    await tokenOf(service, tenant, writer, 'DOMAIN'),
    await iamToken(service, withPassword(byName(tenant, writer), { domain: { id: tenant.domain_id } })),
  ]) {
    for (const user of CHANGES) {
      const change = service.call('iam.v3.UserService.UpdateUser', { user_id, body: { user } }, token);
      expect(await refusal(change)).toMatchObject(DENIED);
    }
    const removal = service.call('iam.v3.UserService.DeleteUser', { user_id }, token);
    expect(await refusal(removal)).toMatchObject(DENIED);
    expect((await service.call('iam.v3.UserService.GetUser', { user_id }, token)).user.name).toBe(user_id);
  }
  await signIn(service, tenant, user_id);
});

it('an administrator changes who may do no more, and one without a restriction everybody', async () => {
  const writer = await narrowed(tenant, ['identity:User', 'identity:WorkspaceUser.*']);
  const lesser: Role[] = [
    ['WORKSPACE_OWNER', ['identity:WorkspaceUser.write', 'identity:User.read']],
    ['WORKSPACE_MEMBER', ['identity:WorkspaceUser.*']],
  ];
  for (const [by, user_id] of [
    [writer, await withRoles(...lesser)],
    [tenant.admin, await withRoles(['WORKSPACE_OWNER', []])],
  ] as const) {
    const { access_token } = await signIn(service, tenant, by);
    const body = { user: { password: 'Chosen1Secret' } };
    await service.call('iam.v3.UserService.UpdateUser', { user_id, body }, access_token);
    await signIn(service, tenant, user_id, 'Chosen1Secret');
  }
});
