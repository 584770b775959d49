import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseServer, isHeartbeat } from '../database.js';
import type { Tenant } from '../fixtures.js';
import { aBinding, aTenant, aUser, aWorkspace, signIn, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import { initialise } from '../system.js';

type Keys = Record<string, 1 | -1>;
type Command = Record<string, unknown>;

/** How the store carries a command out, from its own explanation. */
interface Plan {
  collection: string;
  stages: string[];
  /** The keys of the indexes that are read, in order. */
  indexes: string[][];
  sorts: boolean;
}

let service: Service;
let tenant: Tenant;
let admin: string;
let owner: string;
/** The store tells the truth about sorting along an index of list elements; not every one does. */
let tellsSorts: boolean;
const started: { commandName: string; command: Command }[] = [];

beforeAll(async () => {
  const uri = new URL(databaseServer());
  uri.pathname = `/test-${randomUUID()}`;
  uri.searchParams.set('monitorCommands', 'true');
  service = await startService({ MONGODB_URI: uri.href, USER_CACHE_MS: '0', DOMAIN_CACHE_MS: '0' });
  tenant = await aTenant(service);
  for (let index = 0; index < 30; index += 1) {
    const workspace = index % 2 ? tenant.alpha : tenant.beta;
    await aUser(service, tenant, { name: `Name ${index % 7}`, roles: { [workspace]: 'WORKSPACE_MEMBER' } });
  }
  const ownerId = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
  owner = await tokenOf(service, tenant, ownerId, 'WORKSPACE', tenant.alpha);
  admin = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
  tellsSorts = await sortsAlongAnIndex();
  const client = service.app.rooms.mongo.connection.getClient();
  client.on('commandStarted', (event: (typeof started)[number]) => {
    if (!isHeartbeat(event.command)) started.push(event);
  });
});
afterAll(() => service.close());

const database = () => service.app.rooms.mongo.connection.db!;

/** Whether a query that an index answers in order is explained as one that sorts nothing. */
async function sortsAlongAnIndex(): Promise<boolean> {
  const probe = database().collection('probe');
  await probe.createIndex({ group: 1, 'list.of': 1, name: 1 });
  await probe.insertMany([1, 2, 3].map((name) => ({ group: 1, list: [{ of: 1 }, { of: 2 }], name })));
  const find = { find: 'probe', filter: { group: 1, 'list.of': 1 }, sort: { name: 1 } };
  return !(await explain(find)).sorts;
}

/** Short plans name the keys of an index as a text, `{ domain_id: 1 }`. */
function keysOf(pattern: Keys | string): string[] {
  if (typeof pattern !== 'string') return Object.keys(pattern);
  return [...pattern.matchAll(/([\w.]+): -?1/g)].map(([, key]) => key!);
}

async function explain(command: Command): Promise<Plan> {
  const explained = await database().command({ explain: command, verbosity: 'queryPlanner' });
  const plan: Plan = {
    collection: String(command['find'] ?? command['aggregate']),
    stages: [],
    indexes: [],
    sorts: false,
  };
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      // What was asked, and what was thrown away, is not what is done.
      if (['command', 'rejectedPlans', 'parsedQuery', 'filter', '$facet'].includes(key)) continue;
      if (key === 'stage') plan.stages.push(String(item));
      if (key === 'keyPattern') plan.indexes.push(keysOf(item as Keys | string));
      if (key === '$sort') plan.stages.push('SORT');
      visit(item);
    }
  };
  visit(explained);
  plan.sorts = plan.stages.some((stage) => stage.startsWith('SORT'));
  return plan;
}

/** The plans of every read that a call makes. */
async function plansOf(method: string, request: object, token?: string): Promise<Plan[]> {
  started.length = 0;
  await service.call(method, request, token);
  const reads = started.filter(({ commandName }) => ['find', 'aggregate'].includes(commandName));
  const plans = [];
  for (const { command } of reads) {
    // What belongs to the connection is not explained.
    const {
      lsid,
      $clusterTime,
      $db,
      $readPreference,
      maxTimeMS,
      txnNumber,
      autocommit,
      startTransaction,
      readConcern,
      ...asked
    } = command;
    void [
      lsid,
      $clusterTime,
      $db,
      $readPreference,
      maxTimeMS,
      txnNumber,
      autocommit,
      startTransaction,
      readConcern,
    ];
    plans.push(await explain(asked));
  }
  return plans;
}

