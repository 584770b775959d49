import { once } from 'node:events';
import { connect as connectHttp2, createServer } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import type { Edge } from './edge.js';
import { startEdge } from './edge.js';

const PATH = '/identity/v2/user-profile/get';
const MIB = 1024 * 1024;
const LIMIT = MIB;
const TOKENLESS_LIMIT = MIB / 8;
const SOME_TOKEN = { authorization: 'Bearer none' };
const TOO_LARGE = {
  code: 8,
  message: 'ERROR_MESSAGE_TOO_LARGE: The request is too large.',
  details: [],
  detail: { code: 'ERROR_MESSAGE_TOO_LARGE', message: 'The request is too large.' },
};

let service: Service;
let edge: Edge;

beforeAll(async () => {
  service = await startService();
  edge = await startEdge(service.address);
});
afterAll(async () => {
  await edge.close();
  await service.close();
});

const raw = (request: string): Promise<string> => edge.raw(request);

function* blanks(bytes: number): Generator<Buffer> {
  for (let sent = 0; sent < bytes; sent += 65_536) yield Buffer.alloc(65_536, ' ');
  yield Buffer.from('{}');
}

/** A body whose length is not said beforehand. */
async function postChunks(
  bytes: number,
  headers: Record<string, string> = SOME_TOKEN,
): Promise<{ status: number; body: unknown }> {
  const body = ReadableStream.from(blanks(bytes)) as unknown as NonNullable<RequestInit['body']>;
  const request: RequestInit & { duplex: 'half' } = { method: 'POST', headers, body, duplex: 'half' };
  const response = await fetch(edge.url + PATH, request);
  return { status: response.status, body: await response.json() };
}

