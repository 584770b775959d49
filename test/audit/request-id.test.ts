import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { databaseServer, isHeartbeat } from '../database.js';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import { initialise } from '../system.js';

interface Started {
  commandName: string;
  command: Record<string, unknown>;
}

let service: Service;
let tenant: Tenant;
let systemAdmin: string;
let owner: string;
const started: Started[] = [];
/** What belongs to a connection, a cursor or a transaction as a whole. */
const WITHOUT_CALL = new Set(['commitTransaction', 'abortTransaction', 'endSessions', 'getMore', 'ping']);

beforeAll(async () => {
  const uri = new URL(databaseServer());
  uri.pathname = `/test-${randomUUID()}`;
  uri.searchParams.set('monitorCommands', 'true');
  service = await startService({ MONGODB_URI: uri.href, USER_CACHE_MS: '0', DOMAIN_CACHE_MS: '0' });
  ({ systemAdmin } = await initialise(service));
  tenant = await aTenant(service);
  const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
  owner = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
  const client = service.app.rooms.mongo.connection.getClient();
  client.on('commandStarted', (event: Started) => {
    if (!isHeartbeat(event.command)) started.push(event);
  });
});
afterAll(() => service.close());

/** The names of all commands that a call caused, and the ids that they bear. */
async function commandsOf(method: string, request: object, token?: string) {
  const id = randomUUID();
  // What was still at work for an earlier call.
  await service.app.rooms.reset.settled();
  started.length = 0;
  // Refused calls have to be found again too.
  await service.call(method, request, token, { 'x-request-id': id }).catch(() => undefined);
  await service.app.rooms.reset.settled();
  const own = started.filter(({ commandName, command }) => {
    // Mails are put there by the call, and taken out by whoever is first.
    const delivery = commandName !== 'insert' && command[commandName] === 'outbox';
    return !delivery && !WITHOUT_CALL.has(commandName);
  });
  return { id, own, ids: new Set(own.map(({ command }) => command['comment'])) };
}

const signIn = (password: string) => ({
  credentials: { user_id: tenant.admin, password },
  auth_type: 'LOCAL',
  domain_id: tenant.domain_id,
});
const account = { user_id: 'boss@example.com', name: 'Boss', password: PASSWORD };

it.each<[string, () => object, () => string | undefined]>([
  ['UserProfile.update', () => ({ name: 'New' }), () => owner],
  ['Token.issue', () => signIn(PASSWORD), () => undefined],
  ['Token.issue', () => signIn('Wrong0pass'), () => undefined],
  ['UserProfile.verify_email', () => ({}), () => owner],
  ['UserProfile.confirm_email', () => ({ verify_code: '000000' }), () => owner],
  ['UserProfile.get_workspaces', () => ({}), () => owner],
  [
    'UserProfile.reset_password',
    () => ({ user_id: tenant.admin, domain_id: tenant.domain_id }),
    () => undefined,
  ],
  [
    'WorkspaceUser.create',
    () => ({ ...account, auth_type: 'LOCAL', role_id: 'managed-workspace-member' }),
    () => owner,
  ],
  ['WorkspaceUser.list', () => ({ query: { page: { limit: 2 } } }), () => owner],
  ['WorkspaceUser.stat', () => ({ query: { distinct: 'state' } }), () => owner],
  ['Domain.create', () => ({ name: 'another', admin: account }), () => systemAdmin],
  ['Domain.update', () => ({ domain_id: tenant.domain_id, tags: { a: 1 } }), () => systemAdmin],
  ['audit.v1.AuditService.ListRecords', () => ({}), () => systemAdmin],
])('%s reaches the database under the id of its request alone', async (method, request, token) => {
  const { id, own, ids } = await commandsOf(method, request(), token());
  expect(own.length).toBeGreaterThan(0);
  expect(ids).toEqual(new Set([id]));
});

it('a key that is read for all callers bears the id of the first of them', async () => {
  const fresh = await service.another();
  const reads: unknown[] = [];
  fresh.app.rooms.mongo.connection.getClient().on('commandStarted', ({ command }: Started) => {
    if (command['find'] === 'domain_secret') reads.push(command['comment']);
  });
  const id = randomUUID();
  await fresh.call('Domain.get', { domain_id: tenant.domain_id }, systemAdmin, { 'x-request-id': id });
  expect(reads).toEqual([id]);
  await fresh.close();
});

it('the id in the record is that of the log and of the answer', async () => {
  const id = randomUUID();
  const change = { domain_id: tenant.domain_id, tags: { b: 2 } };
  await service.call('Domain.update', change, systemAdmin, { 'x-request-id': id });
  const { results } = await service.call(
    'audit.v1.AuditService.ListRecords',
    { query: { filter: [{ k: 'request_id', v: id, o: 'eq' }] } },
    systemAdmin,
  );
  expect(results).toMatchObject([
    { action: 'domain.update', method: 'spaceone.api.identity.v2.Domain/update' },
  ]);
  expect(service.logs.filter((line) => line.includes(id))).toHaveLength(1);
});
