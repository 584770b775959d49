import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/launch/ports.mjs';
import { refusal, startService } from '../harness.js';
import { WireClient } from '../wire-client.js';
import type { Edge } from './edge.js';
import { startEdge } from './edge.js';

const PATH = '/identity/v2/user-profile/get';
const edges: Edge[] = [];

async function anEdge(upstream: string): Promise<Edge> {
  const edge = await startEdge(upstream);
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

  it('is given up with 504 at the deadline of the caller', async () => {
    silent = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => silent!.listen(0, '127.0.0.1', resolve));
    const edge = await anEdge(`127.0.0.1:${(silent.address() as AddressInfo).port}`);
    const answer = await edge.send('POST', PATH, {}, { 'grpc-timeout': '300m' });
    expect(answer.status).toBe(504);
    expect(answer.body).toMatchObject({ code: 4, detail: { code: 'ERROR_REQUEST_TIMEOUT' } });
  });
});
