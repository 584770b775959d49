import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aUser, signIn } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import { startUserCalls } from '../user-calls.js';
import type { UserCalls } from '../user-calls.js';

const NEW = 'Ander5wort';

let calls: UserCalls;
beforeAll(async () => {
  calls = await startUserCalls();
});
afterAll(() => calls.service.close());

/** Somebody at whom too many wrong passwords were tried. */
async function locked(given = {}): Promise<string> {
  const { service, tenant } = calls;
  const user_id = await aUser(service, tenant, given);
  for (let index = 0; index < 10; index += 1)
    await refusal(signIn(service, tenant, user_id, `Wr0ng-${index}`));
  expect(await outcome(user_id)).toBe('ERROR_LOGIN_BLOCKED');
  return user_id;
}

const outcome = (user_id: string, password?: string) =>
  signIn(calls.service, calls.tenant, user_id, password).then(
    () => 'in',
    ({ details }: { details: string }) => details.split(':')[0],
  );

describe('A user who is locked after wrong passwords', () => {
  it('can sign in with a password that an administrator sets', async () => {
    const user_id = await locked();
    await calls.update(user_id, { password: NEW });
    expect(await outcome(user_id, NEW)).toBe('in');
  });

  it('can sign in when an administrator says that they are enabled', async () => {
    const user_id = await locked();
    await calls.update(user_id, { enabled: true });
    expect(await outcome(user_id)).toBe('in');
  });

  it('stays locked after any other change', async () => {
    const user_id = await locked();
    await calls.update(user_id, { description: 'still locked', pwd_status: true });
    expect(await outcome(user_id)).toBe('ERROR_LOGIN_BLOCKED');
  });

  it('leaves no lock to who gets the name next', async () => {
    const user_id = await locked({ user_id: 'same-name' });
    await calls.remove(user_id);
    await calls.create({ name: 'same-name', password: NEW });
    expect(await outcome('same-name', NEW)).toBe('in');
  });
});
