import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, opaqueId, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { startService } from '../../harness.js';
import { initialise } from '../../system.js';
import { UNAUTHENTICATED, ask, byName, iamToken, refused, withPassword, withToken } from '../tokens.js';

let service: Service;
let tenant: Tenant;
let member: string;

beforeAll(async () => {
  service = await startService({ PUBLIC_URL: 'https://iam.example.com' });
  await initialise(service);
  tenant = await aTenant(service);
  member = await aUser(service, tenant, {
    username: 'Mia.Member',
    roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' },
  });
});
afterAll(() => service.close());

const domain = () => ({ id: tenant.domain_id, name: tenant.name });
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

describe('A password at iam.v3.AuthService.CreateToken', () => {
  it('gives an unscoped token that every face takes', async () => {
    const answer = await ask(service, 'CreateToken', withPassword(byName(tenant, member)));
    expect(answer.status).toBe('201');
    expect(answer.body).toEqual({
      token: {
        methods: ['password'],
        user: {
          id: await opaqueId(service, tenant, member),
          name: 'Mia.Member',
          domain: domain(),
          password_expires_at: null,
        },
        audit_ids: [expect.stringMatching(/^[\w-]{22}$/)],
        expires_at: expect.stringMatching(TIME),
        issued_at: expect.stringMatching(TIME),
      },
    });
    const { token } = answer.body;
    expect(Date.parse(token.expires_at) - Date.parse(token.issued_at)).toBe(1_800_000);
    const subject = answer.headers['x-subject-token']!;
    expect(decodeJwt(subject)).toMatchObject({
      rol: 'USER',
      sgn: true,
      amr: ['pwd'],
      sid: expect.any(String),
    });
    expect(await service.call('UserProfile.get', {}, subject)).toMatchObject({ user_id: member });
    const headers = { 'x-auth-token': subject };
    expect(
      await service.call('iam.v3.OsUserService.ShowUser', { user_id: member }, '', headers),
    ).toHaveProperty('user');
  });

  it.each([
    ['username', () => byName(tenant, 'Mia.Member')],
    ['username in other letters', () => byName(tenant, 'mia.MEMBER')],
    ['user_id in other letters', () => byName(tenant, member.toUpperCase())],
    ['name of the domain', () => ({ name: member, domain: { name: tenant.name } })],
    ['user_id as id, with the domain', () => ({ id: member, domain: { id: tenant.domain_id } })],
  ])('knows a user by %s', async (_what, user) => {
    const { body } = await ask(service, 'CreateToken', withPassword(user()));
    expect(body.token.user.name).toBe('Mia.Member');
  });

  it('knows a user by opaque id, with or without the domain', async () => {
    const id = await opaqueId(service, tenant, member);
    expect(await iamToken(service, withPassword({ id }))).toBeTruthy();
    expect(await iamToken(service, withPassword({ id, domain: { id: tenant.domain_id } }))).toBeTruthy();
    const elsewhere = { id, domain: { id: 'domain-root' } };
    expect(await refused(service, 'CreateToken', withPassword(elsewhere))).toMatchObject(UNAUTHENTICATED);
  });
});

