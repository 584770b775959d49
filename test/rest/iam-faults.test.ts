import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/launch/ports.mjs';
import { GetVersionResponse } from '../../src/gen/iam/v3/version.js';
import { DatabaseProxy } from '../database-proxy.js';
import { databaseServer } from '../database.js';
import type { Tenant } from '../fixtures.js';
import { aTenant, signIn } from '../fixtures.js';
import type { Edge, RestAnswer, Stack } from './edge.js';
import { startEdge, startStack } from './edge.js';
import { GRPC, framed, startUpstream, succeed } from './upstream.js';

const KEYSTONE = '/v3/users/somebody';
const OS_USER = '/v3.0/OS-USER/users/somebody';
const CSMS = '/v1/csms/users/somebody';

const INTERNAL = { code: 500, message: expect.any(String), title: 'Internal Server Error' };
const UNAVAILABLE = { code: 503, message: expect.any(String), title: 'Service Unavailable' };

/** Nothing is said of what is behind the edge, and the body is the one of the system. */
function expectFault(answer: RestAnswer, path: string, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json');
  expect(JSON.stringify(answer.body)).not.toMatch(/ERROR_|upstream|[Ee]nvoy|127\.0\.0\.1|TypeError/);
  if (path === KEYSTONE) {
    expect(answer.headers.get('vary')).toBe('X-Auth-Token');
    expect(answer.body).toEqual({ error: status === 503 ? UNAVAILABLE : INTERNAL });
  } else {
    const error_code = path === OS_USER ? 'IAM.0006' : 'APIGW.0201';
    expect(answer.body).toEqual({ error_code, error_msg: expect.any(String) });
  }
}

describe('a service in trouble', () => {
  let proxy: DatabaseProxy;
  let stack: Stack;
  let tenant: Tenant;
  let token: string;

  beforeAll(async () => {
    proxy = new DatabaseProxy(databaseServer());
    await proxy.up();
    stack = await startStack({
      MONGODB_URI: proxy.uri(`test-${randomUUID()}`),
      REQUEST_TIMEOUT_MS: '3000',
      USER_CACHE_MS: '0',
      DOMAIN_CACHE_MS: '0',
    });
    tenant = await aTenant(stack.service);
    ({ access_token: token } = await signIn(stack.service, tenant, tenant.admin));
  });
  afterEach(() => proxy.resume());
  afterAll(async () => {
    await stack.close();
    await proxy.down();
  });

  const send = (verb: string, path: string, body?: unknown) =>
    stack.edge.send(verb, path, body, { 'x-auth-token': token });

  it('answers 500 when something breaks inside', async () => {
    const broken = await aTenant(stack.service);
    const { access_token } = await signIn(stack.service, broken, broken.admin);
    const keys = stack.service.app.rooms.mongo.connection.collection('domain_secret');
    await keys.updateOne(
      { domain_id: broken.domain_id },
      { $set: { 'access.public_jwk': { kty: 'spoilt' } } },
    );
    // Another instance has no key in memory.
    const another = await stack.service.another();
    const edge = await startEdge(another.address);
    const headers = { 'x-auth-token': access_token };
    try {
      for (const path of [KEYSTONE, OS_USER, CSMS]) {
        expectFault(await edge.send('GET', path, undefined, headers), path, 500);
      }
      expectFault(await edge.send('PATCH', KEYSTONE, { user: {} }, headers), KEYSTONE, 500);
    } finally {
      await edge.close();
      await another.close();
    }
  });

  it.each([
    ['PATCH', KEYSTONE, 503],
    ['GET', KEYSTONE, 503],
    ['GET', OS_USER, 500],
    ['GET', CSMS, 500],
  ])('answers %s %s while the database is silent', async (verb, path, status) => {
    proxy.stall();
    expectFault(await send(verb, path, verb === 'GET' ? undefined : { user: {} }), path, status);
  });

  it.each([
    ['PATCH', KEYSTONE, 503],
    ['GET', OS_USER, 500],
    ['GET', CSMS, 500],
  ])('answers %s %s while the database is away', async (verb, path, status) => {
    await proxy.down();
    try {
      await expect.poll(() => stack.service.app.rooms.mongo.available, { timeout: 20_000 }).toBe(false);
      expectFault(await send(verb, path, verb === 'GET' ? undefined : { user: {} }), path, status);
    } finally {
      await proxy.up();
      await expect.poll(() => stack.service.app.rooms.mongo.available, { timeout: 20_000 }).toBe(true);
    }
  });
});

describe('a service that is not there', () => {
  let edge: Edge;

  beforeAll(async () => {
    edge = await startEdge(`127.0.0.1:${await freePort()}`);
  });
  afterAll(() => edge.close());

  it.each([
    ['PATCH', KEYSTONE, 503],
    ['GET', OS_USER, 500],
    ['GET', CSMS, 500],
  ])('is answered for: %s %s', async (verb, path, status) => {
    expectFault(await edge.send(verb, path, verb === 'GET' ? undefined : {}), path, status);
  });

  it('is answered for after HEAD without a body', async () => {
    const after = 'GET /v1/csms/users/a HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n';
    const answer = await edge.raw(`HEAD ${KEYSTONE} HTTP/1.1\r\nHost: edge\r\n\r\n${after}`);
    expect(answer).toMatch(/^HTTP\/1\.1 503 [^]*?\r\n\r\nHTTP\/1\.1 500 [^]*\{"error_code":"APIGW\.0201"/);
  });
});

describe('an answer that cannot be turned into JSON', () => {
  const message = framed(
    GetVersionResponse.encode(GetVersionResponse.fromPartial({ version: { id: 'v3.14' } })).finish(),
  );

  it.each([
    ['ends within its message', message.subarray(0, 9)],
    ['is no frame', Buffer.from([9, 0, 0, 0, 1, 1])],
  ])('is answered for at each system, when it %s', async (_, bytes) => {
    const upstream = await startUpstream((stream) => succeed(stream, bytes));
    const edge = await startEdge(upstream.address);
    try {
      for (const path of [KEYSTONE, OS_USER, CSMS]) expectFault(await edge.send('GET', path), path, 500);
    } finally {
      await edge.close();
      upstream.close();
    }
  });

  it('is answered for at each system, when only its headers come', async () => {
    const upstream = await startUpstream((stream) => stream.respond({ ...GRPC, 'edge-status': '201' }));
    const edge = await startEdge(upstream.address, undefined, { EDGE_TIMEOUT_SECONDS: '1' });
    try {
      expectFault(await edge.send('GET', KEYSTONE), KEYSTONE, 503);
      expectFault(await edge.send('GET', OS_USER), OS_USER, 500);
      expectFault(await edge.send('GET', CSMS), CSMS, 500);
    } finally {
      await edge.close();
      upstream.close();
    }
  });
});
