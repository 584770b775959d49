import { connect as connectHttp2 } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { WireClient } from '../wire-client.js';
import type { Edge } from './edge.js';
import { startEdge } from './edge.js';
import { framed, startUpstream, succeed } from './upstream.js';
import type { Upstream } from './upstream.js';

const GET = '/identity/v2/user-profile/get';
/** What only the edge, the service and proxies may say. */
const INTERNAL = [
  ...[
    'internal',
    'external-address',
    'retry-on',
    'max-retries',
    'upstream-rq-timeout-ms',
    'attempt-count',
  ].map((name) => `x-envoy-${name}`),
  ...['peer-metadata', 'is-timeout-retry', 'original-method', 'original-host', 'decorator-operation'].map(
    (name) => `x-envoy-${name}`,
  ),
  ...['host', 'port', 'prefix', 'client-cert', 'user', 'email', 'groups', 'access-token'].map(
    (name) => `x-forwarded-${name}`,
  ),
  ...['edge-status', 'edge-code', 'edge-retry', 'x-edge-request'],
  ...['forwarded', 'x-real-ip', 'bootstrap-secret'],
];

let service: Service;
let tenant: Tenant;
let edge: Edge;
let mirror: Upstream;
let mirrored: Edge;
const received: IncomingHttpHeaders[] = [];

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  edge = await startEdge(service.address);
  mirror = await startUpstream((stream, headers) => {
    if (headers[':path'] === '/grpc.health.v1.Health/Check') {
      succeed(stream, framed(Buffer.from([8, 1])));
      return;
    }
    received.push(headers);
    succeed(stream, framed(Buffer.alloc(0)));
  });
  mirrored = await startEdge(mirror.address);
});
afterAll(async () => {
  await mirrored.close();
  mirror.close();
  await edge.close();
  await service.close();
});

const bearer = async (user_id: string) => tokenOf(service, tenant, user_id);

describe('what only the inside may say', () => {
  it.each([
    ['REST', (headers: Record<string, string>) => mirrored.send('POST', GET, {}, headers)],
    [
      'native gRPC',
      async (headers: Record<string, string>) => {
        const client = new WireClient(mirrored.address);
        await client.call('UserProfile.get', {}, undefined, headers);
        client.close();
      },
    ],
  ])('does not pass the edge when a caller says it over %s', async (_, send) => {
    await send(Object.fromEntries(INTERNAL.map((name) => [name, 'of-a-caller'])));
    expect(Object.values(received.at(-1)!).filter((value) => String(value).includes('of-a-caller'))).toEqual(
      [],
    );
  });

  it('is said by the edge itself, and nothing before it counts', async () => {
    const forged = {
      'x-forwarded-for': '203.0.113.66',
      'x-forwarded-proto': 'https',
      'x-request-id': 'mine',
    };
    await mirrored.send('POST', GET, {}, { ...forged, 'x-envoy-original-path': '/v3/users' });
    const headers = received.at(-1)!;
    expect(headers['x-forwarded-for']).toMatch(/^[0-9a-f.:]+$/);
    expect(headers['x-forwarded-for']).not.toContain('203.0.113.66');
    expect(headers['x-forwarded-proto']).toBe('http');
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers['x-envoy-original-path']).toBe(GET);
  });

  it('does not change the form, the status or the end of an answer', async () => {
    const headers = {
      'edge-status': '204',
      'edge-code': 'IAM.0001',
      'x-edge-request': 'HEAD /v3/users',
      'x-envoy-original-path': '/v3/users',
      'x-envoy-upstream-rq-timeout-ms': '1',
      'x-http-method-override': 'DELETE',
      'x-original-url': '/v3/users',
      'grpc-status': '0',
      'grpc-encoding': 'unknown',
    };
    const answer = await edge.send('POST', GET, {}, headers);
    expect(answer).toMatchObject({ status: 401, body: { code: 16 } });
    expect(Object.keys(answer.body as object)).toEqual(['code', 'message', 'details', 'detail']);
  });
});

describe('the request id', () => {
  it.each(['a b', '"}{"level":50', '../../etc/passwd', '%0a%0d', '${jndi:ldap://x}', 'x'.repeat(3000)])(
    'of a caller is replaced, in the answer and in the log: %s',
    async (id) => {
      const answer = await edge.send('POST', GET, {}, { 'x-request-id': id });
      const given = answer.headers.get('x-request-id');
      expect(given).toMatch(/^[0-9a-f-]{36}$/);
      expect(service.logs.filter((line) => line.includes(`"${given}"`))).toHaveLength(1);
      expect(service.logs.join('\n')).not.toContain(JSON.stringify(id).slice(1, -1));
    },
  );
});