function expectBounded(plans: Plan[]): void {
  expect(plans.length).toBeGreaterThan(0);
  for (const plan of plans) {
    expect(plan.stages, plan.collection).not.toContain('COLLSCAN');
    // Nothing is read at all for a list of no values.
    if (!plan.stages.includes('EOF')) expect(plan.indexes.length, plan.collection).toBeGreaterThan(0);
  }
}

/** The reads of users that are bounded by a workspace. */
const ofMembers = (plans: Plan[]) =>
  plans.filter(
    ({ collection, indexes }) =>
      collection === 'user' && indexes.some((keys) => keys.includes('memberships.workspace_id')),
  );

async function userIndexes(): Promise<string[]> {
  const indexes = await database().collection('user').listIndexes().toArray();
  return indexes.map(({ key }) => Object.keys(key as Keys).join(' '));
}

const orders: [string, string][] = [
  ['', 'name user_id'],
  ['name', 'name user_id'],
  ['user_id', 'user_id'],
  ['email', 'email user_id'],
  ['created_at', 'created_at user_id'],
  ['last_accessed_at', 'last_accessed_at user_id'],
];
const filters: [string, object, object][] = [
  ['everybody', {}, {}],
  ['a state', { state: 'ENABLED' }, {}],
  ['a keyword', {}, { keyword: 'name' }],
  ['a condition', {}, { filter: [{ k: 'language', v: 'en', o: 'eq' }] }],
];

describe('D-24 WorkspaceUser.list reads one range of one index', () => {
  describe.each(filters)('for %s', (_what, parameters, conditions) => {
    it.each(orders)('by "%s"', async (key, keys) => {
      expect(await userIndexes()).toContain(`domain_id memberships.workspace_id ${keys}`);
      for (const desc of [false, true]) {
        const sort = key ? { sort: [{ key, desc }] } : {};
        const query = { ...conditions, ...sort, page: { start: 3, limit: 5 } };
        const plans = await plansOf('WorkspaceUser.list', { ...parameters, query }, owner);
        expectBounded(plans);
        const [members, ...more] = ofMembers(plans);
        expect(more).toEqual([]);
        expect(members!.indexes[0]!.slice(0, 2)).toEqual(['domain_id', 'memberships.workspace_id']);
        if (tellsSorts) expect(members!.sorts).toBe(false);
      }
    });
  });

  it('for one role, for the number alone and for an administrator too', async () => {
    const { alpha } = tenant;
    expectBounded(await plansOf('WorkspaceUser.list', { role_type: 'WORKSPACE_MEMBER' }, owner));
    const counting = { workspace_id: alpha, query: { count_only: true, keyword: 'name' } };
    expectBounded(await plansOf('WorkspaceUser.list', counting, admin));
    expectBounded(await plansOf('WorkspaceUser.list', { user_id: 'nobody@x.io' }, owner));
  });
});

