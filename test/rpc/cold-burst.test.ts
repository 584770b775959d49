import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aTenant, aUser, signIn } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import { WireClient } from '../wire-client.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

describe('An instance that has just started', () => {
  it('D-47: answers two hundred callers that meet it at once', async () => {
    const users = await Promise.all(Array.from({ length: 20 }, () => aUser(service, tenant)));
    const tokens = await Promise.all(users.map((user) => signIn(service, tenant, user)));
    const fresh = await service.another();
    const clients = Array.from({ length: 20 }, () => new WireClient(fresh.address));
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        clients[index % 20]!.call('UserProfile.get', {}, tokens[index % 20]!.access_token),
      ),
    );
    expect(answers.map(({ user_id }) => user_id as string)).toEqual(
      Array.from({ length: 200 }, (_, index) => users[index % 20]),
    );
    for (const client of clients) client.close();
    await fresh.close();
  });

  it('D-47: answers fifty sign-ins of one user at once', async () => {
    const user = await aUser(service, tenant);
    const fresh = await service.another();
    const answers = await Promise.all(Array.from({ length: 50 }, () => signIn(fresh, tenant, user)));
    expect(answers.every(({ access_token }) => access_token)).toBe(true);
    await fresh.close();
  });
});
