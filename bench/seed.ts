import pino from 'pino';
import { systemClock } from '../src/clock.js';
import { readConfig } from '../src/config.js';
import { identityKey, newId, newTokenId } from '../src/ids.js';
import type { Membership, UserWithSecrets, WorkspaceRoleType } from '../src/models/user.js';
import { createRooms } from '../src/rooms.js';
import type { Rooms } from '../src/rooms.js';

/** What the load needs to know of a seeded domain. */
export interface Seeded {
  domain_id: string;
  workspace_id: string;
  owner: string;
  member: string;
  password: string;
}

const PASSWORD = 'Passw0rd!';
/** Users of one workspace; the number of workspaces grows with the domain, as in the measure of the reference. */
const PER_WORKSPACE = 1000;
const BATCH = 2000;
const LANGUAGES = ['en', 'ko', 'ja'];
const STATES = ['ENABLED', 'ENABLED', 'ENABLED', 'PENDING', 'DISABLED'] as const;

/** Fills a new domain with so many users, each in two workspaces of about a thousand. */
export async function seed(environment: Record<string, string>, users: number): Promise<Seeded> {
  const rooms = createRooms(readConfig(environment), systemClock, pino({ level: 'silent' }));
  await rooms.mongo.start();
  try {
    return await fill(rooms, users);
  } finally {
    await rooms.mongo.close();
  }
}

async function fill(rooms: Rooms, users: number): Promise<Seeded> {
  const reach = { deadline: Date.now() + 600_000 };
  const admin = { user_id: 'admin@example.com', name: 'Admin', password: PASSWORD };
  const { domain_id } = await rooms.domains.create(
    reach,
    `bench-${users}-${newId('role')}`,
    undefined,
    admin,
  );
  const stored = await rooms.models.users.findWithSecrets(reach, { domain_id, user_id: admin.user_id });
  const workspaces = Array.from({ length: Math.max(2, (users * 2) / PER_WORKSPACE) }, () =>
    newId('workspace'),
  );
  const model = rooms.models.users.model;
  for (let start = 0; start < users; start += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, users - start) }, (_, at) =>
      person(domain_id, start + at, stored!.password!, workspaces),
    );
    await model.collection.insertMany(batch);
    await rooms.mongo.connection
      .collection('role_binding')
      .insertMany(
        batch.flatMap(({ user_id, memberships }) =>
          memberships.map((one) => ({ ...one, domain_id, user_id, resource_group: 'WORKSPACE' })),
        ),
      );
  }
  for (const workspace_id of workspaces) {
    const user_count = await model.collection.countDocuments({
      domain_id,
      'memberships.workspace_id': workspace_id,
    });
    await rooms.models.workspaces.insert(reach, workspace(domain_id, workspace_id, user_count));
  }
  return {
    domain_id,
    workspace_id: workspaces[0]!,
    owner: userId(0),
    member: userId(workspaces.length),
    password: PASSWORD,
  };
}

function userId(at: number): string {
  return `user${String(at).padStart(6, '0')}@example.com`;
}

function person(
  domain_id: string,
  at: number,
  password: string,
  workspaces: readonly string[],
): UserWithSecrets {
  const user_id = userId(at);
  const role = (shift: number): Membership => {
    const owner = at < workspaces.length && shift === 0;
    const role_type: WorkspaceRoleType = owner ? 'WORKSPACE_OWNER' : 'WORKSPACE_MEMBER';
    return {
      role_binding_id: newId('rb'),
      role_id: owner ? 'managed-workspace-owner' : 'managed-workspace-member',
      role_type,
      workspace_id: workspaces[(at + shift) % workspaces.length]!,
      created_at: new Date(),
    };
  };
  return {
    user_id,
    id: newTokenId(),
    username: user_id,
    login_keys: [identityKey(user_id)],
    domain_id,
    // Spread over the alphabet, so that the order by name is not the order of creation.
    name: `Name ${String((at * 7919) % 1_000_003).padStart(7, '0')}`,
    state: at < workspaces.length * 2 ? 'ENABLED' : STATES[at % STATES.length]!,
    email: user_id,
    email_verified: true,
    auth_type: 'LOCAL',
    role_type: 'USER',
    required_actions: [],
    language: LANGUAGES[at % LANGUAGES.length]!,
    timezone: 'UTC',
    tags: { team: `team-${at % 10}` },
    memberships: [role(0), role(1)],
    generation: 1,
    created_at: new Date(Date.now() - at * 60_000),
    password,
  };
}

function workspace(domain_id: string, workspace_id: string, user_count: number) {
  return {
    workspace_id,
    name: workspace_id,
    state: 'ENABLED' as const,
    created_by: 'admin@example.com',
    is_managed: false,
    is_dormant: false,
    dormant_ttl: -1,
    user_count,
    domain_id,
    created_at: new Date(),
  };
}
