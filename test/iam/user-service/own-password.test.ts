import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aUser, signIn } from '../../fixtures.js';
import { startUserCalls } from '../user-calls.js';
import type { UserCalls } from '../user-calls.js';

let calls: UserCalls;
beforeAll(async () => {
  calls = await startUserCalls();
});
afterAll(() => calls.service.close());

async function anAdministrator(given = {}): Promise<{ user_id: string; token: string }> {
  const { service, tenant } = calls;
  const role = { role_type: 'DOMAIN_ADMIN', role_id: 'managed-domain-admin' } as const;
  const user_id = await aUser(service, tenant, { ...role, ...given });
  return { user_id, token: (await signIn(service, tenant, user_id)).access_token };
}

describe('UserService.UpdateUser with the own password', () => {
  it('of two changes at once by one session lets one be, since it ends the session', async () => {
    const { service, tenant } = calls;
    const { user_id, token } = await anAdministrator();
    const passwords = ['F1rstChoice', 'S3condChoice'];
    const outcomes = await Promise.allSettled(
      passwords.map((password) => calls.update(user_id, { password }, token)),
    );
    const failed = outcomes.filter((one) => one.status === 'rejected');
    expect(failed).toHaveLength(1);
    expect(failed[0]!.reason).toMatchObject({ code: status.UNAUTHENTICATED });
    const inForce = passwords[outcomes.findIndex((one) => one.status === 'fulfilled')]!;
    expect(await signIn(service, tenant, user_id, inForce)).toHaveProperty('access_token');
  });

  it('is recorded as what it is, once', async () => {
    const { user_id, token } = await anAdministrator();
    await calls.update(user_id, { password: 'F1rstChoice' }, token);
    const records = calls.service.app.rooms.mongo.connection.collection('audit_record');
    const found = await records.find({ action: 'password.change', target_id: user_id }).toArray();
    expect(found.map(({ detail }) => detail)).toEqual([{ way: 'RECENT_SIGN_IN' }]);
  });

  it('is changed with all the rest, or nothing is', async () => {
    const { service, tenant } = calls;
    const { user_id, token } = await anAdministrator();
    await aUser(service, tenant, { user_id: 'has-the-name' });
    const change = { password: 'F1rstChoice', name: 'has-the-name', description: 'x' };
    await expect(calls.update(user_id, change, token)).rejects.toMatchObject({ code: status.ALREADY_EXISTS });
    expect(await calls.get(user_id, token)).not.toHaveProperty('description');
    const shown = await calls.update(user_id, { ...change, name: 'has-no-name' }, token);
    expect(shown).toMatchObject({ name: 'has-no-name', description: 'x' });
    expect(
      await signIn(service, tenant, 'has-no-name', 'F1rstChoice').catch(() => undefined),
    ).toBeUndefined();
    expect(await signIn(service, tenant, user_id, 'F1rstChoice')).toHaveProperty('access_token');
  });
});
