import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn } from '../fixtures.js';
import type { Stack } from './edge.js';
import { startStack } from './edge.js';

const JSON_UTF8 = 'application/json;charset=utf8';
const NEW = 'Ander5wort';

let stack: Stack;
let tenant: Tenant;
let token: string;

beforeAll(async () => {
  stack = await startStack();
  tenant = await aTenant(stack.service);
  ({ access_token: token } = await signIn(stack.service, tenant, tenant.admin));
});
afterAll(() => stack.close());

const send = (verb: string, path: string, body?: unknown, as = token) =>
  stack.edge.send(verb, path, body, { 'x-auth-token': as, 'content-type': JSON_UTF8 });

describe('users of OpenStack Identity over HTTP', () => {
  it('are made with 201, every field of the document there, and what is unset as it is there', async () => {
    const given = { name: 'made-here', email: null, options: {}, surprise: 1 };
    const { status, headers, body } = await send('POST', '/v3/users', { user: given });
    expect(status).toBe(201);
    expect(headers.get('vary')).toBe('X-Auth-Token');
    expect(body).toEqual({
      user: {
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        name: 'made-here',
        domain_id: tenant.domain_id,
        enabled: true,
        description: '',
        decription: '',
        password_expires_at: null,
        options: {},
        extra: {},
        links: { self: `${stack.edge.url}/v3/users/${body.user.id}` },
      },
    });
    expect((await send('GET', new URL(body.user.links.self as string).pathname)).body).toEqual(body);
  });

  it.each(['PATCH', 'POST'])('are changed by %s in the fields that are given', async (verb) => {
    const user_id = await aUser(stack.service, tenant, { description: 'Before', default_project_id: 'p-1' });
    const path = `/v3/users/${encodeURIComponent(user_id)}`;
    const name = `renamed-${verb}`;
    const change = { name, enabled: 'no', description: null, email: 'x@example.com' };
    const { status, body } = await send(verb, path, { user: change });
    expect(status).toBe(200);
    expect(body.user).toMatchObject({ name, enabled: false, description: '', decription: '' });
    expect(body.user).toMatchObject({ default_project_id: 'p-1', email: user_id });
  });

  it.each([
    ['PATCH', '/v3/users/ID'],
    ['POST', '/v3/users'],
    ['POST', '/v3/users/ID/password'],
  ])('asks %s %s for a user', async (verb, template) => {
    const path = template.replace('ID', tenant.admin);
    for (const body of [{}, { user: null }]) {
      const answer = await send(verb, path, body);
      expect(answer.status).toBe(400);
      expect(answer.body.error).toMatchObject({
        title: 'Bad Request',
        message: "'user' is a required property",
      });
    }
  });

  it('take nothing of a change that names another user in its body', async () => {
    const user_id = await aUser(stack.service, tenant);
    const other = await aUser(stack.service, tenant);
    const change = { user: { description: 'For one' }, user_id: other };
    const { body } = await send('PATCH', `/v3/users/${user_id}`, change);
    expect(body.user).toMatchObject({ name: user_id, description: 'For one' });
    expect((await send('GET', `/v3/users/${other}`)).body.user.description).toBe('');
  });

  it('are listed page by page along the addresses that the answers name', async () => {
    for (let index = 0; index < 5; index += 1) await aUser(stack.service, tenant);
    const seen: string[] = [];
    for (let path = '/v3/users?limit=3&enabled=TRUE'; path;) {
      const { status, body } = await send('GET', path);
      expect(status).toBe(200);
      expect(body.users.length).toBeLessThanOrEqual(3);
      expect(body.links).toMatchObject({ previous: null });
      seen.push(...body.users.map(({ id }: { id: string }) => id));
      path = body.links.next ? String(body.links.next).slice(stack.edge.url.length) : '';
    }
    const { body } = await send('GET', '/v3/users?enabled=true');
    expect(seen).toEqual(body.users.map(({ id }: { id: string }) => id));
    expect(seen.length).toBeGreaterThan(5);
  });

  it('are found by a name that needs escaping', async () => {
    const user_id = await aUser(stack.service, tenant, { user_id: 'a+b&c=d@example.com' });
    const path = `/v3/users?name=${encodeURIComponent(user_id)}&domain_id=${tenant.domain_id}`;
    const { body } = await send('GET', path);
    expect(body.users).toEqual([expect.objectContaining({ name: user_id })]);
    const again = await send('GET', String(body.links.self).slice(stack.edge.url.length));
    expect(again.body).toEqual(body);
    expect((await send('GET', '/v3/users?name=nobody')).body.users).toEqual([]);
  });

  it.each([
    'limit=x',
    'limit=-1',
    'limit=99999999999',
    'enabled=perhaps',
    'marker=nobody',
    'name__contains=a',
    'name__istartswith=a',
    'idp_id=x',
    'protocol_id=x',
    'unique_id=x',
    'password_expires_at=lt:yesterday',
  ])('are not listed for %s', async (query) => {
    const { status, body } = await send('GET', `/v3/users?${query}`);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 400, title: 'Bad Request' });
    expect(body.error.message).toContain(query.split('=')[0]);
  });

  it('are listed whatever else is asked that no system knows', async () => {
    const { status, body } = await send(
      'GET',
      '/v3/users?sort_key=name&surprise__is=1&nameContains=x&limit=1',
    );
    expect([status, body.users.length]).toEqual([200, 1]);
  });

  it.each([
    [{ name: null }, "Invalid input for field 'name': must be a text"],
    [{ enabled: null }, "Invalid input for field 'enabled': must be a boolean: true or false"],
    [{ enabled: '' }, "Invalid input for field 'enabled': must be a boolean: true or false"],
    [{ password: null }, "Invalid input for field 'password': must be a text"],
    [{ domain_id: null }, "Invalid input for field 'domain_id': must be a text"],
    [{ name: 'abcde\n' }, "Invalid input for field 'name': must be 5 to 32 letters"],
    [{ name: ' abcde' }, "Invalid input for field 'name': must be 5 to 32 letters"],
    [
      { options: { multi_factor_auth_enabled: true } },
      "Invalid input for field 'options.multi_factor_auth_enabled': is no option that can be set here",
    ],
  ])('refuse %j', async (user, message) => {
    const user_id = await aUser(stack.service, tenant);
    const { status, body } = await send('PATCH', `/v3/users/${user_id}`, { user });
    expect([status, body.error.message]).toEqual([400, expect.stringContaining(message)]);
  });

  it('change their password with 204, and a wrong one is 401 that says where to sign in', async () => {
    const user_id = await aUser(stack.service, tenant);
    const { access_token } = await signIn(stack.service, tenant, user_id);
    const path = `/v3/users/${user_id}/password`;
    const wrong = { user: { password: NEW, original_password: 'Wrong0pass' } };
    const refused = await send('POST', path, wrong, access_token);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe(`Keystone uri="${stack.edge.url}/v3"`);
    const right = { user: { password: NEW, original_password: PASSWORD } };
    const changed = await send('POST', path, right, access_token);
    expect([changed.status, changed.body]).toEqual([204, '']);
    expect((await send('GET', `/v3/users/${user_id}`, undefined, access_token)).status).toBe(401);
  });

  it('are removed with 204, once', async () => {
    const user_id = await aUser(stack.service, tenant);
    const first = await send('DELETE', `/v3/users/${user_id}`);
    expect([first.status, first.body]).toEqual([204, '']);
    const { status, body } = await send('DELETE', `/v3/users/${user_id}`);
    expect(status).toBe(404);
    expect(body.error).toEqual({
      code: 404,
      title: 'Not Found',
      message: `Could not find user: ${user_id}.`,
    });
  });
});
