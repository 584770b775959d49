import { writeFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { credentials, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isServing } from '../../scripts/launch/wait.mjs';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { WireClient } from '../wire-client.js';
import type { Authority, Certificate } from './certificates.js';
import { anAuthority } from './certificates.js';

const NAME = 'identity.test';
const VERSION = 'spaceone.api.core.v1.ServerInfo.get_version';

let authority: Authority;
let stranger: Authority;
let plain: Service;
const started: Service[] = [];
const clients: WireClient[] = [];

beforeAll(async () => {
  authority = await anAuthority();
  stranger = await anAuthority('Somebody else');
  plain = await startService();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const one of started.splice(0)) await one.close();
});
afterAll(async () => {
  await plain.close();
  await stranger.close();
  await authority.close();
});

async function serve(own: Certificate, more: Record<string, string> = {}): Promise<Service> {
  const one = await plain.another({ GRPC_TLS_CERT: own.certFile, GRPC_TLS_KEY: own.keyFile, ...more });
  started.push(one);
  return one;
}

/** Asks over TLS, trusting one authority, with a certificate of one's own if one is given. */
function ask(service: Service, trusted: Certificate, own?: Certificate): Promise<{ version: string }> {
  const channel = credentials.createSsl(
    Buffer.from(trusted.cert),
    own ? Buffer.from(own.key) : null,
    own ? Buffer.from(own.cert) : null,
  );
  const options = { 'grpc.ssl_target_name_override': NAME, 'grpc.use_local_subchannel_pool': 1 };
  const client = new WireClient(service.address, options, channel);
  clients.push(client);
  return client.call(VERSION);
}

/** The version of TLS that is agreed on, or why none is. */
function handshake(service: Service, options: ConnectionOptions): Promise<string> {
  const [host, port] = service.address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), ALPNProtocols: ['h2'], ...options });
    socket.once('secureConnect', () => {
      resolve(socket.getProtocol() ?? '');
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

describe('the gRPC port with a certificate', () => {
  it('answers callers who trust its authority, and no others', async () => {
    const service = await serve(await authority.issue(NAME));
    expect(await ask(service, authority)).toMatchObject({ version: expect.any(String) as string });
    expect(await refusal(ask(service, stranger))).toMatchObject({ code: status.UNAVAILABLE });
  });

  it('refuses callers without TLS', async () => {
    const service = await serve(await authority.issue(NAME));
    expect(await refusal(service.call(VERSION))).toMatchObject({ code: status.UNAVAILABLE });
  });

  it('speaks TLS 1.2 and 1.3 with strong suites, and nothing older', async () => {
    const service = await serve(await authority.issue(NAME));
    const trust = { ca: authority.cert, servername: NAME };
    expect(await handshake(service, trust)).toBe('TLSv1.3');
    expect(await handshake(service, { ...trust, maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    expect(await handshake(service, { ...trust, ...old })).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA' } as const;
    expect(await handshake(service, { ...trust, ...weak })).toMatch(/HANDSHAKE_FAILURE/);
  });

  it('takes up a renewed certificate, keeps the old one while the new cannot be used, and says so', async () => {
    const own = await authority.issue(NAME);
    const service = await serve(own, { GRPC_TLS_RELOAD_SECONDS: '1' });
    await ask(service, authority);
    await writeFile(own.keyFile, stranger.key);
    const said = (text: string) => service.logs.filter((line) => line.includes(text)).length;
    await expect
      .poll(() => said('GRPC_TLS_KEY is not the key of GRPC_TLS_CERT'), { timeout: 10_000 })
      .toBe(1);
    await ask(service, authority);
    await stranger.renew(own, NAME);
    await expect.poll(() => said('certificates of the gRPC port renewed'), { timeout: 10_000 }).toBe(1);
    await ask(service, stranger);
    expect(await refusal(ask(service, authority))).toMatchObject({ code: status.UNAVAILABLE });
    expect(service.logs.join('\n')).not.toContain('PRIVATE KEY');
  });
});

describe('the gRPC port with an authority for callers', () => {
  it('takes those with a certificate of it, and nobody without one or with one of somebody else', async () => {
    const service = await serve(await authority.issue(NAME), { GRPC_TLS_CLIENT_CA: stranger.certFile });
    expect(await ask(service, authority, await stranger.issue('edge'))).toHaveProperty('version');
    expect(await refusal(ask(service, authority))).toMatchObject({ code: status.UNAVAILABLE });
    const other = await authority.issue('edge');
    expect(await refusal(ask(service, authority, other))).toMatchObject({ code: status.UNAVAILABLE });
  });

  it('refuses a certificate that says it is of this authority but is not', async () => {
    const service = await serve(await authority.issue(NAME), { GRPC_TLS_CLIENT_CA: authority.certFile });
    const namesake = await anAuthority();
    const forged = await namesake.issue('edge');
    await namesake.close();
    expect(await refusal(ask(service, authority, forged))).toMatchObject({ code: status.UNAVAILABLE });
  });
});

describe('the health check of the image', () => {
  it('asks over TLS, and shows the certificate of the service unless it is told of another', async () => {
    const own = await authority.issue(NAME);
    const files = { GRPC_TLS_CERT: own.certFile, GRPC_TLS_KEY: own.keyFile };
    const open = await serve(own);
    await expect.poll(() => isServing(open.address, files)).toBe(true);
    expect(await isServing(open.address)).toBe(false);
    const closed = await serve(own, { GRPC_TLS_CLIENT_CA: authority.certFile });
    await expect.poll(() => isServing(closed.address, files)).toBe(true);
    const strict = await serve(own, { GRPC_TLS_CLIENT_CA: stranger.certFile });
    expect(await isServing(strict.address, files)).toBe(false);
    const edge = await stranger.issue('edge');
    const told = { ...files, UPSTREAM_TLS_CERT: edge.certFile, UPSTREAM_TLS_KEY: edge.keyFile };
    await expect.poll(() => isServing(strict.address, told)).toBe(true);
  });
});

describe('files that cannot be used', () => {
  it.each<[string, (own: Certificate) => Record<string, string>, RegExp]>([
    [
      'a missing file',
      () => ({ GRPC_TLS_CERT: '/nowhere/a.crt' }),
      /GRPC_TLS_CERT: \/nowhere\/a.crt .*ENOENT/,
    ],
    ['no key', () => ({ GRPC_TLS_KEY: '' }), /GRPC_TLS_KEY is not set/],
    ['a key without a certificate', () => ({ GRPC_TLS_CERT: '' }), /GRPC_TLS_CERT is not set/],
    [
      'another key',
      () => ({ GRPC_TLS_KEY: stranger.keyFile }),
      /GRPC_TLS_KEY is not the key of GRPC_TLS_CERT/,
    ],
    ['a key in place of the certificate', (own) => ({ GRPC_TLS_CERT: own.keyFile }), /GRPC_TLS_CERT cannot/],
    ['no authority', (own) => ({ GRPC_TLS_CLIENT_CA: own.certFile }), /GRPC_TLS_CLIENT_CA is not the cert/],
    [
      'several at once',
      (own) => ({ GRPC_TLS_KEY: '/nowhere/a.key', GRPC_TLS_CLIENT_CA: own.keyFile }),
      /GRPC_TLS_KEY: \/nowhere\/a.key [^]*\n {2}GRPC_TLS_CLIENT_CA cannot be used/,
    ],
  ])('are named at the start: %s', async (_, wrong, message) => {
    const own = await authority.issue(NAME);
    await expect(serve(own, wrong(own))).rejects.toThrow(message);
  });
});
