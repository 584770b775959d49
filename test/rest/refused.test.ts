import { connect as connectHttp2, constants } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aTenant, aUser, signIn } from '../fixtures.js';
import type { Stack } from './edge.js';
import { startStack } from './edge.js';

const KEYSTONE = '/v3/users/somebody';
const OS_USER = '/v3.0/OS-USER/users/somebody';
const CSMS = '/v1/csms/users/somebody';
const OTHER = '/identity/v2/user-profile/get';

let stack: Stack;
let tenant: Tenant;
let token: string;

beforeAll(async () => {
  stack = await startStack();
  tenant = await aTenant(stack.service);
  ({ access_token: token } = await signIn(stack.service, tenant, tenant.admin));
});
afterAll(() => stack.close());

/** Sends a request with the given header lines; answers status line, headers and body. */
async function sendLines(verb: string, path: string, lines: string[]): Promise<[string, string]> {
  const head = [`${verb} ${path} HTTP/1.1`, 'Connection: close', ...lines].join('\r\n');
  const [headers, body] = (await stack.edge.raw(`${head}\r\n\r\n`)).split('\r\n\r\n');
  return [headers!, body!];
}

/** The body of a 400 in the words of the system that the path belongs to. */
function badRequest(path: string, text: string): object {
  if (path === OS_USER) return { error_msg: text, error_code: 'IAM.0011' };
  if (path === CSMS) return { error_code: 'APIGW.0201', error_msg: text };
  if (path === OTHER)
    return expect.objectContaining({ detail: { code: 'ERROR_INVALID_ARGUMENT', message: text } });
  return { error: { code: 400, message: text, title: 'Bad Request' } };
}

describe('an empty host', () => {
  it.each([KEYSTONE, OS_USER, CSMS, OTHER, '/v3', '/'])('is answered with 400 at %s', async (path) => {
    const [headers, body] = await sendLines('GET', path, ['Host: ']);
    expect(headers).toMatch(/^HTTP\/1\.1 400 /);
    expect(headers).toContain('content-type: application/json');
    expect(JSON.parse(body)).toEqual(badRequest(path, 'The host is empty.'));
  });

  it('is answered so after HEAD, without a body', async () => {
    const [headers, body] = await sendLines('HEAD', '/v3', ['Host:']);
    expect(headers).toMatch(/^HTTP\/1\.1 400 /);
    expect(body).toBe('');
  });

  it('is none to native gRPC either', async () => {
    const [headers] = await sendLines('POST', '/a.B/c', ['Host: ', 'Content-Type: application/grpc']);
    expect(headers).toMatch(/^HTTP\/1\.1 200 [^]*grpc-status: 3\r/);
    expect(headers).toContain('grpc-message: ERROR_INVALID_ARGUMENT: The request is malformed.');
  });
});

describe('the content type of gRPC', () => {
  const TYPES = [
    'application/grpc',
    'application/grpc+proto',
    'application/grpc+json',
    'application/grpc;charset=utf8',
  ];

  it.each(TYPES)('is answered with 400 at the paths of the IAM systems: %s', async (type) => {
    for (const path of [KEYSTONE, OS_USER, CSMS, '/', '/v3', '/v3/nothing', '/v3/auth/tokens'])
      for (const verb of ['GET', 'POST', 'PUT']) {
        const body = verb === 'GET' ? undefined : {};
        const answer = await stack.edge.send(verb, path, body, {
          'content-type': type,
          'x-auth-token': token,
        });
        expect(answer.status).toBe(400);
        expect(answer.headers.get('grpc-status')).toBeNull();
        const text = 'The content type is not JSON. No gRPC method has this path.';
        expect(answer.body).toEqual(badRequest(path, text));
      }
  });

  it.each(TYPES.slice(0, 3))('is taken for it everywhere else: %s', async (type) => {
    const answer = await stack.edge.send('POST', '/nowhere', '\0\0\0\0\0', { 'content-type': type });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/grpc/);
  });

  it('is refused so after HEAD without a body, and with a path that is refused earlier', async () => {
    const lines = ['Host: edge', 'Content-Type: application/grpc'];
    expect(await sendLines('HEAD', KEYSTONE, lines)).toEqual([expect.stringMatching(/^HTTP\/1\.1 400 /), '']);
    const [headers, body] = await sendLines('GET', '/v3/users/a%00b', lines);
    expect(headers).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(body)).toEqual(badRequest(KEYSTONE, 'The request is malformed.'));
  });

  it('does not open a way around what is done to requests', async () => {
    const other = await aUser(stack.service, tenant);
    const headers = { 'content-type': 'application/grpc;x', token, 'grpc-encoding': 'gzip' };
    const answer = await stack.edge.send('POST', `${OTHER}?user_id=${other}`, {}, headers);
    expect(answer).toMatchObject({ status: 200, body: { user_id: tenant.admin } });
  });
});

