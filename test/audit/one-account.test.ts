import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aTenant, aUser, signIn } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { UNAUTHENTICATED, refused, withPassword } from '../iam/tokens.js';
import { ROOT_ADMIN } from '../system.js';
import { recorder, tally } from './recorded.js';

const WRONG = 'Wrong0pass';
let service: Service;
let tenant: Tenant;
let recordsOf: ReturnType<typeof recorder>;

beforeAll(async () => {
  service = await startService();
  const { system_token } = await service.call('System.init', { admin: ROOT_ADMIN });
  tenant = await aTenant(service);
  recordsOf = recorder(service, system_token);
});
afterAll(() => service.close());

const guessAt = (user: object) => refused(service, 'CreateToken', withPassword(user, undefined, WRONG));
const ten = async (guess: () => Promise<unknown>) => {
  for (let count = 0; count < 10; count += 1) await guess();
};

describe('Nobody is locked without a record of it', () => {
  it('by a domain that is called by a name which it does not have', async () => {
    const user_id = await aUser(service, tenant);
    const nowhere = { name: user_id, domain: { name: tenant.domain_id } };
    const records = await recordsOf(() =>
      ten(async () => expect(await guessAt(nowhere)).toMatchObject(UNAUTHENTICATED)),
    );
    expect(records).toEqual([]);
    expect(await signIn(service, tenant, user_id)).toHaveProperty('access_token');
  });

  it('by an id, in another domain than that of its user', async () => {
    const user_id = await aUser(service, tenant);
    const elsewhere = await aTenant(service);
    const there = { id: user_id, domain: { id: elsewhere.domain_id } };
    const records = await recordsOf(() => ten(() => guessAt(there)));
    expect(tally(records)).toEqual({ 'user.sign_in ERROR_NOT_FOUND': 10 });
    expect(await signIn(service, tenant, user_id)).toHaveProperty('access_token');
  });
});
