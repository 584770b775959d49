import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { WireClient } from '../wire-client.js';
import type { Edge } from './edge.js';
import { startEdge } from './edge.js';

const EVIL = 'evil.example';
/** Whatever a proxy might have said about where a call came from and what for. */
const forwarding = {
  'x-forwarded-for': '203.0.113.66',
  'x-forwarded-host': EVIL,
  'x-forwarded-proto': 'https',
  'x-forwarded-prefix': `//${EVIL}`,
  'x-original-host': EVIL,
  'x-real-ip': '203.0.113.66',
  'x-envoy-external-address': '203.0.113.66',
  'x-envoy-internal': 'true',
  forwarded: `for=203.0.113.66;host=${EVIL}`,
  origin: `https://${EVIL}`,
  referer: `https://${EVIL}/`,
};

let service: Service;
let tenant: Tenant;
let edge: Edge;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  edge = await startEdge(service.address);
});
afterAll(async () => {
  await edge.close();
  await service.close();
});

const lineOf = (method: string) => service.logs.findLast((line) => line.includes(`${method}"`))!;

describe('forwarding headers of a caller', () => {
  it('do not lead the link of a mail anywhere else', async () => {
    const user_id = await aUser(service, tenant);
    const request = { user_id, domain_id: tenant.domain_id };
    const path = '/identity/v2/user-profile/reset-password';
    expect((await edge.send('POST', path, request, forwarding)).status).toBe(200);
    const mail = await service.sink.waitFor(user_id);
    expect(mail.text).toContain(`https://${tenant.name}.console.example.com`);
    expect(mail.text + mail.html).not.toContain(EVIL);
  });

  it('do not say where a call comes from', async () => {
    const token = await tokenOf(service, tenant, await aUser(service, tenant));
    const headers = { ...forwarding, authorization: `Bearer ${token}` };
    expect((await edge.send('POST', '/identity/v2/user-profile/get', {}, headers)).status).toBe(200);
    const line = lineOf('UserProfile/get');
    expect(JSON.parse(line)).toHaveProperty('peer');
    expect(line).not.toContain('203.0.113.66');
  });

  it('do not make a call one of this machine', async () => {
    const client = new WireClient(edge.address);
    const request = { admin: { user_id: 'root@example.com', name: 'Root', password: PASSWORD } };
    for (const peer of ['127.0.0.1', '::1', '203.0.113.66, 127.0.0.1']) {
      const init = client.call('System.init', request, undefined, { 'x-forwarded-for': peer });
      expect((await refusal(init)).code).toBe(status.UNAUTHENTICATED);
    }
    client.close();
  });

  it('do not choose status or code of an answer', async () => {
    const headers = { 'edge-status': '200', 'edge-code': 'IAM.9999' };
    const answer = await edge.send('GET', '/v3/users', undefined, headers);
    expect(answer.status).toBe(401);
    expect(JSON.stringify(answer.body)).not.toContain('IAM.9999');
  });
});
