import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectHttp2 } from 'node:http2';

const TRY_EVERY_MS = 50;
const CHECK_TIMEOUT_MS = 2000;
const SERVING = 1;

/** Whether something accepts connections there. */
export function accepts(port, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: CHECK_TIMEOUT_MS });
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

/**
 * Asks grpc.health.v1.Health/Check, with nothing but Node: an empty HealthCheckRequest in one gRPC frame.
 * @param {string} address host:port
 * @param {Record<string, string | undefined>} environment of the service: with GRPC_TLS_CERT it is asked over TLS
 * @returns {Promise<boolean>} true when the answer is SERVING
 */
export function isServing(address, environment = {}) {
  return new Promise((resolve) => {
    const session = environment.GRPC_TLS_CERT
      ? connectHttp2(`https://${address}`, tlsOptions(environment))
      : connectHttp2(`http://${address}`);
    const end = (answer) => {
      session.destroy();
      resolve(answer);
    };
    session.once('error', () => end(false));
    session.setTimeout(CHECK_TIMEOUT_MS, () => end(false));
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('error', () => end(false));
    // Five bytes of frame header, then HealthCheckResponse: field 1 as a varint.
    stream.on('end', () =>
      end(
        Buffer.concat(chunks)
          .subarray(5)
          .equals(Buffer.from([8, SERVING])),
      ),
    );
    stream.end(Buffer.alloc(5));
  });
}

/**
 * Shows the certificate of the edge if it is there, else that of the service itself, which will do when its authority is
 * also GRPC_TLS_CLIENT_CA. Whom it asks is not checked: it is this machine, and nothing is told.
 */
function tlsOptions({ UPSTREAM_TLS_CERT, UPSTREAM_TLS_KEY, GRPC_TLS_CERT, GRPC_TLS_KEY }) {
  const [cert, key] = UPSTREAM_TLS_CERT
    ? [UPSTREAM_TLS_CERT, UPSTREAM_TLS_KEY]
    : [GRPC_TLS_CERT, GRPC_TLS_KEY];
  return { rejectUnauthorized: false, cert: readFileSync(cert), key: readFileSync(key) };
}

/**
 * Asks again and again until the answer is yes.
 * @param {() => Promise<boolean>} ask
 * @param {number} withinMs
 * @param {() => boolean} given up when this says so
 * @returns {Promise<boolean>} false when the time was over first
 */
export async function until(ask, withinMs, givenUp = () => false) {
  const end = Date.now() + withinMs;
  while (Date.now() < end && !givenUp()) {
    if (await ask()) return true;
    await new Promise((resolve) => setTimeout(resolve, TRY_EVERY_MS));
  }
  return false;
}
