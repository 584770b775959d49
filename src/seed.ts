import { chmodSync, writeFileSync } from 'node:fs';
import pino from 'pino';
import { systemClock } from './clock.js';
import { readConfig } from './config.js';
import type { Reach } from './connectors/mongo.js';
import { newId } from './ids.js';
import type { RoleType } from './models/role.js';
import type { UserDetail, UserKey, UserState, WorkspaceRoleType } from './models/user.js';
import { temporaryPassword } from './password.js';
import { createRooms } from './rooms.js';
import type { Rooms } from './rooms.js';

/** A row of the accounts file. */
interface Account {
  domain_id: string;
  domain_name: string;
  user_id: string;
  password: string;
  role_type: RoleType | 'USER';
  workspaces: { workspace_id: string; name: string; role_type: WorkspaceRoleType }[];
}

interface Person {
  user_id: string;
  name: string;
  language?: string;
  timezone?: string;
  role: WorkspaceRoleType;
  /** Has not signed in yet. */
  isNew?: boolean;
  /** What the IAM systems show besides. */
  detail?: UserDetail;
}

const DOMAIN_NAME = 'demo';
const ADMIN = 'admin@example.com';
/** Has a role in one more workspace, by a workspace group. */
const GUEST = 'max@example.com';
const GUESTS_OF = 'beta';
const PEOPLE: Record<'alpha' | 'beta', Person[]> = {
  alpha: [
    {
      user_id: 'olivia@example.com',
      name: 'Olivia Owner',
      role: 'WORKSPACE_OWNER',
      detail: {
        description: 'Head of the project',
        areacode: '0049',
        phone: '15112345678',
        org_id: '20260105093000000-3BA0-91FCA2CB7',
        grade: 2,
        extension: { room: 'B 2.14', languages: ['de', 'en'] },
      },
    },
    {
      user_id: 'max@example.com',
      name: 'Max Member',
      role: 'WORKSPACE_MEMBER',
      detail: { phone: '15187654321', xuser_id: 'max-7', xuser_type: 'directory', grade: 1 },
    },
    {
      user_id: 'minji@example.com',
      name: '김민지',
      language: 'ko',
      timezone: 'Asia/Seoul',
      role: 'WORKSPACE_MEMBER',
      isNew: true,
    },
    {
      user_id: 'haruto@example.com',
      name: '佐藤陽翔',
      language: 'ja',
      timezone: 'Asia/Tokyo',
      role: 'WORKSPACE_MEMBER',
    },
  ],
  beta: [
    { user_id: 'bruno@example.com', name: 'Bruno Owner', role: 'WORKSPACE_OWNER' },
    { user_id: 'carla@example.com', name: 'Carla Member', role: 'WORKSPACE_MEMBER' },
    { user_id: 'dmitri@example.com', name: 'Dmitri Member', role: 'WORKSPACE_MEMBER' },
  ],
};

/**
 * Fills an empty database with the root domain and a domain with people in it, and writes their passwords to
 * the file named by ACCOUNTS_FILE, readable by its owner alone. A database with domains in it is left as it is.
 */
async function main(): Promise<void> {
  const config = readConfig();
  const rooms = createRooms(config, systemClock, pino({ level: 'silent' }));
  await rooms.mongo.start();
  try {
    const reach = { deadline: Date.now() + 60_000 };
    if (await rooms.models.domains.any(reach)) {
      process.stdout.write('The database is in use already; nothing was changed.\n');
      return;
    }
    writeAccounts(config.ACCOUNTS_FILE, [...(await seedDemo(rooms, reach)), await seedRoot(rooms, reach)]);
  } finally {
    await rooms.mongo.close();
  }
}

async function seedRoot(rooms: Rooms, reach: Reach): Promise<Account> {
  const password = temporaryPassword();
  const admin = { user_id: 'root@example.com', name: 'System Admin', password };
  const { domain } = await rooms.system.init(reach, { local: true }, admin, false);
  return account(domain.domain_id, domain.name, admin.user_id, password, 'DOMAIN_ADMIN');
}

