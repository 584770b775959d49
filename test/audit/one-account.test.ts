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

  it.each([
    ['in capitals', (id: string) => id.toUpperCase()],
    ['in full width', (id: string) => id.replace('u', 'ｕ')],
  ])('by a user_id that is written %s at Token.issue', async (_how, written) => {
    const user_id = await aUser(service, tenant);
    const records = await recordsOf(() =>
      ten(() => refusal(signIn(service, tenant, written(user_id), WRONG))),
    );
    expect(tally(records)).toEqual({ 'user.sign_in ERROR_AUTHENTICATION_FAILURE': 10, 'user.lock': 1 });
    for (const record of records) expect(record).toMatchObject({ target_id: user_id });
    expect((await refusal(signIn(service, tenant, user_id))).reason).toBe('ERROR_LOGIN_BLOCKED');
  });

  it('by a username at Token.issue, which signs in with the user_id alone', async () => {
    const user_id = await aUser(service, tenant, { username: 'Another.Name' });
    const records = await recordsOf(async () => {
      await refusal(signIn(service, tenant, 'Another.Name', WRONG));
      const right = await refusal(signIn(service, tenant, 'Another.Name'));
      expect(right).toMatchObject({ reason: 'ERROR_AUTHENTICATION_FAILURE' });
      expect(right.text).toContain('Another.Name');
      expect(right.text).not.toContain(user_id);
    });
    expect(tally(records)).toEqual({ 'user.sign_in ERROR_AUTHENTICATION_FAILURE': 2 });
  });
});

describe('Two doors do not tell together which names there are', () => {
  const issue = async (name: string) => (await refusal(signIn(service, tenant, name, WRONG))).reason;
  const byId = (id: string) => guessAt({ id, domain: { id: tenant.domain_id } });
  const byName = (name: string) => guessAt({ name, domain: { id: tenant.domain_id } });
  const blocked = async (name: string) => {
    const reasons = [await issue(name)];
    for (const guess of [byId, byName]) {
      expect(await guess(name)).toMatchObject(UNAUTHENTICATED);
      reasons.push(
        (JSON.parse(service.logs.findLast((line) => line.includes('CreateToken'))!) as { reason: string })
          .reason,
      );
    }
    return reasons;
  };

  it.each([
    ['OpenStack Identity by name', byName],
    ['OpenStack Identity by id', byId],
    ['Token.issue', issue],
  ])(
    'after guesses at %s every door is closed, for names that somebody has and others',
    async (door, guess) => {
      const renamed = `second-${door.replaceAll(' ', '-')}`;
      await aUser(service, tenant, { user_id: `first-${door.replaceAll(' ', '-')}`, username: renamed });
      for (const name of [renamed, `nobody-${door.replaceAll(' ', '-')}`]) {
        await ten(() => guess(name));
        expect(await blocked(name), name).toEqual(Array(3).fill('ERROR_LOGIN_BLOCKED'));
      }
    },
  );
});

it('What is typed in place of a name or a domain stands neither in the database nor in the log', async () => {
  const typed = 'my1secretpassword';
  await guessAt({ name: typed, domain: { id: tenant.domain_id } });
  await guessAt({ id: typed });
  await guessAt({ id: typed, domain: { name: tenant.name } });
  await guessAt({ name: 'a@example.com', domain: { name: typed } });
  await guessAt({ name: 'a@example.com', domain: { id: typed } });
  await refusal(signIn(service, tenant, typed, WRONG));
  await refusal(signIn(service, { ...tenant, domain_id: typed }, 'a@example.com', WRONG));
  await service.call('UserProfile.reset_password', { user_id: typed, domain_id: tenant.domain_id });
  await service.call('UserProfile.reset_password', { user_id: typed, domain_id: typed });
  await service.app.rooms.reset.settled();
  const { db } = service.app.rooms.mongo.connection;
  for (const collection of await db!.collections()) {
    const stored = JSON.stringify(await collection.find().toArray());
    expect(stored.includes(typed), collection.collectionName).toBe(false);
  }
  expect(service.logs.filter((line) => line.includes(typed))).toEqual([]);
});
