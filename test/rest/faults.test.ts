import type { ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/launch/ports.mjs';
import { UserInfo } from '../../src/gen/spaceone/api/identity/v2/user.js';
import { refusal, startService } from '../harness.js';
import { WireClient } from '../wire-client.js';
import type { Edge } from './edge.js';
import { startEdge } from './edge.js';
import { GRPC, framed, startUpstream, succeed } from './upstream.js';
import type { Upstream } from './upstream.js';

const PATH = '/identity/v2/user-profile/get';
const edges: Edge[] = [];

/** One that gives up after a second. */
const HASTY = { EDGE_TIMEOUT_SECONDS: '1' };

async function anEdge(upstream: string, settings?: Record<string, string>): Promise<Edge> {
  const edge = await startEdge(upstream, undefined, settings);
  edges.push(edge);
  return edge;
}

afterEach(async () => {
  for (const edge of edges.splice(0)) await edge.close();
});

describe('a service that is not there', () => {
  it('is answered with 503, and nothing is said of what is behind the edge', async () => {
    const edge = await anEdge(`127.0.0.1:${await freePort()}`);
    const answer = await edge.post(PATH, {});
    expect(answer.status).toBe(503);
    expect(answer.body).toEqual({
      code: 14,
      message: 'ERROR_UNAVAILABLE: The service is not available now.',
      details: [],
      detail: { code: 'ERROR_UNAVAILABLE', message: 'The service is not available now.' },
    });
  });

  it('is answered with UNAVAILABLE over native gRPC, in the same words', async () => {
    const edge = await anEdge(`127.0.0.1:${await freePort()}`);
    const client = new WireClient(edge.address);
    const refused = await refusal(client.call('UserProfile.get'));
    client.close();
    expect(refused).toMatchObject({ code: status.UNAVAILABLE, reason: 'ERROR_UNAVAILABLE' });
    expect(refused.text).toBe('The service is not available now.');
  });

  it('is used again as soon as it is back', async () => {
    const port = await freePort();
    const edge = await anEdge(`127.0.0.1:${port}`);
    expect((await edge.post(PATH, {})).status).toBe(503);
    const service = await startService({ GRPC_PORT: String(port) });
    try {
      await expect.poll(async () => (await edge.post(PATH, {})).status, { timeout: 10_000 }).toBe(401);
    } finally {
      await service.close();
    }
  });
});

describe('a service that does not answer', () => {
  const sockets: Socket[] = [];
  let silent: Server | undefined;

  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    silent?.close();
  });

  it('is given up with 504 when its time is over', async () => {
    silent = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => silent!.listen(0, '127.0.0.1', resolve));
    const edge = await anEdge(`127.0.0.1:${(silent.address() as AddressInfo).port}`, HASTY);
    const answer = await edge.post(PATH, {});
    expect(answer.status).toBe(504);
    expect(answer.body).toMatchObject({ code: 4, detail: { code: 'ERROR_REQUEST_TIMEOUT' } });
  });
});

describe('a service that gives up itself', () => {
  it('is answered with 504 and its own words', async () => {
    const said = 'ERROR_REQUEST_TIMEOUT: Too late.';
    const upstream = await startUpstream((stream) =>
      stream.respond({ ...GRPC, 'grpc-status': '4', 'grpc-message': said }, { endStream: true }),
    );
    try {
      const answer = await (await anEdge(upstream.address)).post(PATH, {});
      expect(answer).toMatchObject({ status: 504, body: { code: 4, message: said } });
    } finally {
      upstream.close();
    }
  });
});

describe('a service whose answer cannot be turned into JSON', () => {
  const upstreams: Upstream[] = [];

  afterAll(() => {
    for (const upstream of upstreams) upstream.close();
  });

  /** An edge in front of a server that answers every call in the same way. */
  async function anEdgeBefore(
    answer: (stream: ServerHttp2Stream) => void,
    settings?: Record<string, string>,
  ): Promise<Edge> {
    const upstream = await startUpstream(answer);
    upstreams.push(upstream);
    return anEdge(upstream.address, settings);
  }

  const nan = UserInfo.encode(UserInfo.fromPartial({ tags: { a: Number.NaN } })).finish();
  const huge = UserInfo.encode(UserInfo.fromPartial({ name: 'x'.repeat(34 * 1024 * 1024) })).finish();

  it.each<[string, (stream: ServerHttp2Stream) => void]>([
    ['holds a number that JSON has not', (stream) => succeed(stream, framed(nan))],
    ['is no frame', (stream) => succeed(stream, Buffer.from([9, 0, 0, 0, 1, 1]))],
    ['is too large', (stream) => succeed(stream, framed(huge))],
    ['ends within its message', (stream) => succeed(stream, framed(nan).subarray(0, 9))],
    [
      'breaks off after its headers',
      (stream) => {
        stream.respond(GRPC);
        setImmediate(() => stream.close(2));
      },
    ],
    [
      'is a page',
      (stream) => {
        stream.respond({ ':status': 500, 'content-type': 'text/html' });
        stream.end('<p>inner</p>');
      },
    ],
  ])('is answered for with the one error body when it %s', async (_, answer) => {
    const edge = await anEdgeBefore(answer);
    const refused = await edge.post(PATH, {});
    expect([500, 502]).toContain(refused.status);
    expect(refused.headers.get('content-type')).toBe('application/json');
    expect(refused.body).toEqual({
      code: 2,
      message: 'ERROR_UNKNOWN: An internal error occurred.',
      details: [],
      detail: { code: 'ERROR_UNKNOWN', message: 'An internal error occurred.' },
    });
  });

  it('is given up with 504 when its time is over and only its headers came', async () => {
    const edge = await anEdgeBefore((stream) => stream.respond(GRPC), HASTY);
    const refused = await edge.post(PATH, {});
    expect(refused.status).toBe(504);
    expect(refused.body).toMatchObject({ code: 4, detail: { code: 'ERROR_REQUEST_TIMEOUT' } });
  });
});
