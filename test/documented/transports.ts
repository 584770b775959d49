import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import type { Service } from '../harness.js';
import type { Edge } from '../rest/edge.js';
import type { Answer } from '../wire-client.js';
import type { DocumentedRequest } from './requests.js';

/** Ways that the documented requests are sent, each with the JSON as it is printed. */
export const TRANSPORTS = ['gRPC', 'REST', 'grpcurl'] as const;

/** Sends one documented request; the answer has proto field names whatever the transport. */
export type Send = (request: DocumentedRequest, token?: string) => Promise<Answer>;

const run = promisify(execFile);

/** The sender of a transport. */
export function sender(transport: (typeof TRANSPORTS)[number], service: Service, edge: Edge): Send {
  if (transport === 'gRPC') return ({ method, message }, token) => service.call(method, message, token);
  if (transport === 'REST') return (request, token) => overRest(edge, request, token);
  return (request, token) => overGrpcurl(service, request, token);
}

async function overRest(edge: Edge, { path, message }: DocumentedRequest, token?: string): Promise<Answer> {
  const { status, body } = await edge.post(path, message, token);
  if (status !== 200) throw new Error(`${path} answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

async function overGrpcurl(
  service: Service,
  { method, message }: DocumentedRequest,
  token?: string,
): Promise<Answer> {
  const name = `spaceone.api.identity.v2.${method.replace('.', '/')}`;
  const header = token ? ['-H', `token: ${token}`] : [];
  const args = ['-plaintext', ...header, '-d', JSON.stringify(message), service.address, name];
  const { stdout } = await run(inject('tools').grpcurl, args);
  return protoNames(JSON.parse(stdout));
}

/** grpcurl prints field names in camelCase. */
function protoNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(protoNames);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    protoNames(item),
  ]);
  return Object.fromEntries(entries) as unknown;
}
