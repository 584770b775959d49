import { rename } from 'node:fs/promises';
import { connect } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderEnvoy } from '../../scripts/render-envoy.mjs';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, opaqueId, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import { byName, withPassword } from '../iam/tokens.js';
import { startEdge } from '../rest/edge.js';
import type { Edge } from '../rest/edge.js';
import { WireClient } from '../wire-client.js';
import type { Authority, Certificate } from './certificates.js';
import { anAuthority } from './certificates.js';
import { overHttp2, overHttps } from './secure-request.js';

const NAME = 'identity.test';
const GET = '/identity/v2/user-profile/get';

let authority: Authority;
let stranger: Authority;
let own: Certificate;
let tenant: Tenant;
/** Fills the database without TLS. */
let plain: Service;
/** Takes the edge alone. */
let service: Service;
let edge: Edge;
const edges: Edge[] = [];

beforeAll(async () => {
  authority = await anAuthority();
  stranger = await anAuthority('Somebody else');
  plain = await startService();
  tenant = await aTenant(plain);
  const served = await authority.issue(NAME);
  service = await plain.another({
    GRPC_TLS_CERT: served.certFile,
    GRPC_TLS_KEY: served.keyFile,
    GRPC_TLS_CLIENT_CA: authority.certFile,
  });
  own = await authority.issue('localhost');
  edge = await anEdge();
});
afterAll(async () => {
  for (const one of edges) await one.close();
  await service.close();
  await plain.close();
  await stranger.close();
  await authority.close();
});

/** https before, TLS with certificates on both sides behind. */
async function anEdge(more: Record<string, string> = {}): Promise<Edge> {
  const shown = await authority.issue('edge');
  const one = await startEdge(service.address, undefined, {
    EDGE_TLS_CERT: own.certFile,
    EDGE_TLS_KEY: own.keyFile,
    UPSTREAM_TLS_CA: authority.certFile,
    UPSTREAM_TLS_NAME: NAME,
    UPSTREAM_TLS_CERT: shown.certFile,
    UPSTREAM_TLS_KEY: shown.keyFile,
    ...more,
  });
  edges.push(one);
  return one;
}

const signIn = (user_id: string) => ({
  domain_id: tenant.domain_id,
  auth_type: 'LOCAL',
  credentials: { user_id, password: PASSWORD },
});

