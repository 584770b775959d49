import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { byName, refused, withPassword } from '../../iam/tokens.js';

const ROUNDS = 5;
const WRONG = 'Wrong0pass';

let service: Service;
let tenant: Tenant;
/** Whom one can ask for, by what there is to find out about them. */
let users: Record<string, string>;

beforeAll(async () => {
  // A hash that is left out is seen: it takes many times as long as all the rest. No user may be blocked.
  service = await startService({ BCRYPT_COST: '10', SIGN_IN_ATTEMPTS: '100' });
  tenant = await aTenant(service);
  users = {
    known: await aUser(service, tenant),
    unknown: 'nobody@example.com',
    disabled: await aUser(service, tenant, { state: 'DISABLED' }),
    external: await aUser(service, tenant, { auth_type: 'EXTERNAL' }),
    'with a second factor': await aUser(service, tenant, {
      mfa: { state: 'ENABLED', mfa_type: 'EMAIL', options: { email: 'factor@example.com' } },
    }),
  };
});
afterAll(() => service.close());

/** Milliseconds that an answer takes for each of the users: the median of some rounds, in each of which all are asked for. */
async function times(ask: (user_id: string) => Promise<unknown>): Promise<Record<string, number>> {
  const taken: Record<string, number[]> = {};
  for (let round = 0; round <= ROUNDS; round += 1)
    for (const [kind, user_id] of Object.entries(users)) {
      const started = performance.now();
      await ask(user_id);
      // The first round only warms up.
      if (round > 0) (taken[kind] ??= []).push(performance.now() - started);
    }
  const median = (values: number[]) => values.sort((one, other) => one - other)[ROUNDS >> 1]!;
  return Object.fromEntries(Object.entries(taken).map(([kind, values]) => [kind, median(values)]));
}

/**
 * The kinds of users that take less than half or more than twice as long as the known one, and a noticeable time more or
 * less. What the machine does beside is not taken for a difference: it does not show three times over.
 */
async function outliers(ask: (user_id: string) => Promise<unknown>): Promise<string[]> {
  let found = Object.keys(users);
  for (let left = 3; left > 0 && found.length > 0; left -= 1) {
    const taken = await times(ask);
    const { known = 0 } = taken;
    const differs = (one: number) => (one < known / 2 || one > known * 2) && Math.abs(one - known) > 25;
    found = found.filter((kind) => differs(taken[kind]!));
  }
  return found;
}

describe('P01: the time of an answer tells nobody who there is', () => {
  it('of Token.issue with a wrong password', async () => {
    const issue = (user_id: string) => {
      const credentials = { user_id, password: WRONG };
      const request = { credentials, auth_type: 'LOCAL', domain_id: tenant.domain_id };
      return refusal(service.call('Token.issue', request));
    };
    expect(await outliers(issue)).toEqual([]);
  });

  it('of OpenStack Identity with a wrong password', async () => {
    const create = (name: string) =>
      refused(service, 'CreateToken', withPassword(byName(tenant, name), undefined, WRONG));
    expect(await outliers(create)).toEqual([]);
  });

  it('P09: of a password reset', async () => {
    const reset = (user_id: string) =>
      service.call('UserProfile.reset_password', { user_id, domain_id: tenant.domain_id });
    expect(await outliers(reset)).toEqual([]);
  });
});