describe('D-24 every other read of people', () => {
  it('of WorkspaceUser.get is one document', async () => {
    const { results } = await service.call('WorkspaceUser.list', { query: { page: { limit: 1 } } }, owner);
    expectBounded(await plansOf('WorkspaceUser.get', { user_id: results[0].user_id }, owner));
  });

  it('of WorkspaceUser.find goes along the ids of the domain', async () => {
    expect(await userIndexes()).toContain('domain_id user_id');
    const plans = await plansOf('WorkspaceUser.find', { keyword: 'name', page: { limit: 5 } }, owner);
    expectBounded(plans);
    // Whether the token was ended is looked up by its own id.
    const people = plans.filter(({ collection }) => collection !== 'revoked_token');
    for (const { indexes } of people) expect(indexes[0]![0]).toBe('domain_id');
    const candidates = plans.find(
      ({ collection, stages }) => collection === 'user' && !stages.includes('LIMIT'),
    );
    if (tellsSorts) expect(candidates?.sorts ?? false).toBe(false);
  });

  it.each<[string, object]>([
    [
      'a group',
      {
        aggregate: [
          { group: { keys: [{ key: 'state', name: 'state' }], fields: [{ name: 'n', operator: 'count' }] } },
        ],
      },
    ],
    ['distinct values', { distinct: 'language' }],
    ['a number', { filter: [{ k: 'state', v: 'ENABLED', o: 'eq' }], aggregate: [{ count: { name: 'n' } }] }],
  ])('of WorkspaceUser.stat for %s is bounded by the workspace', async (_what, query) => {
    const plans = await plansOf('WorkspaceUser.stat', { query }, owner);
    expectBounded(plans);
    expect(ofMembers(plans)).toHaveLength(1);
  });

  it('of UserProfile and Token finds each document by its index', async () => {
    expectBounded(await plansOf('UserProfile.get_workspaces', {}, admin));
    expectBounded(await plansOf('UserProfile.get_workspaces', {}, owner));
    expectBounded(await plansOf('UserProfile.get_workspace_groups', {}, owner));
    expectBounded(await plansOf('UserProfile.get_workspace_groups', {}, admin));
    const { refresh_token } = await signIn(service, tenant, tenant.admin);
    const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token };
    expectBounded(await plansOf('Token.grant', { ...grant, scope: 'WORKSPACE', workspace_id: tenant.alpha }));
    expectBounded(await plansOf('Domain.get_auth_info', { name: tenant.name }));
  });

  it('stays bounded when somebody has a role in all workspaces', async () => {
    const everywhere = await aUser(service, tenant);
    await aBinding(service, tenant, everywhere, { workspace_id: '*', role_type: 'WORKSPACE_MEMBER' });
    const plans = await plansOf('WorkspaceUser.list', { query: { page: { limit: 5 } } }, owner);
    expectBounded(plans);
    expect(ofMembers(plans)).toHaveLength(1);
  });
});

describe('AuditService.ListRecords reads one range of one index', () => {
  const ofRecords = (plans: Plan[]) => plans.filter(({ collection }) => collection === 'audit_record');

  it.each<[string, object, string]>([
    ['of the domain', {}, 'domain_id created_at record_id'],
    ['of the domain, with a condition', { query: { keyword: 'user' } }, 'domain_id created_at record_id'],
    ['of a target', { target_id: 'admin@example.com' }, 'domain_id target_id created_at record_id'],
    ['of an actor', { actor_id: 'admin@example.com' }, 'domain_id actor_id created_at record_id'],
  ])('%s', async (_what, request, keys) => {
    const asked = { query: { page: { start: 2, limit: 5 } }, ...request };
    const plans = ofRecords(await plansOf('audit.v1.AuditService.ListRecords', asked, admin));
    expectBounded(plans);
    for (const { indexes } of plans) expect(indexes[0]![0]).toBe('domain_id');
    const indexes = await database().collection('audit_record').listIndexes().toArray();
    expect(indexes.map(({ key }) => Object.keys(key as Keys).join(' '))).toContain(keys);
    if (!tellsSorts) return;
    expect(plans.map(({ indexes: read }) => read[0]!.join(' '))).toContain(keys);
    expect(plans.filter(({ sorts }) => sorts)).toEqual([]);
  });
});

describe('Whether an administrator is left', () => {
  it('is read from the administrators alone, however many users there are', async () => {
    const given = { role_type: 'DOMAIN_ADMIN', role_id: 'managed-domain-admin' } as const;
    const user_id = await aUser(service, tenant, given);
    const request = { user_id, body: { user: { enabled: false } } };
    const plans = await plansOf('iam.v3.UserService.UpdateUser', request, admin);
    expectBounded(plans);
    const indexes = plans.filter(({ collection }) => collection === 'user').map((plan) => plan.indexes[0]);
    expect(indexes).toContainEqual(['domain_id', 'role_type', 'state']);
  });
});

describe('every page of iam.v3.UserService.ListUsers', () => {
  const LIST = 'iam.v3.UserService.ListUsers';

  it.each<[string, object, string[]]>([
    ['the domain', {}, ['domain_id', 'id']],
    ['those who are enabled', { enabled: 'true' }, ['domain_id']],
    ['those who are disabled', { enabled: 'false' }, ['domain_id']],
    ['a name', { name: 'user1@example.com' }, ['domain_id', 'login_keys']],
  ])('of %s is bounded by the domain and skips nothing', async (_what, filters, keys) => {
    const { users } = await service.call(LIST, { limit: 10 }, admin);
    for (const marker of ['', users[9].id as string]) {
      const plans = await plansOf(LIST, { ...filters, limit: 10, ...(marker ? { marker } : {}) }, admin);
      expectBounded(plans);
      // Without the look-up of the caller.
      const one = ['domain_id user_id'];
      const pages = plans.filter(
        ({ collection, indexes }) => collection === 'user' && !one.includes(indexes[0]!.join(' ')),
      );
      expect(pages.length).toBeGreaterThan(0);
      for (const { stages, indexes } of pages) {
        expect(indexes[0]!.slice(0, keys.length)).toEqual(keys);
        expect(stages).not.toContain('SKIP');
      }
    }
    for (const { command } of started) expect(JSON.stringify(command)).not.toContain('$count');
  });
});

