import { compressionAlgorithms, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { WireClient } from '../../wire-client.js';

let service: Service;
let tenant: Tenant;
let token: string;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  token = await tokenOf(service, tenant, await aUser(service, tenant));
});
afterAll(() => service.close());

const MEGABYTE = 1_048_576;
const name = (bytes: number) => ({ name: 'x'.repeat(bytes) });

describe('D-41 limits', () => {
  it('refuse a message of 5 MiB, and go on with the next call', async () => {
    const refused = await refusal(service.call('UserProfile.update', name(5 * MEGABYTE), token));
    expect(refused.code).toBe(status.RESOURCE_EXHAUSTED);
    expect((await service.call('UserProfile.get', {}, token)).domain_id).toBe(tenant.domain_id);
  });

  it('take a message that is just small enough, say how large it may be, and look at its fields below that', async () => {
    const large = await refusal(service.call('UserProfile.update', name(4 * MEGABYTE - 100), token));
    expect(large).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
    expect(large.text).toContain('(key = request');
    const refused = await refusal(service.call('UserProfile.update', name(MEGABYTE / 2 - 100), token));
    expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
    expect(refused.text).toContain('(key = name');
    expect(refused.text.length).toBeLessThan(200);
  });

  it('count what a compressed message unpacks to', async () => {
    const client = new WireClient(service.address, {
      'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
    });
    expect((await client.call('UserProfile.update', name(100), token)).name).toHaveLength(100);
    const refused = await refusal(client.call('UserProfile.update', name(50 * MEGABYTE), token));
    expect(refused.code).toBe(status.RESOURCE_EXHAUSTED);
    client.close();
  });

  it('are configurable', async () => {
    const small = await service.another({ MAX_MESSAGE_BYTES: '2048' });
    const refused = await refusal(small.call('UserProfile.update', name(3000), token));
    expect(refused.code).toBe(status.RESOURCE_EXHAUSTED);
    await small.close();
  });

  it('hold for calls at the same time on one connection: the rest waits its turn and is answered', async () => {
    const narrow = await service.another({ MAX_STREAMS: '4' });
    const calls = Array.from({ length: 60 }, () => narrow.call('UserProfile.get', {}, token));
    expect(await Promise.all(calls)).toHaveLength(60);
    await narrow.close();
  });
});
