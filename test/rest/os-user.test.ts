import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aTenant, aUser, opaqueId, signIn } from '../fixtures.js';
import { everywhere } from '../iam/faces.js';
import type { Stack } from './edge.js';
import { startStack } from './edge.js';

const USERS = '/v3.0/OS-USER/users';
const JSON_UTF8 = 'application/json;charset=utf8';
const NEW = 'Ander5wort';

let stack: Stack;
let tenant: Tenant;
let token: string;

// With the settings that an installation has: what is remembered of a caller has to be forgotten at once.
beforeAll(async () => {
  stack = await startStack();
  tenant = await aTenant(stack.service);
  ({ access_token: token } = await signIn(stack.service, tenant, tenant.admin));
});
afterAll(() => stack.close());

const send = (verb: string, path: string, body?: unknown, as = token) =>
  stack.edge.send(verb, path, body, { 'x-auth-token': as, 'content-type': JSON_UTF8 });

let count = 0;
const aName = () => `detailed-${(count += 1)}`;

describe('users of OS-USER over HTTP', () => {
  it('are made with 201, every field of the document there; what is not known is ignored', async () => {
    // As huaweicloud_identity_user of Terraform sends it.
    const given = {
      name: aName(),
      domain_id: tenant.domain_id,
      password: NEW,
      email: 'someone@example.com',
      areacode: '0049',
      phone: '15112345678',
      description: 'Made here',
      access_mode: 'programmatic',
      xuser_id: 'ext-1',
      xuser_type: 'TenantIdp',
      enabled: true,
      pwd_status: true,
    };
    const { status, body } = await send('POST', USERS, { user: { ...given, surprise: { a: [1] } } });
    expect(status).toBe(201);
    const { access_mode: _ignored, password: _secret, ...shown } = given;
    expect(body).toEqual({
      user: {
        ...shown,
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        phone: '0049-15112345678',
        pwd_strength: expect.any(String),
        is_domain_owner: false,
        create_time: expect.any(String),
        update_time: null,
        last_login_time: null,
        password_expires_at: null,
        links: { self: `${stack.edge.url}${USERS}/${body.user.id}`, previous: null, next: null },
      },
    });
    expect((await send('GET', `${USERS}/${body.user.id}`)).body).toEqual(body);
  });

  it('are changed with 200 and answered as they are shown', async () => {
    const user_id = await aUser(stack.service, tenant, {
      description: 'Before',
      xuser_type: 'x',
      xuser_id: 'y',
    });
    const change = { areacode: '0086', phone: '12345678910', description: null, access_mode: 'default' };
    const { status, body } = await send('PUT', `${USERS}/${user_id}`, { user: change });
    expect(status).toBe(200);
    expect(body.user).toMatchObject({ areacode: '0086', phone: '0086-12345678910', description: '' });
    expect(body.user).toMatchObject({ name: user_id, email: user_id, xuser_type: 'x', xuser_id: 'y' });
    expect((await send('GET', `${USERS}/${user_id}`)).body).toEqual(body);
  });

  it('take nothing of a change that names another user in its body', async () => {
    const [user_id, other] = [await aUser(stack.service, tenant), await aUser(stack.service, tenant)];
    const change = { user: { description: 'For one', id: other, user_id: other }, user_id: other };
    const { body } = await send('PUT', `${USERS}/${user_id}`, change);
    expect(body.user).toMatchObject({ name: user_id, description: 'For one' });
    expect((await send('GET', `${USERS}/${other}`)).body.user.description).toBe('');
  });

  it('are the same at once in every system, also where the path is another id of theirs', async () => {
    const user_id = await aUser(stack.service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const id = await opaqueId(stack.service, tenant, user_id);
    const before = await everywhere(stack, tenant, user_id, token);
    const change = { areacode: '0049', phone: '15112345678', email: 'x@example.com', enabled: false };
    await send('PUT', `${USERS}/${id}`, { user: { ...change, name: 'known-as', pwd_status: true } });
    const { spaceone, iam, osUser, csms } = await everywhere(stack, tenant, user_id, token);
    expect(iam).toMatchObject({ name: 'known-as', email: 'x@example.com', enabled: false });
    expect(csms).toMatchObject({ mobile: '15112345678', disabled: true, pwd_must_modify: true });
    expect(osUser).toMatchObject({ phone: '0049-15112345678', pwd_status: true });
    expect(spaceone).toMatchObject({ email: 'x@example.com', state: 'DISABLED' });
    const shown = Object.keys(before.spaceone).filter((key) => key !== 'email_verified');
    expect(Object.keys(spaceone).sort()).toEqual(shown.sort());
    await send('PATCH', `/v3/users/${id}`, { user: { name: 'known-again', description: 'There' } });
    expect((await send('GET', `${USERS}/${id}`)).body.user).toMatchObject({
      name: 'known-again',
      description: 'There',
      phone: '0049-15112345678',
    });
  });

  it.each([
    [400, '1100', 'POST', {}, "'user' is a required property"],
    [400, '1100', 'POST', { user: { name: 'some-name' } }, "'domain_id' is a required property"],
    [400, '1100', 'PUT', { user: null }, "'user' is a required property"],
    [400, '1101', 'PUT', { user: { name: '5' } }, "Invalid input for field 'name'"],
    [400, '1102', 'PUT', { user: { email: [] } }, "Invalid input for field 'email': must be a text"],
    [400, '1104', 'PUT', { user: { areacode: '1', phone: 1 } }, "Invalid input for field 'phone'"],
    [400, '1106', 'PUT', { user: { phone: '1' } }, "Invalid input for field 'areacode, phone'"],
    [400, '1118', 'PUT', { user: { password: 'x' } }, "Invalid input for field 'password': At least 8"],
    [400, 'IAM.0007', 'PUT', { user: { xuser_id: 'x' } }, "field 'xuser_type, xuser_id'"],
    [400, 'IAM.0007', 'PUT', { user: { enabled: null } }, "Invalid input for field 'enabled'"],
    [400, '1101', 'PUT', { user: { name: 7 } }, "Invalid input for field 'name': must be a text"],
    [400, '1101', 'PUT', { user: { name: null } }, "Invalid input for field 'name': must be a text"],
    [400, '1103', 'PUT', { user: { password: null } }, "Invalid input for field 'password': must be a text"],
    [400, 'IAM.0011', 'PUT', '{', 'Malformed request body'],
    [409, '1109', 'PUT', { user: { name: 'taken-name' } }, 'the name taken-name is taken'],
    [409, '1113', 'PUT', { user: { xuser_type: 'x', xuser_id: 'taken' } }, 'the xuser_id taken is taken'],
  ])('answer %s with %s to %s %j', async (status, code, verb, body, said) => {
    const { service } = stack;
    const taken = { user_id: 'taken-name', xuser_type: 'x', xuser_id: 'taken' };
    await aUser(service, tenant, taken).catch(() => undefined);
    const path = verb === 'PUT' ? `${USERS}/${await aUser(service, tenant)}` : USERS;
    const answer = await send(verb, path, body);
    expect([answer.status, answer.body.error_code]).toEqual([status, code]);
    expect(Object.keys(answer.body).sort()).toEqual(['error_code', 'error_msg']);
    expect(answer.body.error_msg).toContain(said);
  });

  it('are made and changed with a token, by administrators, by these verbs alone', async () => {
    const user_id = await aUser(stack.service, tenant);
    const path = `${USERS}/${user_id}`;
    const { access_token } = await signIn(stack.service, tenant, user_id);
    const user = { name: aName(), domain_id: tenant.domain_id };
    for (const [verb, at] of [
      ['POST', USERS],
      ['PUT', path],
    ] as const) {
      const nobody = await send(verb, at, { user }, 'bad');
      expect([nobody.status, nobody.body.error_code]).toEqual([401, 'IAM.0001']);
      expect(nobody.headers.get('www-authenticate')).toBe(`Keystone uri="${stack.edge.url}/v3"`);
      const denied = await send(verb, at, { user }, access_token);
      expect([denied.status, denied.body.error_code]).toEqual([403, 'IAM.0003']);
    }
    const unknown = await send('PUT', `${USERS}/nobody`, { user: {} });
    expect([unknown.status, unknown.body.error_code]).toEqual([404, 'IAM.0004']);
    const verbs = await Promise.all([send('GET', USERS), send('DELETE', path), send('PATCH', path, {})]);
    expect(verbs.map(({ status, headers }) => [status, headers.get('allow')])).toEqual([
      [405, 'POST'],
      [405, 'GET, HEAD, PUT'],
      [405, 'GET, HEAD, PUT'],
    ]);
    expect((await send('DELETE', `/v3/users/${user_id}`)).status).toBe(204);
    expect((await send('GET', path)).status).toBe(404);
  });

  it('refuse a body that is too large with 413', async () => {
    const description = 'x'.repeat(1_100_000);
    const answer = await send('PUT', `${USERS}/${tenant.admin}`, { user: { description } });
    expect([answer.status, answer.body.error_code]).toEqual([413, 'APIGW.0201']);
  });
});