describe('more than one token', () => {
  /** Sends header lines as they are, the same one twice if need be. */
  function sendLines(lines: string[]): Promise<string> {
    const head = ['Host: edge', 'Connection: close', 'Content-Length: 2', ...lines].join('\r\n');
    return edge.raw(`POST ${GET} HTTP/1.1\r\n${head}\r\n\r\n{}`);
  }

  it.each(['token', 'x-auth-token', 'authorization'])('in %s is nobody', async (name) => {
    const prefix = name === 'authorization' ? 'Bearer ' : '';
    const mine = prefix + (await bearer(await aUser(service, tenant)));
    const other = prefix + (await bearer(tenant.admin));
    expect(await sendLines([`${name}: ${mine}`])).toMatch(/^HTTP\/1\.1 200 /);
    for (const pair of [
      [mine, other],
      [mine, mine],
      [`${prefix}nonsense`, mine],
      [mine, `${prefix}nonsense`],
    ])
      expect(await sendLines(pair.map((value) => `${name}: ${value}`))).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('in different headers is the one of the first of token, x-auth-token, authorization that is there', async () => {
    const mine = await aUser(service, tenant);
    const token = await bearer(mine);
    const answer = await edge.send('POST', GET, {}, { token, authorization: 'Bearer nonsense' });
    expect(answer).toMatchObject({ status: 200, body: { user_id: mine } });
    const wrong = { 'x-auth-token': 'nonsense', authorization: `Bearer ${token}` };
    expect((await edge.send('POST', GET, {}, wrong)).status).toBe(401);
  });
});

describe('the header of another service', () => {
  it.each(['x_domain_id', 'x_workspace_id', 'x_user_id', 'bootstrap_secret'])(
    '%s is refused over HTTP/1.1, HTTP/2 and native gRPC',
    async (name) => {
      expect((await edge.send('POST', GET, {}, { [name]: tenant.domain_id })).status).toBe(400);
      const client = new WireClient(edge.address);
      const refused = await refusal(
        client.call('UserProfile.get', {}, undefined, { [name]: tenant.domain_id }),
      );
      client.close();
      expect([status.INTERNAL, status.UNAVAILABLE, status.UNKNOWN]).toContain(refused.code);
      const session = connectHttp2(edge.url);
      const stream = session.request({ ':method': 'POST', ':path': GET, [name]: tenant.domain_id });
      const outcome = await new Promise<unknown>((resolve) => {
        stream.on('response', (headers) => resolve(headers[':status']));
        stream.on('error', () => resolve('reset'));
      });
      session.destroy();
      expect([400, 'reset']).toContain(outcome);
    },
  );

  it('with a hyphen instead is nothing to the service', async () => {
    const mine = await aUser(service, tenant);
    const headers = {
      'x-domain-id': 'domain-other',
      'x-workspace-id': tenant.beta,
      'x-user-id': tenant.admin,
    };
    const token = await bearer(mine);
    const answer = await edge.send('POST', GET, {}, { token, ...headers });
    expect(answer).toMatchObject({ status: 200, body: { user_id: mine, domain_id: tenant.domain_id } });
  });
});

describe('a deadline over REST', () => {
  it.each(['1n', '0S', '1m'])(
    'is no matter of the caller, not while the body is on its way: %s',
    async (given) => {
      const port = Number(mirrored.address.split(':')[1]);
      const socket = connect(port, '127.0.0.1');
      const length = 'Content-Length: 2\r\nConnection: close';
      socket.write(`POST ${GET} HTTP/1.1\r\nHost: edge\r\n${length}\r\ngrpc-timeout: ${given}\r\n\r\n{`);
      await setTimeout(300);
      socket.write('}');
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
      expect(received.at(-1)!['grpc-timeout']).toMatch(/^(30S|30000m|29\d{3}m)$/);
    },
  );
});

describe('a deadline of the caller that is none', () => {
  it.each(['abc', '-5S', '0m', '99999999999S', '1', 'S', '5s', '1 S', '٣S', '1e3S', ''])(
    'is not passed on: "%s"',
    async (given) => {
      const length = 'Content-Length: 2\r\nConnection: close';
      const request = `POST ${GET} HTTP/1.1\r\nHost: edge\r\n${length}\r\ngrpc-timeout: ${given}\r\n\r\n{}`;
      // What is no ASCII is no header either.
      expect(await edge.raw(request)).toMatch(/^HTTP\/1\.1 (401|400) /);
      const kind = 'content-type: application/grpc\r\nte: trailers';
      const native = `POST /spaceone.api.identity.v2.UserProfile/get HTTP/1.1\r\nHost: edge\r\n${kind}\r\n`;
      const frame = 'Content-Length: 5\r\nConnection: close';
      const answer = await edge.raw(`${native}${frame}\r\ngrpc-timeout: ${given}\r\n\r\n\0\0\0\0\0`);
      expect(/grpc-status: ?(\d+)/.exec(answer)?.[1]).toMatch(/^(16|4)$/);
    },
  );
});

describe('requests that two parties might read in two ways', () => {
  it.each([
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 30'],
    ['a length and chunks', 'Content-Length: 2\r\nTransfer-Encoding: chunked'],
    ['an encoding in disguise', 'Transfer-Encoding: xchunked'],
    ['a blank before the colon', 'Content-Length : 2'],
    ['a NUL', 'X-A: a\0b\r\nContent-Length: 2'],
  ])('are refused: %s', async (_, lines) => {
    const hidden = `GET ${GET} HTTP/1.1\r\nHost: hidden\r\n\r\n`;
    const answer = await edge.raw(
      `POST ${GET} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n${lines}\r\n\r\n{}${hidden}`,
    );
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toHaveLength(1);
    expect(answer).toMatch(/^HTTP\/1\.1 (400|501) /);
  });

  it.each([
    ['another protocol', 'Connection: Upgrade\r\nUpgrade: websocket', /^HTTP\/1\.1 (4\d\d) /],
    [
      'HTTP/2 without TLS',
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk',
      /./,
    ],
    ['the forwarding headers gone', 'Connection: close, x-forwarded-for', /^HTTP\/1\.1 400 /],
    ['trailers of its own', 'TE: gzip, trailers, deflate', /^HTTP\/1\.1 401 /],
  ])('do not get what they ask for: %s', async (_, lines, expected) => {
    const first = `POST ${GET} HTTP/1.1\r\nHost: edge\r\n${lines}\r\nContent-Length: 2\r\n\r\n{}`;
    const then = `POST ${GET} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`;
    const answer = await edge.raw(first + then);
    expect(answer).toMatch(expected);
    expect(answer).not.toContain('101 Switching');
    const line = service.logs.findLast((one) => one.includes('UserProfile/get"'))!;
    // A call without a forwarded address would count as one of this machine.
    expect(JSON.parse(line)).toHaveProperty('peer');
  });
});
