import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant, UserOptions } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { WireClient } from '../wire-client.js';
import { actions } from './recorded.js';

/** Enough for all that comes before the hash, and far too little for the hash. */
const PATIENCE_MS = 400;

let service: Service;
let slow: Service;
let tenant: Tenant;
let admin: string;
let client: WireClient;

beforeAll(async () => {
  service = await startService();
  // A password is compared at the cost that it was hashed with.
  slow = await service.another({ BCRYPT_COST: '14' });
  tenant = await aTenant(service);
  admin = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
  client = new WireClient(service.address);
});
afterAll(async () => {
  client.close();
  await slow.close();
  await service.close();
});

async function recorded(user_id: string): Promise<string[]> {
  const query = { filter: [{ k: 'target_id', v: user_id, o: 'eq' }] };
  const { results = [] } = await service.call('audit.v1.AuditService.ListRecords', { query }, admin);
  return actions(results);
}

/** Tries to sign in and hangs up while the password is compared, until that has left a record. */
async function signInAndHangUp(given: UserOptions, password: string): Promise<string[]> {
  const user_id = await aUser(slow, tenant, given);
  const credentials = { user_id, password };
  const request = { credentials, auth_type: 'LOCAL', domain_id: tenant.domain_id };
  const attempt = async () => {
    const deadline = Date.now() + PATIENCE_MS;
    const refused = await refusal(client.call('Token.issue', request, undefined, {}, { deadline }));
    expect(refused.code).toBe(status.DEADLINE_EXCEEDED);
  };
  await attempt();
  // A machine that had too much to do for it came not as far as the hash.
  await expect
    .poll(() => recorded(user_id), { timeout: 8000, interval: 500 })
    .not.toEqual([])
    .catch(attempt);
  await expect.poll(() => recorded(user_id), { timeout: 8000 }).not.toEqual([]);
  return [...new Set(await recorded(user_id))];
}

describe('What was refused to a caller who has hung up meanwhile is recorded', () => {
  it('when the password was wrong', async () => {
    expect(await signInAndHangUp({}, 'Wrong0pass')).toEqual(['user.sign_in ERROR_AUTHENTICATION_FAILURE']);
  });

  it('when the password was right and the user is disabled', async () => {
    expect(await signInAndHangUp({ state: 'DISABLED' }, PASSWORD)).toEqual([
      'user.sign_in ERROR_USER_STATE_DISABLED',
    ]);
  });
});
