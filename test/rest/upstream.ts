import { createServer } from 'node:http2';
import type { Http2Server, IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** Headers with which every gRPC answer begins. */
export const GRPC = { ':status': 200, 'content-type': 'application/grpc' };

/** A server in the place of the service that answers every call in the same way, rightly or not. */
export interface Upstream {
  /** host:port */
  address: string;
  close(): void;
}

/** Starts one on a free port. */
export async function startUpstream(
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Promise<Upstream> {
  const server: Http2Server = createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    stream.resume().on('end', () => answer(stream, headers));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => void server.close(),
  };
}

/** A whole answer: its bytes, then status 0. */
export function succeed(
  stream: ServerHttp2Stream,
  bytes: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): void {
  stream.respond({ ...GRPC, ...headers }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(bytes);
}

/** A message with its gRPC length prefix. */
export function framed(message: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
