import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableOtp, nextStep } from '../../authenticator.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn } from '../../fixtures.js';
import type { Stack } from '../../rest/edge.js';
import { startStack } from '../../rest/edge.js';
import { byName, withCode, withPassword, withToken } from '../tokens.js';

let stack: Stack;
let tenant: Tenant;
let user: string;

beforeAll(async () => {
  stack = await startStack();
  tenant = await aTenant(stack.service);
  user = await aUser(stack.service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
});
afterAll(() => stack.close());

const TOKENS = '/v3/auth/tokens';
const post = (body: object, query = '', headers: Record<string, string> = {}) =>
  stack.edge.send('POST', `${TOKENS}${query}`, body, headers);
const scoped = () => withPassword(byName(tenant, user), { project: { id: tenant.alpha } });
const of = (token: string) => ({ 'x-auth-token': token, 'x-subject-token': token });
const error = (code: number, title: string, message: string) => ({ error: { code, title, message } });

async function token(): Promise<string> {
  return (await post(scoped())).headers.get('x-subject-token')!;
}

describe('/v3/auth/tokens', () => {
  it('is made, read, looked at and ended', async () => {
    const made = await post(scoped());
    expect(made.status).toBe(201);
    expect(made.headers.get('vary')).toBe('X-Auth-Token');
    expect(made.headers.get('edge-status')).toBeNull();
    const subject = made.headers.get('x-subject-token')!;
    expect(made.body.token).toMatchObject({
      methods: ['password'],
      user: { name: user, password_expires_at: null },
      project: { id: tenant.alpha },
      roles: [{ name: 'Workspace Member' }],
    });
    expect(Object.keys(made.body)).toEqual(['token']);
    const read = await stack.edge.send('GET', TOKENS, undefined, of(subject));
    expect(read).toMatchObject({ status: 200, body: made.body });
    expect(read.headers.get('x-subject-token')).toBe(subject);
    const looked = await stack.edge.send('HEAD', TOKENS, undefined, of(subject));
    expect(looked).toMatchObject({ status: 200, body: '' });
    expect(looked.headers.get('x-subject-token')).toBe(subject);
    const ended = await stack.edge.send('DELETE', TOKENS, undefined, of(subject));
    expect(ended).toMatchObject({ status: 204, body: '' });
    for (const path of [
      TOKENS,
      '/v3/auth/projects',
      '/v3/users/x',
      '/v1/csms/users/x',
      '/v3.0/OS-USER/users/x',
    ])
      expect((await stack.edge.send('GET', path, undefined, of(subject))).status).toBe(401);
    const other = { 'x-auth-token': await token(), 'x-subject-token': subject };
    expect(await stack.edge.send('GET', TOKENS, undefined, other)).toMatchObject({
      status: 404,
      body: error(404, 'Not Found', 'Could not find token.'),
    });
  });

  it('comes without the catalog for ?nocatalog', async () => {
    expect((await post(scoped())).body.token).toHaveProperty('catalog');
    const long = `?nocatalog=${'x'.repeat(65)}`;
    for (const query of ['?nocatalog', '?nocatalog=', '?nocatalog=false', '?nocatalog=1', long]) {
      const { status, body } = await post(scoped(), query);
      expect(status).toBe(201);
      expect(body.token.roles).toHaveLength(1);
      expect(body.token).not.toHaveProperty('catalog');
    }
    const read = await stack.edge.send('GET', `${TOKENS}?nocatalog=true`, undefined, of(await token()));
    expect(read.body.token).not.toHaveProperty('catalog');
  });

  it('is refused with the words of Keystone', async () => {
    const words = error(401, 'Unauthorized', 'The request you have made requires authentication.');
    const wrong = await post(withPassword(byName(tenant, user), undefined, 'Wrong0pass'));
    expect(wrong).toMatchObject({ status: 401, body: words });
    expect(wrong.headers.get('www-authenticate')).toBe(`Keystone uri="${stack.edge.url}/v3"`);
    expect(await post(withToken('nonsense'))).toMatchObject({ status: 401, body: words });
    expect(await post({ auth: {} })).toMatchObject({
      status: 400,
      body: error(400, 'Bad Request', "'identity' is a required property"),
    });
    const typed = { auth: { identity: { methods: 'password' } } };
    expect((await post(typed)).status).toBe(400);
    const { auth } = withPassword(byName(tenant, user)) as { auth: { identity: object } };
    const single = { auth: { identity: { ...auth.identity, methods: 'password' } } };
    expect((await post(single)).status).toBe(201);
    const grant = await signIn(stack.service, tenant, user);
    const { access_token } = await stack.service.call('Token.grant', {
      grant_type: 'REFRESH_TOKEN',
      token: grant.refresh_token,
      scope: 'USER',
    });
    expect(await post(withToken(access_token))).toMatchObject({
      status: 403,
      body: { error: { code: 403 } },
    });
  });

  it('takes two requests when there is a second factor', async () => {
    const careful = await aUser(stack.service, tenant);
    const { access_token } = await signIn(stack.service, tenant, careful);
    const authenticator = await enableOtp(stack.service, access_token);
    nextStep(stack.service);
    const asked = await post(withPassword(byName(tenant, careful)));
    expect(asked.status).toBe(401);
    expect(asked.body).toEqual({
      receipt: {
        methods: ['password'],
        user: expect.objectContaining({ name: careful }),
        expires_at: expect.any(String),
        issued_at: expect.any(String),
      },
      required_auth_methods: [['password', 'totp']],
    });
    expect(asked.headers.get('x-subject-token')).toBeNull();
    const receipt = { 'openstack-auth-receipt': asked.headers.get('openstack-auth-receipt')! };
    const totp = { user: { ...byName(tenant, careful), passcode: authenticator.code() } };
    const done = await post({ auth: { identity: { methods: ['totp'], totp } } }, '', receipt);
    expect(done).toMatchObject({ status: 201, body: { token: { methods: ['password', 'totp'] } } });
    const used = await post(withCode(byName(tenant, careful), totp.user.passcode, PASSWORD));
    expect(used.status).toBe(401);
    expect(used.headers.get('openstack-auth-receipt')).toBeNull();
  });
});

describe('/v3/auth/projects, domains and catalog', () => {
  it('print empty lists and every field', async () => {
    const subject = await token();
    const get = async (path: string) => (await stack.edge.send('GET', path, undefined, of(subject))).body;
    expect(await get('/v3/auth/domains')).toEqual({
      domains: [],
      links: { self: `${stack.edge.url}/v3/auth/domains`, previous: null, next: null },
    });
    expect((await get('/v3/auth/projects')).projects[0]).toMatchObject({ description: '', is_domain: false });
    expect((await get('/v3/auth/catalog')).catalog[0].endpoints[0].url).toBe(`${stack.edge.url}/v3`);
  });
});