describe('https before the edge, certificates on both sides behind it', () => {
  it.each([
    ['HTTP/1.1', overHttps, '1.1'],
    ['HTTP/2', overHttp2, '2'],
  ])('signs in and reads the own account over %s', async (_, send, version) => {
    const user = await aUser(plain, tenant);
    const tokens = await send(`${edge.url}/identity/v2/token/issue`, authority.cert, signIn(user));
    expect(tokens).toMatchObject({ version, status: 200 });
    const bearer = { authorization: `Bearer ${tokens.body.access_token}` };
    const answer = await send(edge.url + GET, authority.cert, {}, bearer);
    expect(answer).toMatchObject({ status: 200, body: { user_id: user } });
  });

  it('serves the IAM systems', async () => {
    const user = await aUser(plain, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const request = withPassword(byName(tenant, user));
    const tokens = await overHttps(`${edge.url}/v3/auth/tokens`, authority.cert, request);
    expect(tokens.status).toBe(201);
    const token = { 'x-auth-token': String(tokens.headers['x-subject-token']) };
    const id = await opaqueId(plain, tenant, user);
    const answer = await overHttps(`${edge.url}/v3/users/${id}`, authority.cert, undefined, token);
    expect(answer).toMatchObject({ status: 200, body: { user: { id } } });
  });

  it('passes native gRPC', async () => {
    const user = await aUser(plain, tenant);
    const channel = credentials.createSsl(Buffer.from(authority.cert));
    const client = new WireClient(edge.address, {}, channel);
    const token = await tokenOf(plain, tenant, user);
    expect(await client.call('UserProfile.get', {}, token)).toHaveProperty('user_id', user);
    client.close();
  });

  it('tells browsers to come back over https alone, and says nothing of the kind without TLS', async () => {
    const { headers } = await overHttps(edge.url + GET, authority.cert, {});
    expect(headers['strict-transport-security']).toBe('max-age=31536000');
    expect(headers['cache-control']).toBe('no-store');
    const open = await startEdge(plain.address);
    edges.push(open);
    expect((await open.post(GET, {})).headers.get('strict-transport-security')).toBeNull();
  });
});

describe('the edge with a certificate', () => {
  it('is not believed by who does not trust its authority', async () => {
    await expect(overHttps(edge.url + GET, stranger.cert, {})).rejects.toThrow(/self-signed|unable to/);
  });

  it('does not answer plain HTTP', async () => {
    const answer = edge.raw(`POST ${GET} HTTP/1.1\r\nHost: edge\r\nContent-Length: 2\r\n\r\n{}`);
    // Closed without a word, or reset.
    expect(await answer.catch(() => '')).toBe('');
  });

  it.each([
    ['TLSv1.3', { maxVersion: 'TLSv1.3' }, 'TLSv1.3'],
    ['TLSv1.2', { maxVersion: 'TLSv1.2' }, 'TLSv1.2'],
    [
      'TLSv1.1',
      { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    ],
    [
      'TLS 1.2 without forward secrecy',
      { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:AES256-SHA' },
      'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
    ],
  ] as const)('answers %s as it should', async (_, options, expected) => {
    const [host, port] = edge.address.split(':');
    const outcome = await new Promise<string | null>((resolve) => {
      const socket = connect({ host, port: Number(port), ca: authority.cert, ...options });
      socket.once('secureConnect', () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
    expect(outcome).toBe(expected);
  });

  it('takes up a certificate that is moved into the place of the old one', async () => {
    const mine = await authority.issue('localhost');
    const renewed = await anEdge({ EDGE_TLS_CERT: mine.certFile, EDGE_TLS_KEY: mine.keyFile });
    expect(await overHttps(renewed.url + GET, authority.cert, {})).toHaveProperty('status', 401);
    const next = await stranger.issue('localhost');
    await rename(next.keyFile, mine.keyFile);
    await rename(next.certFile, mine.certFile);
    const trusted = () => overHttps(renewed.url + GET, stranger.cert, {}).then(({ status }) => status);
    await expect.poll(() => trusted().catch(() => 0), { timeout: 10_000 }).toBe(401);
  });
});

describe('the way from the edge to the service', () => {
  /** What the edge answers when it is set up so. */
  async function statusWith(more: Record<string, string>): Promise<number | undefined> {
    const one = await anEdge(more);
    return (await overHttps(one.url + GET, authority.cert, {})).status;
  }

  it('is closed to a service of another name, or of an authority that the edge does not trust', async () => {
    expect(await statusWith({ UPSTREAM_TLS_NAME: 'somebody.test' })).toBe(503);
    expect(await statusWith({ UPSTREAM_TLS_CA: stranger.certFile })).toBe(503);
  });

  it('is closed to an edge without a certificate, or with one of another authority', async () => {
    expect(await statusWith({ UPSTREAM_TLS_CERT: '', UPSTREAM_TLS_KEY: '' })).toBe(503);
    const other = await stranger.issue('edge');
    const shown = { UPSTREAM_TLS_CERT: other.certFile, UPSTREAM_TLS_KEY: other.keyFile };
    expect(await statusWith(shown)).toBe(503);
  });

  it('is closed to an edge that does not speak TLS', async () => {
    const one = await startEdge(service.address);
    edges.push(one);
    expect((await one.post(GET, {})).status).toBe(503);
  });

  it('is checked by the address when that is all there is', async () => {
    expect(await statusWith({ UPSTREAM_TLS_NAME: '' })).toBe(401);
  });
});

describe('settings of the edge that do not fit', () => {
  it.each([
    [{ EDGE_TLS_CERT: 'a' }, /EDGE_TLS_KEY is not set/],
    [{ EDGE_TLS_KEY: 'a' }, /EDGE_TLS_CERT is not set/],
    [{ UPSTREAM_TLS_CA: 'a', UPSTREAM_TLS_CERT: 'a' }, /UPSTREAM_TLS_KEY is not set/],
    [{ UPSTREAM_TLS_CERT: 'a', UPSTREAM_TLS_KEY: 'a' }, /UPSTREAM_TLS_CA is not set/],
    [{ UPSTREAM_TLS_CA: 'a', GRPC_ENDPOINTS: 'a:1,b:1' }, /UPSTREAM_TLS_NAME is not set/],
    [{ GRPC_ENDPOINTS: 'a:1,b' }, /GRPC_ENDPOINTS: "b" is no host:port/],
    [{ GRPC_ENDPOINTS: 'a:70000' }, /GRPC_ENDPOINTS/],
    [{ GRPC_ENDPOINTS: '::1:50051' }, /GRPC_ENDPOINTS/],
  ])('are named: %j', (settings, message) => {
    expect(() => renderEnvoy(settings)).toThrow(message);
  });
});