async function seedDemo(rooms: Rooms, reach: Reach): Promise<Account[]> {
  const password = temporaryPassword();
  const admin = { user_id: ADMIN, name: 'Ada Admin', email: ADMIN, password };
  const { domain_id } = await rooms.domains.create(reach, DOMAIN_NAME, undefined, admin);
  await settle(rooms, reach, { domain_id, user_id: ADMIN }, 'ENABLED');
  const accounts = [account(domain_id, DOMAIN_NAME, ADMIN, password, 'DOMAIN_ADMIN')];
  const workspace_group_id = newId('wg');
  for (const [name, people] of Object.entries(PEOPLE)) {
    const group = name === GUESTS_OF ? workspace_group_id : undefined;
    const workspace = { workspace_id: await seedWorkspace(rooms, reach, domain_id, name, group), name };
    for (const person of people) {
      const own = temporaryPassword();
      await seedPerson(rooms, reach, domain_id, workspace.workspace_id, person, own);
      const one = account(domain_id, DOMAIN_NAME, person.user_id, own, 'USER');
      accounts.push({ ...one, workspaces: [{ ...workspace, role_type: person.role }] });
    }
    if (!group) continue;
    await seedGroup(rooms, reach, { domain_id, user_id: GUEST }, workspace.workspace_id, group);
    const guest = accounts.find(({ user_id }) => user_id === GUEST);
    guest?.workspaces.push({ ...workspace, role_type: 'WORKSPACE_MEMBER' });
  }
  return accounts;
}

async function seedWorkspace(
  rooms: Rooms,
  reach: Reach,
  domain_id: string,
  name: string,
  workspace_group_id: string | undefined,
): Promise<string> {
  const workspace_id = newId('workspace');
  await rooms.models.workspaces.insert(reach, {
    workspace_id,
    name,
    state: 'ENABLED',
    created_by: ADMIN,
    is_managed: false,
    is_dormant: false,
    dormant_ttl: -1,
    user_count: 0,
    ...(workspace_group_id ? { workspace_group_id } : {}),
    domain_id,
    created_at: systemClock.now(),
  });
  return workspace_id;
}

async function seedPerson(
  rooms: Rooms,
  reach: Reach,
  domain_id: string,
  workspace_id: string,
  { role, isNew, detail, ...person }: Person,
  password: string,
): Promise<void> {
  const role_id = role === 'WORKSPACE_OWNER' ? 'managed-workspace-owner' : 'managed-workspace-member';
  const user = { ...person, email: person.user_id, auth_type: 'LOCAL' as const, password };
  await rooms.workspaceUsers.create(reach, { domain_id, workspace_id }, user, role_id, { permissions: [] });
  await settle(rooms, reach, { domain_id, user_id: person.user_id }, isNew ? 'PENDING' : 'ENABLED', detail);
}

/** As if the address had been proven, the first sign-in made, and the details come from elsewhere. */
async function settle(
  rooms: Rooms,
  reach: Reach,
  key: UserKey,
  state: UserState,
  detail: UserDetail = {},
): Promise<void> {
  await rooms.models.users.update(reach, key, { $set: { email_verified: true, state, ...detail } });
}

/** A group whose one user has a role in the workspace through it. */
async function seedGroup(
  rooms: Rooms,
  reach: Reach,
  { domain_id, user_id }: UserKey,
  workspace_id: string,
  workspace_group_id: string,
): Promise<void> {
  const now = systemClock.now();
  const role = { role_id: 'managed-workspace-member', role_type: 'WORKSPACE_MEMBER' as const };
  const membership = {
    ...role,
    role_binding_id: newId('rb'),
    workspace_id,
    workspace_group_id,
    created_at: now,
  };
  await rooms.mongo.transaction(reach, async (tx) => {
    await rooms.models.groups.insert(tx, {
      workspace_group_id,
      name: 'guests',
      users: [{ user_id, ...role }],
      created_by: ADMIN,
      domain_id,
      created_at: now,
      updated_at: now,
    });
    await rooms.models.bindings.insert(tx, {
      ...membership,
      domain_id,
      user_id,
      resource_group: 'WORKSPACE',
    });
    await rooms.models.users.update(tx, { domain_id, user_id }, { $push: { memberships: membership } });
    await rooms.models.workspaces.addUsers(tx, domain_id, workspace_id, 1);
  });
}

function account(
  domain_id: string,
  domain_name: string,
  user_id: string,
  password: string,
  role_type: Account['role_type'],
): Account {
  return { domain_id, domain_name, user_id, password, role_type, workspaces: [] };
}

function writeAccounts(file: string, accounts: readonly Account[]): void {
  writeFileSync(file, `${JSON.stringify(accounts, undefined, 2)}\n`, { mode: 0o600 });
  // The mode above counts for a new file only.
  chmodSync(file, 0o600);
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