describe('a REST body over 1 MiB', () => {
  it.each([
    ['an unknown field', () => JSON.stringify({ foo: 'a'.repeat(6_000_000) })],
    ['10 MiB of blanks', () => `${' '.repeat(10 * MIB)}{}`],
    ['a byte too much', () => `${' '.repeat(LIMIT - 1)}{}`],
    ['blanks that are no JSON', () => ' '.repeat(60 * MIB)],
  ])('is answered with 413: %s', async (_, body) => {
    const answer = await edge.send('POST', PATH, body(), SOME_TOKEN);
    expect(answer).toMatchObject({ status: 413, body: TOO_LARGE });
  });

  it('is refused by its length, before any of it was sent', async () => {
    const length = `Content-Length: ${LIMIT + 1}`;
    const answer = await raw(`POST ${PATH} HTTP/1.1\r\nHost: edge\r\nToken: none\r\n${length}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toEqual(TOO_LARGE);
  });

  it.each([5, 60])('is answered with 413 when it comes in chunks of together %i MiB', async (size) => {
    expect(await postChunks(size * MIB)).toEqual({ status: 413, body: TOO_LARGE });
  });

  it('is refused as soon as the limit is passed, while the rest is still to come', async () => {
    const session = connectHttp2(edge.url);
    try {
      const stream = session.request({ ':method': 'POST', ':path': PATH, ...SOME_TOKEN });
      const headers = new Promise<IncomingHttpHeaders>((resolve) => stream.on('response', resolve));
      stream.write(Buffer.alloc(LIMIT + 65_536, ' '));
      expect((await headers)[':status']).toBe(413);
    } finally {
      session.destroy();
    }
  });

  it('is told from one of exactly 1 MiB, which reaches the service', async () => {
    const answer = await edge.send('POST', PATH, `${' '.repeat(LIMIT - 2)}{}`, SOME_TOKEN);
    expect(answer).toMatchObject({ status: 401, body: { detail: { code: 'ERROR_AUTHENTICATE_FAILURE' } } });
    expect(await postChunks(LIMIT - 65_536)).toMatchObject({ status: 401 });
  });

  it('is not passed on under the content type of another protocol', async () => {
    const body = `${' '.repeat(5 * MIB)}{}`;
    const answer = await edge.send('POST', PATH, body, { 'content-type': 'application/grpc-web' });
    expect(answer).toMatchObject({ status: 413, body: TOO_LARGE });
  });
});

describe('a REST body over 128 KiB without a token', () => {
  const blank = (bytes: number) => `${' '.repeat(bytes - 2)}{}`;

  it.each([PATH, '/v3/auth/tokens', '/v3/users/somebody'])(
    'is answered with 413, whether its length is said or not: %s',
    async (path) => {
      const verb = path.endsWith('somebody') ? 'PATCH' : 'POST';
      expect(await edge.send(verb, path, blank(TOKENLESS_LIMIT + 1))).toMatchObject({ status: 413 });
      expect(await edge.send(verb, path, blank(TOKENLESS_LIMIT))).not.toMatchObject({ status: 413 });
    },
  );

  it('is answered with 413 when it comes in chunks', async () => {
    expect(await postChunks(2 * TOKENLESS_LIMIT, {})).toEqual({ status: 413, body: TOO_LARGE });
    expect(await postChunks(TOKENLESS_LIMIT - 65_536, {})).toMatchObject({ status: 401 });
  });

  it.each(['authorization', 'token', 'x-auth-token'])('is read with one, in %s', async (header) => {
    const answer = await edge.send('POST', PATH, blank(LIMIT), { [header]: 'Bearer none' });
    expect(answer).toMatchObject({ status: 401 });
  });
});

describe('a REST body of more than 20,000 values', () => {
  const UPDATE = '/identity/v2/user-profile/update';
  const send = (v: string) => edge.send('POST', UPDATE, `{"tags":{"v":${v}}}`, SOME_TOKEN);

  it.each([
    ['digits', `[${'0,'.repeat(40_000)}0]`],
    ['objects', `[${'{},'.repeat(40_000)}0]`],
    ['lists in lists', `[${'[[[[[[[[]]]]]]]],'.repeat(10_000)}0]`],
    ['keys', `{${Array.from({ length: 40_000 }, (_, at) => `"k${at}":0`).join(',')}}`],
  ])('is answered with 413 before it is made a message: %s', async (_, values) => {
    expect(await send(values)).toMatchObject({ status: 413, body: TOO_LARGE });
    expect(service.logs.join('')).not.toContain('UserProfile.update');
  });

  it('is told from one of fewer, however long their texts are', async () => {
    expect((await send(`[${'0,'.repeat(19_900)}0]`)).status).toBe(401);
    expect((await send(`"${'x'.repeat(900_000)}"`)).status).toBe(401);
  });
});

/** One message over native gRPC, with the flag and the length that are given before it. */
async function sendFrame(flag: number, message: Buffer, encoding?: string, length = message.length) {
  const session = connectHttp2(edge.url);
  const headers = {
    ':method': 'POST',
    ':path': '/spaceone.api.identity.v2.UserProfile/get',
    'content-type': 'application/grpc',
    ...(encoding ? { 'grpc-encoding': encoding } : {}),
  };
  try {
    const stream = session.request(headers);
    stream.on('error', () => undefined);
    const head = Buffer.from([flag, 0, 0, 0, 0]);
    head.writeUInt32BE(length, 1);
    stream.end(Buffer.concat([head, message]));
    const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    return [answer['grpc-status'], decodeURIComponent(String(answer['grpc-message']))];
  } finally {
    session.destroy();
  }
}

describe('a message of native gRPC through the edge', () => {
  it.each([
    ['as it is', 0, Buffer.alloc(4 * MIB + 1), undefined, undefined],
    ['by the length before it', 0, Buffer.alloc(9), undefined, 0xffffffff],
    ['unpacked by gzip', 1, gzipSync(Buffer.alloc(64 * MIB)), 'gzip', undefined],
    ['unpacked by deflate', 1, deflateSync(Buffer.alloc(64 * MIB)), 'deflate', undefined],
  ])('is called too large when it has more than 4 MiB %s', async (_, flag, message, encoding, length) => {
    const expected = ['8', 'ERROR_MESSAGE_TOO_LARGE: The request is too large.'];
    expect(await sendFrame(flag, message, encoding, length)).toEqual(expected);
  });

  it.each([
    ['gzip', Buffer.from('nonsense')],
    ['deflate', Buffer.from('nonsense')],
    ['gzip', gzipSync(Buffer.alloc(1000)).subarray(0, 15)],
  ])('is an invalid argument when %s cannot unpack it', async (encoding, message) => {
    const expected = ['3', 'ERROR_INVALID_ARGUMENT: The message cannot be decompressed.'];
    expect(await sendFrame(1, message, encoding)).toEqual(expected);
  });
});

describe('native gRPC through the edge', () => {
  it('streams both ways: a message arrives while the call is open', async () => {
    const echo = createServer();
    echo.on('stream', (stream) => {
      stream.on('error', () => undefined);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.pipe(stream);
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const streaming = await startEdge(`127.0.0.1:${(echo.address() as AddressInfo).port}`);
    const session = connectHttp2(streaming.url);
    try {
      const call = { ':method': 'POST', ':path': '/any.Service/Chat', 'content-type': 'application/grpc' };
      const stream = session.request(call);
      stream.write(Buffer.from([0, 0, 0, 0, 1, 7]));
      expect(await once(stream, 'data')).toEqual([Buffer.from([0, 0, 0, 0, 1, 7])]);
    } finally {
      session.destroy();
      await streaming.close();
      echo.close();
    }
  });
});

describe('HTTP/1.0', () => {
  it.each([
    ['with a host', 'Host: edge\r\n'],
    ['without a host', ''],
  ])('is answered, %s', async (_, host) => {
    const answer = await raw(`POST ${PATH} HTTP/1.0\r\n${host}Content-Length: 2\r\n\r\n{}`);
    expect(answer).toMatch(/^HTTP\/1\.0 401 /);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({
      code: 16,
      detail: { code: 'ERROR_AUTHENTICATE_FAILURE' },
    });
  });
});

describe('other spellings of a path', () => {
  it.each([`/${PATH}`, PATH.replaceAll('/', '//'), `${PATH}?a=1`, PATH.replace('/v2', '/v2/../v2')])(
    'takes %s for the path itself',
    async (path) => {
      const length = 'Content-Length: 2\r\nConnection: close';
      expect(await raw(`POST ${path} HTTP/1.1\r\nHost: edge\r\n${length}\r\n\r\n{}`)).toMatch(
        /^HTTP\/1\.1 401 /,
      );
    },
  );

  it.each([`${PATH}/`, `${PATH}//`, `${PATH};a`, `${PATH}%20`, `/${PATH}/`])(
    'answers 404 for %s',
    async (path) => {
      const length = 'Content-Length: 2\r\nConnection: close';
      const answer = await raw(`POST ${path} HTTP/1.1\r\nHost: edge\r\n${length}\r\n\r\n{}`);
      expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    },
  );

  it.each([
    ['405', PATH],
    ['404', '/nowhere'],
    ['400', `${PATH}%00`],
  ])('answers HEAD with %s and no body, and keeps the connection in step', async (status, path) => {
    const head = `HEAD ${path} HTTP/1.1\r\nHost: edge\r\n\r\n`;
    const post = `POST ${PATH} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`;
    const [first, second, body] = (await raw(head + post)).split('\r\n\r\n');
    expect(first).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(first!.includes('\r\nallow: POST\r\n')).toBe(status === '405');
    expect(first).not.toContain('x-edge-');
    expect(second).toMatch(/^HTTP\/1\.1 401 /);
    expect(JSON.parse(body!)).toMatchObject({ code: 16 });
  });
});