describe('a page of domains and projects of iam.v3', () => {
  const DOMAINS = 'iam.v3.DomainService.ListDomains';
  const PROJECTS = 'iam.v3.ProjectService.ListProjects';
  const OF_USER = 'iam.v3.ProjectService.ListUserProjects';
  const disabled = { enabled: 'false' };
  const one = { user_id: 'admin@example.com' };
  const tokens = { admin: '', system: '' };

  beforeAll(async () => {
    tokens.admin = admin;
    tokens.system = (await initialise(service)).systemAdmin;
    for (let index = 0; index < 20; index += 1) await aWorkspace(service, tenant.domain_id, `More ${index}`);
  });

  it.each<[string, object, string[]]>([
    ['all users', {}, ['id']],
    ['all users who are disabled', disabled, ['state', 'id']],
    ['all users of a name', { name: 'admin@example.com' }, ['login_keys', 'id']],
  ])('of %s is read along an index, and shows what it reads', async (_what, filters, keys) => {
    const plans = await plansOf('iam.v3.UserService.ListUsers', { ...filters, limit: 2 }, tokens.system);
    expectBounded(plans);
    const pages = plans.filter(({ collection }) => collection === 'user').map((plan) => plan.indexes[0]);
    expect(pages).toContainEqual(keys);
    const read = JSON.stringify(started.flatMap(({ command }) => command['pipeline'] ?? []));
    expect(read).toContain('"$project":{"_id":0,"id":1,');
    expect(read).not.toMatch(/"(?:tags|memberships|extension)"/);
  });

  it.each<[string, string, object, keyof typeof tokens, string, string | undefined]>([
    ['the projects of a domain', PROJECTS, {}, 'admin', 'domain_id', 'beta'],
    ['those of them that are disabled', PROJECTS, disabled, 'admin', 'domain_id', 'alpha'],
    ['the project of a name', PROJECTS, { name: 'alpha' }, 'admin', 'name', undefined],
    ['the projects of somebody', OF_USER, one, 'admin', 'domain_id', 'beta'],
    ['all projects', PROJECTS, {}, 'system', 'state', undefined],
    ['all projects, further on', PROJECTS, {}, 'system', 'workspace_id', 'alpha'],
    ['all projects that are disabled', PROJECTS, disabled, 'system', 'state', undefined],
    ['all projects of a name', PROJECTS, { name: 'alpha' }, 'system', 'name', 'beta'],
    ['the own domain', DOMAINS, {}, 'admin', 'domain_id', undefined],
    ['all domains', DOMAINS, {}, 'system', 'state', undefined],
    ['all domains, further on', DOMAINS, {}, 'system', 'domain_id', 'domain_id'],
    ['all domains that are disabled', DOMAINS, disabled, 'system', 'state', undefined],
    ['the domain of a name', DOMAINS, { name: 'root' }, 'system', 'name', undefined],
  ])('of %s is one read along an index', async (_what, method, filters, by, key, last) => {
    const marker = last ? { marker: tenant[last as 'alpha'] } : {};
    for (const limit of [2, 1000]) {
      const plans = await plansOf(method, { ...filters, limit, ...marker }, tokens[by]);
      expectBounded(plans);
      const collection = method === DOMAINS ? 'domain' : 'workspace';
      const [pages, ...more] = plans.filter((plan) => plan.collection === collection).reverse();
      expect(pages!.indexes[0]![0]).toBe(key);
      expect(pages!.stages).not.toContain('SKIP');
      // The domain of the caller, and the marker.
      for (const { stages } of more) expect(stages).toContain('LIMIT');
      expect(more.length).toBeLessThan(3);
    }
  });
});