describe('CONNECT', () => {
  it('is answered with 404', async () => {
    const answer = await stack.edge.raw(
      `CONNECT edge:80 HTTP/1.1\r\nHost: edge:80\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  });

  it.each(['application/grpc', 'application/grpc+proto'])('opens no tunnel for %s either', async (type) => {
    const lines = ['Host: edge:80', `Content-Type: ${type}`];
    const [headers, body] = await sendLines('CONNECT', 'edge:80', lines);
    expect(headers).toMatch(/^HTTP\/1\.1 404 /);
    expect(JSON.parse(body)).toMatchObject({ detail: { code: 'ERROR_UNSUPPORTED_API' } });
  });
});

describe('what is refused before its path is known', () => {
  const cases: [string, number, string[]][] = [
    ['headers over 32 KiB', 431, [`X-A: ${'a'.repeat(40_000)}`]],
    ['more than 100 headers', 431, Array.from({ length: 120 }, (_, at) => `X-${at}: a`)],
    ['an underscore in a name', 400, ['x_a: a']],
    ['a NUL', 400, ['X-A: a\0b']],
    ['two lengths', 400, ['Content-Length: 0', 'Content-Length: 1']],
    ['a length and chunks', 400, ['Content-Length: 0', 'Transfer-Encoding: chunked']],
  ];

  it.each(cases)('has the body of all other paths, also at the IAM systems: %s', async (_, status, lines) => {
    const [headers, body] = await sendLines('GET', KEYSTONE, ['Host: edge', ...lines]);
    expect(headers).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(headers).toMatch(/^cache-control: no-store\r?$/m);
    expect(headers).toMatch(/^x-content-type-options: nosniff\r?$/m);
    expect(JSON.parse(body)).toMatchObject({ code: 3, detail: { code: 'ERROR_INVALID_ARGUMENT' } });
    expect(headers.match(/^x-request-id: [\da-f-]{36}\r?$/gm)).toHaveLength(1);
  });

  it.each([
    ['headers over 32 KiB', { 'x-a': 'a'.repeat(40_000) }],
    ['an underscore in a name', { x_a: 'a' }],
  ])('ends only its own stream over HTTP/2: %s', async (_, headers) => {
    const session = connectHttp2(stack.edge.url);
    const outcome = (extra: Record<string, string>) =>
      new Promise<unknown>((resolve) => {
        const stream = session.request({ ':path': '/v3', ...extra });
        stream.on('response', (answer) => resolve(answer[':status']));
        stream.on('error', () => resolve(stream.rstCode));
      });
    try {
      expect(await outcome(headers)).toBe(constants.NGHTTP2_INTERNAL_ERROR);
      expect(await outcome({})).toBe(200);
    } finally {
      session.destroy();
    }
  });
});

describe('JSON as the edge reads it', () => {
  const patch = async (body: string) => {
    const path = `/v3/users/${await aUser(stack.service, tenant)}`;
    return stack.edge.send('PATCH', path, body, { 'x-auth-token': token });
  };

  it.each([
    ['single quotes', `{'user': {'description': 'A'}}`],
    ['names without quotes', '{user: {description: "A"}}'],
    ['a comma at the end', '{"user": {"description": "A",},}'],
    ['needless backslashes', '{"user": {"description": "\\A"}}'],
  ])('may be written with %s', async (_, body) => {
    expect(await patch(body)).toMatchObject({ status: 200, body: { user: { description: 'A' } } });
  });

  it.each([
    ['a comment', '{"user": {} /* none */}'],
    ['an octal number', '{"user": {"enabled": 01}}'],
    ['NaN', '{"user": {"description": NaN}}'],
    ['two documents', '{"user": {}}{"user": {}}'],
    ['a byte order mark', '\ufeff{"user": {}}'],
    ['a lonely comma', '{,}'],
  ])('may not hold %s', async (_, body) => {
    const answer = await patch(body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toMatch(/^Malformed request body: .*\.$/);
  });

  it('names a member that is given twice where absent is not empty', async () => {
    const body = '{"nocatalog": "secret-a", "nocatalog": "secret-b"}';
    const answer = await stack.edge.send('POST', '/v3/auth/tokens', body);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual(
      badRequest(
        KEYSTONE,
        "Invalid input for field 'nocatalog': It is given twice, or with one that excludes it.",
      ),
    );
  });

  it('takes the last of two where nothing tells absent from empty', async () => {
    const body = '{"user": {"description": "A", "enabled": true}, "user": {"description": "B"}}';
    expect(await patch(body)).toMatchObject({ status: 200, body: { user: { description: 'B' } } });
  });

  it('says the same of two members that exclude each other', async () => {
    const query = { filter: [{ key: 'a', k: 'b', value: 'c' }] };
    const answer = await stack.edge.post('/identity/v2/workspace-user/list', { query }, token);
    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain(
      'query.filter[0].k: It is given twice, or with one that excludes it.',
    );
  });
});
