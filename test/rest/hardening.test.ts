import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session, Settings } from 'node:http2';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/launch/ports.mjs';
import { renderEnvoy } from '../../scripts/render-envoy.mjs';
import type { Edge } from './edge.js';
import { startEdge } from './edge.js';

const GET = '/identity/v2/user-profile/get';

let edge: Edge;

beforeAll(async () => {
  edge = await startEdge(`127.0.0.1:${await freePort()}`);
});
afterAll(() => edge.close());

/** Sends the beginning of a request and waits for what comes back until the edge closes the connection. */
function begin(request: string): Promise<string> {
  const socket = connect(Number(edge.address.split(':')[1]), '127.0.0.1');
  socket.write(request);
  return text(socket);
}

describe('an HTTP/2 connection to the edge', () => {
  let session: ClientHttp2Session;
  let settings: Settings;

  beforeAll(async () => {
    session = connectHttp2(edge.url);
    [settings] = (await once(session, 'remoteSettings')) as [Settings];
  });
  afterAll(() => session.destroy());

  it('has 100 streams at most, and windows of 64 KiB and 1 MiB', async () => {
    expect(settings).toMatchObject({ maxConcurrentStreams: 100, initialWindowSize: 65_536 });
    await expect.poll(() => session.state.remoteWindowSize).toBe(1_048_576);
  });

  it('is closed when it is flooded with streams that are taken back at once', async () => {
    const flood = connectHttp2(edge.url);
    flood.on('error', () => undefined);
    // Not events.once, which would fail with the error that the edge closes it with.
    const closed = new Promise((resolve) => void flood.once('close', resolve));
    for (let sent = 0; sent < 20_000 && !flood.destroyed; sent += 1) {
      const stream = flood.request({ ':method': 'POST', ':path': GET });
      stream.on('error', () => undefined);
      stream.close(8);
      if (sent % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect((await edge.post(GET, {})).status).toBe(503);
  });
});

describe('a caller that is slow', () => {
  it.concurrent(
    'is cut off when its headers are not there in time',
    async () => {
      const answer = await begin(`POST ${GET} HTTP/1.1\r\nHost: edge\r\nX-A: `);
      expect(answer).toMatch(/^HTTP\/1\.1 (408|400) |^$/);
    },
    25_000,
  );

  it.concurrent(
    'is cut off when nothing at all is there in time',
    async () => expect(await begin('')).toBe(''),
    25_000,
  );

  it.concurrent(
    'is cut off when its body is not there in time',
    async () => {
      const answer = await begin(`POST ${GET} HTTP/1.1\r\nHost: edge\r\nContent-Length: 100\r\n\r\n{`);
      expect(answer).toMatch(/^HTTP\/1\.1 (408|504) /);
      expect(answer).toContain('"detail":{"code":"ERROR_');
    },
    60_000,
  );
});

describe('the configuration that runs', () => {
  const lines = renderEnvoy({}).replace(/^\s*#.*$/gm, '');

  it.each([
    ['no way to look inside or to change it', /^(?!.*^admin:)/ms],
    ['a limit of memory', /max_heap_size_bytes: 536870912/],
    ['a limit of connections', /max_active_downstream_connections: 8192/],
    ['no requests any more when memory runs out', /stop_accepting_requests/],
    ['the address of the peer for that of the caller', /use_remote_address: true/],
    ['headers with underscores refused', /headers_with_underscores_action: REJECT_REQUEST/],
    ['time for headers', /request_headers_timeout: 10s/],
    ['time for a request', /request_timeout: 30s/],
    ['time for an idle connection', /\bidle_timeout: 300s/],
    ['time for a first word', /listener_filters_timeout: 10s/],
    ['time for a handshake', /transport_socket_connect_timeout: 10s/],
  ])('has %s', (_, expected) => {
    expect(lines).toMatch(expected);
  });
});
