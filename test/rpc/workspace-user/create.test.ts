import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseProxy } from '../../database-proxy.js';
import { databaseServer, storedCounts } from '../../database.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aRole, aTenant, aUser, aWorkspace, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let service: Service;
let tenant: Tenant;
let owner: string;
let ownerId: string;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  ownerId = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
  owner = await tokenOf(service, tenant, ownerId, 'WORKSPACE', tenant.alpha);
});
afterAll(() => service.close());

let count = 0;
const request = (given: object = {}) => ({
  user_id: `new${++count}@example.com`,
  name: 'Nora New',
  email: `new${count}@example.com`,
  password: PASSWORD,
  auth_type: 'LOCAL',
  role_id: 'managed-workspace-member',
  ...given,
});
const create = (given: object = {}, token: string | undefined = owner) =>
  service.call('WorkspaceUser.create', request(given), token);
const listed = (user_id: string, token = owner) => service.call('WorkspaceUser.list', { user_id }, token);

describe('WorkspaceUser.create', () => {
  it('makes a user of the domain with a role in the workspace of the token', async () => {
    const given = request({ language: 'ko', timezone: 'Asia/Seoul', tags: { team: { name: ' one ' } } });
    const created = await service.call('WorkspaceUser.create', given, owner);
    expect(created).toEqual({
      user_id: given.user_id,
      name: 'Nora New',
      state: 'PENDING',
      email: given.email,
      auth_type: 'LOCAL',
      role_type: 'USER',
      language: 'ko',
      timezone: 'Asia/Seoul',
      tags: { team: { name: 'one' } },
      role_binding_info: {
        role_binding_id: expect.stringMatching(/^rb-[0-9a-f]{12}$/),
        role_type: 'WORKSPACE_MEMBER',
        resource_group: 'WORKSPACE',
        domain_id: tenant.domain_id,
        workspace_id: tenant.alpha,
        role_id: 'managed-workspace-member',
        user_id: given.user_id,
        created_at: created.created_at,
      },
      domain_id: tenant.domain_id,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(await service.call('WorkspaceUser.get', { user_id: given.user_id }, owner)).toEqual(created);
  });

  it('lets the new user sign in with the given password and the role', async () => {
    const { user_id } = await create({ role_id: 'managed-workspace-owner' });
    const { refresh_token } = await signIn(service, tenant, user_id);
    const granted = await service.call('Token.grant', {
      grant_type: 'REFRESH_TOKEN',
      token: refresh_token,
      scope: 'WORKSPACE',
      workspace_id: tenant.alpha,
    });
    expect(granted).toMatchObject({ role_type: 'WORKSPACE_OWNER', workspace_id: tenant.alpha });
    expect((await service.call('WorkspaceUser.get', { user_id }, owner)).state).toBe('ENABLED');
  });

  it('takes the defaults for what is not given, and an id that is no address', async () => {
    const user_id = `plain-name-${++count}`;
    const created = await create({ user_id, name: '', email: '' });
    expect(created).toMatchObject({ user_id, language: 'en', timezone: 'UTC', state: 'PENDING' });
    expect(created).not.toHaveProperty('name');
    expect(created).not.toHaveProperty('email');
    expect(created).not.toHaveProperty('email_verified');
  });

  it('trims what it stores', async () => {
    const created = await create({ user_id: `  trim${++count}@example.com `, name: '  Tim Trim  ' });
    expect(created).toMatchObject({ user_id: `trim${count - 1}@example.com`, name: 'Tim Trim' });
  });

  it('counts the new user in the workspace', async () => {
    const before = (await service.call('WorkspaceUser.list', {}, owner)).total_count;
    await create();
    expect((await service.call('WorkspaceUser.list', {}, owner)).total_count).toBe(before + 1);
  });

  it('mails a link instead of taking a password when one is to be chosen', async () => {
    const { user_id, email } = await create({ reset_password: true, password: 'Ignored0ne' });
    const mail = await service.sink.waitFor(email);
    const token = /sso_access_token=([\w.-]+)/.exec(mail.text)![1]!;
    const refused = await refusal(signIn(service, tenant, user_id, 'Ignored0ne'));
    expect(refused.reason).toBe('ERROR_AUTHENTICATION_FAILURE');
    expect((await service.call('UserProfile.get', {}, token)).required_actions).toEqual(['UPDATE_PASSWORD']);
    await service.call('UserProfile.update_password', { new_password: 'Chosen0ne' }, token);
    await signIn(service, tenant, user_id, 'Chosen0ne');
  });

  it('makes an externally authenticated user without a password', async () => {
    const user_id = `external-${++count}`;
    const created = await create({ user_id, auth_type: 'EXTERNAL', password: '' });
    expect(created).toMatchObject({ user_id, auth_type: 'EXTERNAL', state: 'PENDING' });
    expect((await refusal(signIn(service, tenant, user_id))).code).toBe(status.UNAUTHENTICATED);
  });

  it('finds no identity provider to invite an external user to', async () => {
    const refused = await refusal(create({ auth_type: 'EXTERNAL', password: '' }));
    expect(refused).toMatchObject({ code: status.NOT_FOUND, reason: 'ERROR_NOT_FOUND' });
    expect(refused.text).toContain(`(domain_id = ${tenant.domain_id})`);
  });

  it.each<[string, object, keyof typeof status, string, string]>([
    ['no user id', { user_id: '' }, 'INVALID_ARGUMENT', 'ERROR_REQUIRED_PARAMETER', '(key = user_id)'],
    ['a blank user id', { user_id: ' ' }, 'INVALID_ARGUMENT', 'ERROR_REQUIRED_PARAMETER', '(key = user_id)'],
    [
      'no auth type',
      { auth_type: 'NONE_BACKEND' },
      'INVALID_ARGUMENT',
      'ERROR_REQUIRED_PARAMETER',
      '(key = auth_type)',
    ],
    ['no role', { role_id: '' }, 'INVALID_ARGUMENT', 'ERROR_REQUIRED_PARAMETER', '(key = role_id)'],
    ['no password', { password: '' }, 'INVALID_ARGUMENT', 'ERROR_REQUIRED_PARAMETER', '(key = password)'],
    [
      'a short password',
      { password: 'Sh0rt' },
      'INVALID_ARGUMENT',
      'ERROR_INCORRECT_PASSWORD_FORMAT',
      '8 characters',
    ],
    [
      'a bad address',
      { email: 'nope' },
      'INVALID_ARGUMENT',
      'ERROR_INCORRECT_EMAIL_FORMAT',
      'Email format required',
    ],
    [
      'an unknown time zone',
      { timezone: 'Mars/Base' },
      'INVALID_ARGUMENT',
      'ERROR_INVALID_PARAMETER',
      'key = timezone',
    ],
    [
      'a long user id',
      { user_id: 'u'.repeat(61) },
      'INVALID_ARGUMENT',
      'ERROR_INVALID_PARAMETER',
      'key = user_id',
    ],
    ['a long name', { name: 'n'.repeat(129) }, 'INVALID_ARGUMENT', 'ERROR_INVALID_PARAMETER', 'key = name'],
    [
      'an unknown role',
      { role_id: 'role-000000000000' },
      'NOT_FOUND',
      'ERROR_NOT_FOUND',
      "('role_id', 'domain_id')",
    ],
    [
      'a reset without an address',
      { reset_password: true, email: '' },
      'INVALID_ARGUMENT',
      'ERROR_UNABLE_TO_RESET_PASSWORD_WITHOUT_EMAIL',
      'user_id = ',
    ],
    [
      'a reset of what is kept elsewhere',
      { reset_password: true, auth_type: 'EXTERNAL' },
      'INVALID_ARGUMENT',
      'ERROR_UNABLE_TO_RESET_PASSWORD_IN_EXTERNAL_AUTH',
      'user_id = ',
    ],
    [
      'a role for the whole domain',
      { role_id: 'managed-domain-admin' },
      'INVALID_ARGUMENT',
      'ERROR_NOT_ALLOWED_ROLE_TYPE',
      "(request_role_id = managed-domain-admin, request_role_type = DOMAIN_ADMIN, supported_role_type = ['WORKSPACE_OWNER', 'WORKSPACE_MEMBER'])",
    ],
  ])('P15 P19 D-22 leaves nothing behind when there is %s', async (_what, given, code, reason, text) => {
    const before = await storedCounts(service);
    const refused = await refusal(create(given));
    expect(refused).toMatchObject({ code: status[code], reason });
    expect(refused.text).toContain(text);
    expect(await storedCounts(service)).toEqual(before);
  });

  it('D-22 leaves nothing behind when the address has got too many mails', async () => {
    const limited = await service.another({ MAIL_LIMIT_PER_HOUR: '2' });
    const invite = (email: string) =>
      limited.call('WorkspaceUser.create', request({ email, reset_password: true }), owner);
    await invite('flooded@bücher.example');
    await invite('Flooded@xn--bcher-kva.example');
    const before = await storedCounts(service);
    const refused = await refusal(invite('flooded@bücher.example'));
    expect(refused).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: 'ERROR_TOO_MANY_REQUESTS' });
    expect(await storedCounts(service)).toEqual(before);
    await limited.close();
  });

  it('P20 D-23 D-36 refuses an id that the domain has, in any letter case and any width', async () => {
    const { user_id } = await create();
    const elsewhere = await aUser(service, tenant, { roles: { [tenant.beta]: 'WORKSPACE_MEMBER' } });
    const wide = user_id.replace('new', 'ｎｅｗ');
    for (const taken of [user_id, user_id.toUpperCase(), `${user_id} `, wide, elsewhere]) {
      const refused = await refusal(create({ user_id: taken }));
      expect(refused).toMatchObject({ code: status.ALREADY_EXISTS, reason: 'ERROR_SAVE_UNIQUE_VALUES' });
      expect(refused.text).toContain("(keys = ['user_id', 'domain_id'])");
    }
  });

  it('D-36 takes the id of a user of another domain', async () => {
    const other = await aTenant(service);
    const user_id = await aUser(service, other);
    expect(await create({ user_id })).toMatchObject({ user_id, domain_id: tenant.domain_id });
  });

  it('D-36 refuses ids with control, invisible or blank characters', async () => {
    for (const user_id of [
      'a\u0000b@x.io',
      'a\u200bb@x.io',
      'a\u202eb@x.io',
      'a b@x.io',
      'a\u00adb@x.io',
      'a\nb',
    ]) {
      const refused = await refusal(create({ user_id }));
      expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
      expect(refused.text).toContain('key = user_id');
    }
  });

  it('D-33 refuses a disabled role', async () => {
    const role_id = await aRole(service, tenant, { state: 'DISABLED' });
    const refused = await refusal(create({ role_id }));
    expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
    expect(refused.text).toContain('key = role_id');
  });

  it('D-42 makes a user change the password that somebody else chose, when configured', async () => {
    const strict = await service.another({ FORCE_PASSWORD_CHANGE: 'true' });
    const { user_id } = await strict.call('WorkspaceUser.create', request(), owner);
    const { access_token } = await signIn(service, tenant, user_id);
    const profile = await service.call('UserProfile.get', {}, access_token);
    expect(profile.required_actions).toEqual(['UPDATE_PASSWORD']);
    await strict.close();
  });

  it('D-42 logs who made whom, where', async () => {
    const { user_id } = await create();
    const line = service.logs.map((text) => JSON.parse(text)).find((one) => one.created_user_id === user_id);
    expect(line).toMatchObject({
      level: 30,
      msg: 'answered',
      method: 'spaceone.api.identity.v2.WorkspaceUser/create',
      user_id: ownerId,
      domain_id: tenant.domain_id,
      workspace_id: tenant.alpha,
    });
  });

  it('D-44 makes the user change a mailed temporary password', async () => {
    const mailing = await service.another({ RESET_PASSWORD_TYPE: 'PASSWORD' });
    const given = request({ reset_password: true });
    await mailing.call('WorkspaceUser.create', given, owner);
    const mail = await service.sink.waitFor(given.email);
    const password = mail.text.split(/\s+/).find((word) => /^[A-Za-z0-9]{12}$/.test(word))!;
    const { access_token, refresh_token } = await signIn(service, tenant, given.user_id, password);
    const profile = await service.call('UserProfile.get', {}, access_token);
    expect(profile.required_actions).toEqual(['UPDATE_PASSWORD']);
    const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token, scope: 'USER' };
    expect((await refusal(service.call('Token.grant', grant))).reason).toBe('ERROR_UPDATE_PASSWORD_REQUIRED');
    await mailing.close();
  });

  it('refuses a call without a token', async () => {
    const refused = await refusal(service.call('WorkspaceUser.create', request()));
    expect(refused).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'ERROR_AUTHENTICATE_FAILURE' });
  });

  it('refuses everybody but workspace owners, an administrator without a workspace too', async () => {
    const member = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const tokens = [
      await tokenOf(service, tenant, member, 'WORKSPACE', tenant.alpha),
      await tokenOf(service, tenant, member, 'USER'),
      await tokenOf(service, tenant, tenant.admin, 'DOMAIN'),
    ];
    for (const token of tokens) {
      const refused = await refusal(create({}, token));
      expect(refused).toMatchObject({ code: status.PERMISSION_DENIED, reason: 'ERROR_PERMISSION_DENIED' });
    }
  });

  it('lets an administrator create with a token of the workspace', async () => {
    const admin = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.beta);
    const { user_id, role_binding_info } = await create({}, admin);
    expect(role_binding_info.workspace_id).toBe(tenant.beta);
    expect((await listed(user_id)).results).toBeUndefined();
    expect((await listed(user_id, admin)).results).toHaveLength(1);
  });

  it('creates nothing in a workspace that goes meanwhile', async () => {
    const gone = await aWorkspace(service, tenant.domain_id, 'gone');
    const token = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', gone);
    await create({}, token);
    const proxy = new DatabaseProxy(databaseServer());
    await proxy.up();
    const slow = await service.another({
      MONGODB_URI: proxy.uri(new URL(service.databaseUri).pathname.slice(1)),
    });
    try {
      const late = request();
      const underWay = proxy.holdAnswer(late.user_id);
      const before = await storedCounts(service);
      const answer = refusal(slow.call('WorkspaceUser.create', late, token));
      await underWay;
      const workspaces = service.app.rooms.mongo.connection.collection('workspace');
      await workspaces.updateOne({ workspace_id: gone }, { $set: { state: 'DELETED' } });
      proxy.resume();
      const refused = await answer;
      expect(refused).toMatchObject({ code: status.NOT_FOUND, reason: 'ERROR_NOT_FOUND' });
      expect(refused.text).toContain(gone);
      expect(await storedCounts(service)).toEqual(before);
      // From then on the token is worth nothing.
      expect((await refusal(create({}, token))).code).toBe(status.UNAUTHENTICATED);
    } finally {
      await slow.close();
      await proxy.down();
    }
  });
});
