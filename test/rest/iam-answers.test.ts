import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, opaqueId, signIn } from '../fixtures.js';
import { WireClient } from '../wire-client.js';
import type { Stack } from './edge.js';
import { startStack } from './edge.js';

let stack: Stack;
let tenant: Tenant;
let token: string;
let adminId: string;

beforeAll(async () => {
  stack = await startStack();
  tenant = await aTenant(stack.service);
  ({ access_token: token } = await signIn(stack.service, tenant, tenant.admin));
  adminId = await opaqueId(stack.service, tenant, tenant.admin);
});
afterAll(() => stack.close());

const send = (verb: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  stack.edge.send(verb, path, body, { 'x-auth-token': token, ...headers });

/** Two requests on one connection: head and body of the first answer, and all of the second. */
async function twice(request: string): Promise<{ head: string; second: string }> {
  const common = `Host: edge\r\nX-Auth-Token: ${token}\r\n`;
  const after = `GET /v3 HTTP/1.1\r\n${common}Connection: close\r\n\r\n`;
  const answer = await stack.edge.raw(`${request} HTTP/1.1\r\n${common}\r\n${after}`);
  const end = answer.indexOf('\r\n\r\n');
  return { head: answer.slice(0, end), second: answer.slice(end + 4) };
}

const IN_STEP = /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n\{"version":\{[^]*\}\}$/;

describe('answers without a body', () => {
  it('has 204 with neither body nor length nor type, and keeps the connection in step', async () => {
    const user = await aUser(stack.service, tenant);
    const { head, second } = await twice(`DELETE /v3/users/${user}`);
    expect(head).toMatch(/^HTTP\/1\.1 204 No Content\r\n/);
    expect(head).not.toMatch(/\r\n(content-length|content-type|transfer-encoding|edge-)/);
    expect(head).toContain('\r\nvary: X-Auth-Token\r\n');
    expect(second).toMatch(IN_STEP);
  });

  it.each([
    ['200', '/v3'],
    ['200', '/v3.0/OS-USER/users/ADMIN'],
    ['200', '/v1/csms/users/ADMIN'],
    ['200', '/v3/users'],
    ['300', '/'],
    ['404', '/v3/users/nobody'],
    ['404', '/v3/nowhere'],
    ['400', '/v1/csms/users/nobody'],
    ['405', '/v3/users/ADMIN/password'],
    ['400', '/v3/users/a%00b'],
  ])(
    'has HEAD with %s and the headers of GET, and keeps the connection in step: %s',
    async (status, template) => {
      const path = template.replace('ADMIN', adminId);
      const { head, second } = await twice(`HEAD ${path}`);
      expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(head).not.toMatch(/transfer-encoding|edge-/);
      expect(second).toMatch(IN_STEP);
      const { headers } = await send('GET', path);
      expect(headers.get('x-openstack-request-id')).toBe(
        headers.has('vary') ? `req-${headers.get('x-request-id')}` : null,
      );
      for (const name of ['content-length', 'content-type', 'vary']) {
        const found = new RegExp(`\\r\\n${name}: ([^\\r]*)`).exec(head)?.[1] ?? null;
        expect([name, found]).toEqual([name, headers.get(name)]);
      }
    },
  );

  it('has 300 with a body, and keeps the connection in step', async () => {
    const { head, second } = await twice('GET /');
    expect(head).toMatch(/^HTTP\/1\.1 300 Multiple Choices\r\n/);
    expect(second).toMatch(/^\{"versions":\{[^]*\}HTTP\/1\.1 200 OK\r\n/);
  });
});

describe('answers without a body over HTTP/2', () => {
  it.each([
    ['HEAD', '/v3/users/ADMIN', 200],
    ['HEAD', '/v3/users/nobody', 404],
    ['DELETE', '/v3/users/USER', 204],
  ])('ends as it should after %s %s', async (method, template, status) => {
    const user = await aUser(stack.service, tenant);
    const path = template.replace('ADMIN', adminId).replace('USER', user);
    const session = connectHttp2(stack.edge.url);
    try {
      const stream = session.request({ ':method': method, ':path': path, 'x-auth-token': token });
      const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      expect(headers[':status']).toBe(status);
      expect('content-length' in headers).toBe(method === 'HEAD');
      expect(await text(stream)).toBe('');
      expect(stream.rstCode).toBe(0);
    } finally {
      session.destroy();
    }
  });
});

describe('signing in', () => {
  const identity = () => ({
    methods: ['password'],
    password: { user: { id: adminId, password: PASSWORD } },
  });

  it('answers 201 with the token as a header, and no metadata of the service', async () => {
    const answer = await send('POST', '/v3/auth/tokens', { auth: { identity: identity() } });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('x-subject-token')).toMatch(/^ey/);
    expect(answer.headers.get('edge-status')).toBeNull();
    expect(answer.headers.get('vary')).toBe('X-Auth-Token');
  });

  it.each(['?nocatalog', '?nocatalog=true', '?surprise=1&nocatalog'])(
    'takes %s, and the other way round a catalog is there',
    async (query) => {
      const auth = { identity: identity(), scope: { domain: { id: tenant.domain_id } } };
      const bare = await send('POST', `/v3/auth/tokens${query}`, { auth });
      expect(bare.status).toBe(201);
      expect(bare.body.token).not.toHaveProperty('catalog');
      const full = await send('POST', '/v3/auth/tokens', { auth });
      expect(full.body.token).toHaveProperty('catalog');
    },
  );

  it.each([
    'application/json',
    'application/json;charset=utf8',
    'application/json; charset=utf-8',
    'text/plain',
    '',
  ])('takes a body of the content type "%s"', async (type) => {
    const body = JSON.stringify({ auth: { identity: identity() } });
    const header = type ? `Content-Type: ${type}\r\n` : '';
    const answer = await stack.edge.raw(
      `POST /v3/auth/tokens HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n${header}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
  });
});

describe('spellings of a path', () => {
  it.each(['/v3/', '/v3//', '//v3', '/v3?', '/v3/?surprise=1', '/./v3'])('takes %s for /v3', async (path) => {
    const length = 'Connection: close';
    expect(await stack.edge.raw(`GET ${path} HTTP/1.1\r\nHost: edge\r\n${length}\r\n\r\n`)).toMatch(IN_STEP);
  });

  it.each(['ADMIN', 'ADMIN/', 'admin@example.com', 'admin%40example.com', 'ADMIN?surprise=1&flag'])(
    'finds a user by %s at each system',
    async (spelling) => {
      const name = spelling.replace('ADMIN', adminId);
      expect((await send('GET', `/v3/users/${name}`)).body.user.id).toBe(adminId);
      expect((await send('GET', `/v3.0/OS-USER/users/${name}`)).body.user.id).toBe(adminId);
      expect((await send('GET', `/v1/csms/users/${name}`)).body.user_id).toBe(adminId);
    },
  );

  it.each(['user_id', 'userId', 'user%5Fid'])(
    'lets no parameter %s take the place of the path',
    async (name) => {
      const other = await aUser(stack.service, tenant);
      for (const query of [`${name}=${other}`, name]) {
        const answer = await send('GET', `/v3.0/OS-USER/users/${adminId}?${query}`);
        expect(answer.body.user.id).toBe(adminId);
      }
    },
  );

  it('takes a plus in a parameter for a blank, and %2B for a plus', async () => {
    const user_id = await aUser(stack.service, tenant, { user_id: 'a+b@example.com' });
    const found = await send('GET', '/v3/users?name=a%2Bb@example.com');
    expect(found.body.users).toMatchObject([{ name: user_id }]);
    expect((await send('GET', '/v3/users?name=a+b@example.com')).body.users).toEqual([]);
  });
});

describe('native gRPC through the edge', () => {
  it('sees nothing of what the service tells the edge', async () => {
    const client = new WireClient(stack.edge.address);
    const call = client.exchange('iam.v3.VersionService.ListVersions');
    const metadata = [(await call).metadata];
    const refused = client.call('csms.v1.UserService.GetUser', { user_id: 'nobody' }, token);
    metadata.push(await refused.catch((error: { metadata: (typeof metadata)[0] }) => error.metadata));
    client.close();
    for (const one of metadata) {
      expect(Object.keys(one.getMap()).filter((name) => name.includes('edge'))).toEqual([]);
    }
    expect(metadata[1]!.get('grpc-status-details-bin')).toHaveLength(1);
  });
});