describe('The scope of a token', () => {
  it.each([
    ['id', () => ({ id: tenant.alpha })],
    ['name', () => ({ name: 'alpha', domain: { id: tenant.domain_id } })],
    ['name alone', () => ({ name: 'alpha' })],
    ['name, by name of the domain', () => ({ name: 'alpha', domain: { name: tenant.name } })],
  ])('is a project by %s', async (_what, project) => {
    const request = withPassword(byName(tenant, member), { project: project() });
    const { body, headers } = await ask(service, 'CreateToken', request);
    expect(body.token).toMatchObject({
      project: { id: tenant.alpha, name: 'alpha', domain: domain() },
      roles: [{ id: 'managed-workspace-member', name: 'Workspace Member' }],
    });
    expect(body.token).not.toHaveProperty('domain');
    const [identity, iam] = body.token.catalog;
    expect(identity).toMatchObject({ type: 'identity', name: 'keystone' });
    expect(identity.endpoints).toHaveLength(3);
    expect(identity.endpoints[0]).toMatchObject({
      interface: 'public',
      region: 'RegionOne',
      region_id: 'RegionOne',
      url: 'https://iam.example.com/v3',
    });
    expect(iam.endpoints[0].url).toBe('https://iam.example.com/v3.0');
    expect(decodeJwt(headers['x-subject-token']!)).toMatchObject({
      rol: 'WORKSPACE_MEMBER',
      wid: tenant.alpha,
    });
  });

  it('is the domain for its administrators alone', async () => {
    for (const scope of [{ domain: { id: tenant.domain_id } }, { domain: { name: tenant.name } }]) {
      const { body, headers } = await ask(
        service,
        'CreateToken',
        withPassword(byName(tenant, tenant.admin), scope),
      );
      expect(body.token).toMatchObject({ domain: domain(), roles: [{ name: 'Domain Admin' }] });
      expect(decodeJwt(headers['x-subject-token']!)).toMatchObject({ rol: 'DOMAIN_ADMIN' });
      const request = withPassword(byName(tenant, member), scope);
      expect(await refused(service, 'CreateToken', request)).toMatchObject(UNAUTHENTICATED);
    }
  });

  it('is the system for administrators of the root domain', async () => {
    const root = { name: 'root@example.com', domain: { id: 'domain-root' } };
    const asked = [
      { system: { all: true } },
      { domain: { id: 'domain-root' } },
      { domain: { name: 'root' } },
    ];
    for (const scope of asked) {
      const { headers, body } = await ask(service, 'CreateToken', withPassword(root, scope));
      const token = headers['x-subject-token']!;
      expect(decodeJwt(token)).toMatchObject({ rol: 'SYSTEM_ADMIN' });
      const { system, domain, roles } = body.token;
      const shown = 'system' in scope ? { system } : { domain };
      expect(shown).toEqual('system' in scope ? scope : { domain: { id: 'domain-root', name: 'root' } });
      expect([system, domain].filter(Boolean)).toHaveLength(1);
      expect(roles).toMatchObject([{ name: 'Domain Admin' }]);
      const looked = { 'x-auth-token': token, 'x-subject-token': token };
      expect((await ask(service, 'GetToken', {}, looked)).body).toEqual(body);
      const exchanged = (
        await ask(service, 'CreateToken', withToken(await iamToken(service, withPassword(root)), scope))
      ).body;
      expect(exchanged.token).toMatchObject(shown);
    }
    const request = withPassword(byName(tenant, tenant.admin), { system: { all: true } });
    expect(await refused(service, 'CreateToken', request)).toMatchObject(UNAUTHENTICATED);
  });

  it('is none when nothing is said or asked for, and the default project if it is usable', async () => {
    const user = await aUser(service, tenant, {
      default_project_id: tenant.alpha,
      roles: { [tenant.alpha]: 'WORKSPACE_OWNER' },
    });
    const scoped = await ask(service, 'CreateToken', withPassword(byName(tenant, user)));
    expect(scoped.body.token.project.id).toBe(tenant.alpha);
    const empty = await ask(service, 'CreateToken', withPassword(byName(tenant, user), {}));
    expect(empty.body.token.project.id).toBe(tenant.alpha);
    for (const scope of ['unscoped', { unscoped: {} }]) {
      const { body } = await ask(service, 'CreateToken', withPassword(byName(tenant, user), scope));
      expect(body.token).not.toHaveProperty('project');
    }
    const other = await aUser(service, tenant, { default_project_id: tenant.beta });
    const { body, status } = await ask(service, 'CreateToken', withPassword(byName(tenant, other)));
    expect(status).toBe('201');
    expect(body.token).not.toHaveProperty('project');
  });

  it.each([
    ['without a role there', () => ({ project: { id: tenant.beta } })],
    ['an unknown project', () => ({ project: { id: 'workspace-000000000000' } })],
    ['an unknown name', () => ({ project: { name: 'gamma', domain: { id: tenant.domain_id } } })],
    ['another domain', () => ({ project: { name: 'alpha', domain: { id: 'domain-root' } } })],
    ['an unknown domain', () => ({ domain: { name: 'nowhere' } })],
  ])('is refused like a wrong password: %s', async (_what, scope) => {
    const answer = await refused(service, 'CreateToken', withPassword(byName(tenant, member), scope()));
    expect(answer).toMatchObject(UNAUTHENTICATED);
  });

  it('comes without the catalog when nobody wants it', async () => {
    const request = withPassword(byName(tenant, member), { project: { id: tenant.alpha } });
    for (const nocatalog of ['true', '', '0'.repeat(65)]) {
      const { body } = await ask(service, 'CreateToken', { ...request, nocatalog });
      expect(body.token).not.toHaveProperty('catalog');
      expect(body.token).toHaveProperty('roles');
    }
  });
});

