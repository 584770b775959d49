import type { Tenant } from '../fixtures.js';
import { PASSWORD } from '../fixtures.js';
import type { Refusal, Service } from '../harness.js';
import { refusal } from '../harness.js';
import { WireClient } from '../wire-client.js';
import type { Answer } from '../wire-client.js';

/** What a call of the service for tokens answers: the HTTP status that the edge is told, headers, and the message. */
export interface Answered {
  status: string | undefined;
  headers: Record<string, string>;
  body: Answer;
}

/** Calls a method of iam.v3.AuthService. */
export async function ask(
  service: Service,
  method: string,
  request: object = {},
  headers: Record<string, string> = {},
): Promise<Answered> {
  const client = new WireClient(service.address);
  try {
    const answer = await client.exchange(`iam.v3.AuthService.${method}`, request, undefined, headers);
    const { 'edge-status': status, ...others } = answer.metadata.getMap() as Record<string, string>;
    return { status, headers: others, body: answer.message };
  } finally {
    client.close();
  }
}

/** The refusal of a method of iam.v3.AuthService, with the HTTP status. */
export async function refused(
  service: Service,
  method: string,
  request: object = {},
  headers: Record<string, string> = {},
): Promise<Refusal & { status: string }> {
  const answer = await refusal(service.call(`iam.v3.AuthService.${method}`, request, undefined, headers));
  return { ...answer, status: String(answer.metadata.get('edge-status')[0]) };
}

/** A user by name in the tenant's domain. */
export function byName(tenant: Tenant, name: string): object {
  return { name, domain: { id: tenant.domain_id } };
}

/** A request for a token with a password. */
export function withPassword(user: object, scope?: unknown, password = PASSWORD): object {
  const identity = { methods: ['password'], password: { user: { ...user, password } } };
  return { auth: { identity, ...(scope === undefined ? {} : { scope }) } };
}

/** A request for a token with a password and a code. */
export function withCode(user: object, passcode: string, password = PASSWORD): object {
  const identity = {
    methods: ['password', 'totp'],
    password: { user: { ...user, password } },
    totp: { user: { ...user, passcode } },
  };
  return { auth: { identity } };
}

/** A request for a token with another. */
export function withToken(id: string, scope?: unknown): object {
  return {
    auth: { identity: { methods: ['token'], token: { id } }, ...(scope === undefined ? {} : { scope }) },
  };
}

/** The token that a request gives. */
export async function iamToken(service: Service, request: object): Promise<string> {
  return (await ask(service, 'CreateToken', request)).headers['x-subject-token']!;
}

/** The one answer to whatever is wrong with user, proofs or scope. */
export const UNAUTHENTICATED = {
  code: 16,
  status: '401',
  text: 'The request you have made requires authentication.',
};
