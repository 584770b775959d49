import { constants } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { WireClient } from '../wire-client.js';
import type { Edge } from './edge.js';
import { startEdge } from './edge.js';
import { GRPC, framed, startUpstream, succeed } from './upstream.js';
import type { Upstream } from './upstream.js';

type Answer = (stream: ServerHttp2Stream) => void;

const READ = '/identity/v2/user-profile/get';
const WRITE = '/identity/v2/user-profile/update';
const READ_OF_IAM = '/v3.0/OS-USER/users/somebody';

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A service that is well by its health check and answers the first calls in the given ways, all others with success. */
async function anInstance(...first: Answer[]): Promise<Upstream & { calls: IncomingHttpHeaders[] }> {
  const calls: IncomingHttpHeaders[] = [];
  const upstream = await startUpstream((stream, headers) => {
    if (headers[':path'] === '/grpc.health.v1.Health/Check') {
      succeed(stream, framed(Buffer.from([8, 1])));
      return;
    }
    calls.push(headers);
    const answer = first[calls.length - 1] ?? ((one) => succeed(one, framed(Buffer.alloc(0))));
    answer(stream);
  });
  open.push(upstream);
  return { ...upstream, calls };
}

async function anEdge(...upstreams: Upstream[]): Promise<Edge> {
  const edge = await startEdge(upstreams.map(({ address }) => address).join(','));
  open.push(edge);
  return edge;
}

/** An answer that is nothing but a status, as every refusal of the service is. */
const refuse =
  (code: number, more: Record<string, string> = {}): Answer =>
  (stream) =>
    stream.respond(
      { ...GRPC, 'grpc-status': String(code), 'grpc-message': 'no', ...more },
      { endStream: true },
    );
const lose: Answer = (stream) => stream.session?.destroy();
const reset: Answer = (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR);
const turnAway: Answer = (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM);
const unavailable = refuse(14);

describe('a call that changes nothing', () => {
  it.each([
    ['the connection is lost', lose],
    ['it is reset', reset],
    ['it is turned away', turnAway],
    ['the instance is not available', unavailable],
  ])('is tried again when %s', async (_, answer) => {
    const instance = await anInstance(answer);
    const edge = await anEdge(instance);
    expect((await edge.post(READ, {})).status).toBe(200);
    expect(instance.calls).toHaveLength(2);
  });

  it('is one by its verb as well, and over native gRPC', async () => {
    const instance = await anInstance(
      unavailable,
      (stream) => succeed(stream, framed(Buffer.alloc(0))),
      lose,
    );
    const edge = await anEdge(instance);
    expect((await edge.send('GET', READ_OF_IAM)).status).toBe(200);
    const client = new WireClient(edge.address);
    await client.call('WorkspaceUser.list');
    client.close();
    expect(instance.calls.map((headers) => headers[':path'])).toEqual([
      '/iam.v3.OsUserService/ShowUser',
      '/iam.v3.OsUserService/ShowUser',
      '/spaceone.api.identity.v2.WorkspaceUser/list',
      '/spaceone.api.identity.v2.WorkspaceUser/list',
    ]);
  });

  it.each([2, 3, 5, 7, 8, 13, 16])('is not tried again after the answer %i of the service', async (code) => {
    const instance = await anInstance(refuse(code));
    const edge = await anEdge(instance);
    expect((await edge.post(READ, {})).status).toBeGreaterThanOrEqual(400);
    expect(instance.calls).toHaveLength(1);
  });

  it('is tried four times at most', async () => {
    const instance = await anInstance(...Array<Answer>(6).fill(unavailable));
    const edge = await anEdge(instance);
    expect((await edge.post(READ, {})).status).toBe(503);
    expect(instance.calls).toHaveLength(4);
  });
});

describe('a call that changes something', () => {
  it.each([
    ['the connection is lost', lose],
    ['it is reset', reset],
    ['the instance is not available, and does not say that it has not begun', unavailable],
  ])('is not tried again when %s', async (_, answer) => {
    const instance = await anInstance(answer);
    const edge = await anEdge(instance);
    expect((await edge.post(WRITE, {})).status).toBeGreaterThanOrEqual(500);
    expect(instance.calls).toHaveLength(1);
  });

  it.each([
    ['is turned away', turnAway],
    ['is answered with the word that nothing was begun', refuse(14, { 'edge-retry': 'true' })],
  ])('is tried again when it %s', async (_, answer) => {
    const instance = await anInstance(answer);
    const edge = await anEdge(instance);
    expect((await edge.post(WRITE, {})).status).toBe(200);
    expect(instance.calls).toHaveLength(2);
  });

  it('is not tried again because a caller would have it so', async () => {
    const instance = await anInstance(unavailable, unavailable);
    const edge = await anEdge(instance);
    const wish = {
      'x-envoy-retry-on': '5xx,reset,retriable-headers,gateway-error',
      'x-envoy-retry-grpc-on': 'unavailable',
      'x-envoy-retriable-header-names': 'grpc-status',
      'x-envoy-max-retries': '9',
      'edge-retry': 'true',
    };
    expect((await edge.send('POST', WRITE, {}, wish)).status).toBe(503);
    const client = new WireClient(edge.address);
    await expect(client.call('UserProfile.update', {}, undefined, wish)).rejects.toThrow('UNAVAILABLE');
    client.close();
    expect(instance.calls).toHaveLength(2);
  });
});

describe('another instance', () => {
  it('gets what one did not begin, and no caller hears of it', async () => {
    const closed = refuse(14, { 'edge-retry': 'true' });
    const one = await anInstance(...Array<Answer>(8).fill(closed));
    const other = await anInstance();
    const edge = await anEdge(one, other);
    for (let call = 0; call < 6; call += 1) expect((await edge.post(WRITE, {})).status).toBe(200);
    expect(other.calls).toHaveLength(6);
  });

  it('is not there: the caller is told so, without the word that is meant for the edge', async () => {
    const closed = refuse(14, { 'edge-retry': 'true' });
    const instance = await anInstance(closed, closed, closed, closed);
    const edge = await anEdge(instance);
    const answer = await edge.post(WRITE, {});
    expect(answer.status).toBe(503);
    expect([...answer.headers.keys()].filter((name) => name.startsWith('edge-'))).toEqual([]);
  });
});