describe('Whoever is not let in', () => {
  it('P01: is told the same whatever the reason', async () => {
    const off = await aUser(service, tenant, { state: 'DISABLED' });
    const closed = await aTenant(service);
    const inside = await aUser(service, closed);
    await service.app.rooms.models.domains.update({ deadline: Date.now() + 9000 }, closed.domain_id, {
      state: 'DISABLED',
    });
    const answers = await Promise.all(
      [
        withPassword(byName(tenant, member), undefined, 'Wrong0pass'),
        withPassword(byName(tenant, 'nobody@example.com')),
        withPassword({ name: member, domain: { id: 'domain-000000000000' } }),
        withPassword({ name: member, domain: { name: 'nowhere' } }),
        withPassword({ id: '0'.repeat(32) }),
        withPassword(byName(tenant, off)),
        withPassword(byName(closed, inside)),
        withPassword(byName(tenant, member), { project: { id: tenant.beta } }),
      ].map((request) => refused(service, 'CreateToken', request)),
    );
    const shown = answers.map(({ code, status, text, reason, metadata }) => {
      const { date, 'grpc-status-details-bin': details, ...others } = metadata.getMap();
      const readable = Buffer.from(details as Buffer).toString('latin1');
      return { code, status, text, reason, others, date: typeof date, size: readable.length };
    });
    for (const one of shown) expect(one).toEqual(shown[0]);
    expect(answers[0]).toMatchObject({
      ...UNAUTHENTICATED,
      metadata: expect.anything(),
    });
    expect(answers[0]!.metadata.get('www-authenticate')).toEqual([
      'Keystone uri="https://iam.example.com/v3"',
    ]);
  });

  it.each([
    ['auth', {}],
    ['identity', { auth: {} }],
    ['identity.methods', { auth: { identity: {} } }],
    ['identity.password.user', { auth: { identity: { methods: ['password'] } } }],
    [
      'identity.password.user.domain',
      { auth: { identity: { methods: ['password'], password: { user: { name: 'a', password: 'b' } } } } },
    ],
    [
      'identity.password.user.password',
      { auth: { identity: { methods: ['password'], password: { user: { id: 'a' } } } } },
    ],
    ['identity.token.id', { auth: { identity: { methods: ['token'] } } }],
  ])('is told what is missing: %s', async (field, request) => {
    expect(await refused(service, 'CreateToken', request)).toMatchObject({
      status: '400',
      text: `'${field}' is a required property`,
    });
  });

  it('is told all that is wrong with the request', async () => {
    const user = { name: 'x'.repeat(65), password: 'b'.repeat(1025) };
    const identity = { methods: ['password', ' totp '], password: { user }, totp: { user: { id: 'a' } } };
    const scope = { domain: { id: 7 } };
    const { status, metadata } = await refused(service, 'CreateToken', { auth: { identity, scope } });
    expect(status).toBe('400');
    const told = metadata.get('grpc-status-details-bin').toString();
    for (const field of [
      'auth.identity.password.user.name',
      'auth.identity.password.user.domain',
      'auth.identity.password.user.password',
      'auth.identity.totp.user.passcode',
      'auth.scope.domain.id',
    ])
      expect(told).toContain(field);
  });

  it.each([
    ['two kinds', { system: { all: true }, domain: { id: 'a' } }],
    ['no kind that there is', { 'OS-TRUST:trust': { id: 'a' } }],
    ['a text', 'project'],
    ['part of the system', { system: { all: false } }],
    ['a project without a name', { project: { domain: { id: 'a' } } }],
    ['a project that is a list', { project: [] }],
  ])('is told that there is no such scope: %s', async (_what, scope) => {
    const answer = await refused(service, 'CreateToken', withPassword(byName(tenant, member), scope));
    expect(answer.status).toBe('400');
    expect(answer.text).toContain('scope');
  });

  it('may write blanks around a method', async () => {
    const { auth } = withPassword(byName(tenant, member)) as { auth: { identity: object } };
    const identity = { ...auth.identity, methods: [' password'] };
    const { body } = await ask(service, 'CreateToken', { auth: { identity } });
    expect(body.token.methods).toEqual(['password']);
  });

  it('is told that a method does not exist', async () => {
    for (const methods of [['oauth1'], ['password', 'token']]) {
      const answer = await refused(service, 'CreateToken', { auth: { identity: { methods } } });
      expect(answer).toMatchObject({
        status: '401',
        text: 'Attempted to authenticate with an unsupported method.',
      });
    }
  });

  it('is told once the password is right that it has to be changed, if a scope is asked for', async () => {
    const user = await aUser(service, tenant, {
      required_actions: ['UPDATE_PASSWORD'],
      roles: { [tenant.alpha]: 'WORKSPACE_OWNER' },
    });
    const scope = { project: { id: tenant.alpha } };
    expect(await refused(service, 'CreateToken', withPassword(byName(tenant, user), scope))).toMatchObject({
      status: '401',
      text: `The password is expired and needs to be changed for user: ${await opaqueId(service, tenant, user)}.`,
    });
    const wrong = withPassword(byName(tenant, user), scope, 'Wrong0pass');
    expect(await refused(service, 'CreateToken', wrong)).toMatchObject(UNAUTHENTICATED);
    const token = await iamToken(service, withPassword(byName(tenant, user)));
    expect(decodeJwt(token)).toMatchObject({ permissions: ['identity:UserProfile'] });
  });

  it('is not given the token for setting up an enforced second factor', async () => {
    const user = await aUser(service, tenant, {
      required_actions: ['ENFORCE_MFA'],
      mfa: { state: 'DISABLED', mfa_type: 'OTP', options: { enforce: true } },
    });
    const answer = await refused(service, 'CreateToken', withPassword(byName(tenant, user)));
    expect(answer).toMatchObject({ status: '401', text: 'Additional authentications steps required.' });
  });
});

describe('A token of Token.issue', () => {
  it('is as good', async () => {
    const { access_token } = await signIn(service, tenant, member, PASSWORD);
    const headers = { 'x-auth-token': access_token, 'x-subject-token': access_token };
    const { body } = await ask(service, 'GetToken', {}, headers);
    expect(body.token).toMatchObject({ methods: ['password'], user: { name: 'Mia.Member' } });
  });
});
