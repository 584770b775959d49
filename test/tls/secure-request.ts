import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

/** What came back over TLS. */
export interface SecureAnswer {
  /** 1.1 or 2 */
  version: string;
  status: number | undefined;
  headers: IncomingHttpHeaders;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are looked at field by field in tests
  body: any;
}

/** A POST of JSON, or a GET without a body, over HTTP/1.1. @throws Error when the edge is not to be trusted. */
export async function overHttps(
  url: string,
  ca: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<SecureAnswer> {
  const call = request(url, { method: body ? 'POST' : 'GET', ca, headers, agent: false });
  call.end(body && JSON.stringify(body));
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  const { httpVersion, statusCode } = answer;
  const parsed: unknown = JSON.parse(await text(answer));
  return { version: httpVersion, status: statusCode, headers: answer.headers, body: parsed };
}

/** The same over HTTP/2, which both sides have to agree on while they set up TLS. */
export async function overHttp2(
  url: string,
  ca: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<SecureAnswer> {
  const { origin, pathname } = new URL(url);
  const session = connectHttp2(origin, { ca });
  try {
    await once(session, 'connect');
    const stream = session.request({ ':method': body ? 'POST' : 'GET', ':path': pathname, ...headers });
    stream.end(body && JSON.stringify(body));
    const [received] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    const parsed: unknown = JSON.parse(await text(stream));
    return { version: '2', status: Number(received[':status']), headers: received, body: parsed };
  } finally {
    session.destroy();
  }
}
