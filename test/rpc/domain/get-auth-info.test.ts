import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

const info = (name: string) => service.call('Domain.get_auth_info', { name });

describe('Domain.get_auth_info', () => {
  it('tells a sign-in page the id of a domain by its name, without a token', async () => {
    expect(await info(` ${tenant.name} `)).toEqual({
      domain_id: tenant.domain_id,
      name: tenant.name,
      external_auth_state: 'DISABLED',
    });
  });

  it.each([[''], ['  ']])('asks for the name: %j', async (name) => {
    expect(await refusal(info(name))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: 'Required parameter. (key = name)',
    });
  });

  it('does not know a name that no living domain has', async () => {
    expect(await refusal(info('nowhere'))).toMatchObject({
      code: status.NOT_FOUND,
      reason: 'ERROR_NOT_FOUND',
      text: 'Resource cannot be found or access is denied. (name = nowhere)',
    });
  });
});
