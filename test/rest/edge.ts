import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import { Children, lastWords } from '../../scripts/launch/children.mjs';
import { freePort } from '../../scripts/launch/ports.mjs';
import { accepts, until } from '../../scripts/launch/wait.mjs';
import { renderEnvoy, writeSecrets } from '../../scripts/render-envoy.mjs';
import { startService } from '../harness.js';
import type { Service } from '../harness.js';

/** The body of every REST error: grpc-gateway's fields, and `detail` for consoles (contract/errors.md 2). */
export interface ErrorBody {
  code: number;
  message: string;
  details: { '@type': string; [field: string]: unknown }[];
  detail: { code: string; message: string };
}

/** What a REST call answered; the body is read as JSON when it is JSON. */
export interface RestAnswer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are looked at field by field in tests
  body: any;
}

/** The real Envoy with the configuration of envoy.yaml, in front of one service. */
export interface Edge {
  url: string;
  /** host:port, for native gRPC. */
  address: string;
  /** Sends a request; `body` is turned into JSON unless it is a text. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<RestAnswer>;
  /** POST of a JSON message, with a token if one is given. */
  post(path: string, body: unknown, token?: string): Promise<RestAnswer>;
  /** Everything that Envoy has written so far. */
  written(): Promise<string>;
  /** Sends a text as it is; answers all that comes back until the edge closes the connection. */
  raw(request: string | Buffer): Promise<string>;
  close(): Promise<void>;
}

const START_MS = 30_000;

/**
 * Starts Envoy on a free port.
 * @param upstream host:port of the service, or of several instances, comma separated
 * @param listen port of the edge
 * @param settings of the edge, as deploy/README.md lists them
 */
export async function startEdge(
  upstream: string,
  listen?: number,
  settings: Record<string, string> = {},
): Promise<Edge> {
  const folder = await mkdtemp(join(tmpdir(), 'identity-edge-'));
  const port = listen ?? (await freePort());
  const configuration = join(folder, 'envoy.yaml');
  const EDGE_SECRETS = join(folder, 'secrets');
  const environment = { REST_PORT: String(port), GRPC_ENDPOINTS: upstream, EDGE_SECRETS, ...settings };
  await writeFile(configuration, renderEnvoy(environment));
  writeSecrets(environment, EDGE_SECRETS);
  const children = new Children();
  const child = children.start({
    name: 'REST edge',
    command: [inject('tools').envoy, '-c', configuration, '--disable-hot-restart', '--concurrency', '1'],
    log: join(folder, 'envoy.log'),
  });
  if (
    !(await until(
      () => accepts(port),
      START_MS,
      () => child.ended,
    ))
  )
    throw lastWords(child);
  const url = `${settings['EDGE_TLS_CERT'] ? 'https' : 'http'}://127.0.0.1:${port}`;
  const send: Edge['send'] = (method, path, body, headers) => request(url + path, method, body, headers);
  return {
    url,
    address: `127.0.0.1:${port}`,
    send,
    post: (path, body, token) =>
      send('POST', path, body, token ? { authorization: `Bearer ${token}` } : undefined),
    written: () => readFile(child.log, 'utf8'),
    raw: (request) => {
      const socket = connect(port, '127.0.0.1');
      socket.write(request);
      return text(socket);
    },
    close: async () => {
      await children.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A service and the edge before it; links and the catalog of the service begin with the address of the edge. */
export interface Stack {
  service: Service;
  edge: Edge;
  close(): Promise<void>;
}

/** Starts both; settings are those of the service. */
export async function startStack(settings: Record<string, string> = {}): Promise<Stack> {
  const port = await freePort();
  const service = await startService({ PUBLIC_URL: `http://127.0.0.1:${port}`, ...settings });
  const edge = await startEdge(service.address, port);
  const close = async () => {
    await edge.close();
    await service.close();
  };
  return { service, edge, close };
}

async function request(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<RestAnswer> {
  const sent = {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  };
  const response = await fetch(url, sent);
  const content = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json' && content !== '';
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(content) : content };
}
