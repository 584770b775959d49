import { newId } from '../src/ids.js';
import type { Role } from '../src/models/role.js';
import type { Membership, User, WorkspaceRoleType } from '../src/models/user.js';
import type { Service } from './harness.js';
import { tenantKeys } from './tenant-keys.js';

/** Password of every user made here unless another is given. */
export const PASSWORD = 'Passw0rd!';

/** A domain with an administrator and two workspaces. */
export interface Tenant {
  domain_id: string;
  name: string;
  admin: string;
  alpha: string;
  beta: string;
}

const reach = () => ({ deadline: Date.now() + 30_000 });
let count = 0;

/** Makes a domain with its administrator (`admin@example.com`) and the enabled workspaces alpha and beta. */
export async function aTenant(service: Service, domain_id = newId('domain')): Promise<Tenant> {
  const { rooms } = service.app;
  const name = `domain-${++count}`;
  const admin = 'admin@example.com';
  const created_at = service.clock.now();
  const domain = { domain_id, name, state: 'ENABLED' as const, wildcard_members: 0, created_at };
  const account = {
    user_id: admin,
    name: 'Ada Admin',
    email: admin,
    auth_type: 'LOCAL' as const,
    password: PASSWORD,
  };
  const role = { role_type: 'DOMAIN_ADMIN' as const, role_id: 'managed-domain-admin', memberships: [] };
  const { user, invite } = await rooms.accounts.prepare(reach(), domain_id, account, role);
  const keys = tenantKeys(service.serviceKey, domain_id, created_at);
  const prepared = { domain, keys, admin: { user: { ...user, state: 'ENABLED' as const }, invite } };
  await rooms.mongo.transaction(reach(), (tx) => rooms.domains.insert(tx, prepared));
  const alpha = await aWorkspace(service, domain_id, 'alpha');
  const beta = await aWorkspace(service, domain_id, 'beta');
  return { domain_id, name, admin, alpha, beta };
}

/** Makes an enabled workspace and answers its id. */
export async function aWorkspace(service: Service, domain_id: string, name: string): Promise<string> {
  const workspace_id = newId('workspace');
  await service.app.rooms.models.workspaces.insert(reach(), {
    workspace_id,
    name,
    state: 'ENABLED',
    created_by: 'admin@example.com',
    is_managed: false,
    is_dormant: false,
    dormant_ttl: -1,
    user_count: 0,
    domain_id,
    created_at: service.clock.now(),
  });
  return workspace_id;
}

/** What a user made here may differ in. */
export type UserOptions = Partial<Omit<User, 'memberships'>> & {
  password?: string;
  /** Roles by workspace id. */
  roles?: Record<string, WorkspaceRoleType>;
};

/** Makes a user (ENABLED, LOCAL, address proven, password `PASSWORD`) with the given roles; answers the user id. */
export async function aUser(service: Service, tenant: Tenant, given: UserOptions = {}): Promise<string> {
  const { rooms } = service.app;
  const { password = PASSWORD, roles = {}, ...fields } = given;
  const { domain_id } = tenant;
  const user_id = fields.user_id ?? `user${++count}@example.com`;
  const now = service.clock.now();
  const memberships = Object.entries(roles).map(([workspace_id, role_type]): Membership => ({
    role_binding_id: newId('rb'),
    role_id: role_type === 'WORKSPACE_OWNER' ? 'managed-workspace-owner' : 'managed-workspace-member',
    role_type,
    workspace_id,
    created_at: now,
  }));
  const prepared = await rooms.accounts.prepare(
    reach(),
    domain_id,
    { user_id, auth_type: fields.auth_type ?? 'LOCAL', password },
    { role_type: 'USER', memberships },
  );
  const shown = {
    state: 'ENABLED' as const,
    email: user_id.includes('@') ? user_id : '',
    email_verified: true,
  };
  await rooms.mongo.transaction(reach(), async (tx) => {
    await rooms.models.users.insert(tx, { ...prepared.user, ...shown, ...fields, user_id, domain_id });
    for (const one of memberships) {
      await rooms.models.bindings.insert(tx, { ...one, domain_id, user_id, resource_group: 'WORKSPACE' });
      await rooms.models.workspaces.addUsers(tx, domain_id, one.workspace_id, 1);
    }
  });
  return user_id;
}

/** The id of a user in the IAM systems. */
export async function opaqueId(service: Service, { domain_id }: Tenant, user_id: string): Promise<string> {
  return (await service.app.rooms.models.users.get(reach(), { domain_id, user_id })).id;
}

/** Makes a role of the domain (WORKSPACE_MEMBER, ENABLED, without restriction) and answers its id. */
export async function aRole(service: Service, tenant: Tenant, given: Partial<Role> = {}): Promise<string> {
  const { rooms } = service.app;
  const now = service.clock.now();
  const role: Role = {
    role_id: newId('role'),
    name: `role-${++count}`,
    state: 'ENABLED',
    version: '1.0',
    role_type: 'WORKSPACE_MEMBER',
    permissions: [],
    is_managed: false,
    tags: {},
    domain_id: tenant.domain_id,
    created_at: now,
    updated_at: now,
    ...given,
  };
  await rooms.mongo.transaction(reach(), (tx) => rooms.models.roles.insert(tx, role));
  return role.role_id;
}

/**
 * Gives a user one more role in a workspace, or in all of them (`*`), as an import does; answers the binding as
 * it is stored with the user.
 */
export async function aBinding(
  service: Service,
  { domain_id }: Tenant,
  user_id: string,
  given: Pick<Membership, 'workspace_id' | 'role_type'> & Partial<Membership>,
): Promise<Membership> {
  const { rooms } = service.app;
  const { models } = rooms;
  const role_id =
    given.role_type === 'WORKSPACE_OWNER' ? 'managed-workspace-owner' : 'managed-workspace-member';
  const one = { role_binding_id: newId('rb'), role_id, created_at: service.clock.now(), ...given };
  await rooms.mongo.transaction(reach(), async (tx) => {
    const user = await models.users.update(tx, { domain_id, user_id }, { $push: { memberships: one } });
    await models.bindings.insert(tx, { ...one, domain_id, user_id, resource_group: 'WORKSPACE' });
    const first = user!.memberships.filter((held) => held.workspace_id === one.workspace_id).length === 1;
    if (first && one.workspace_id !== '*')
      await models.workspaces.addUsers(tx, domain_id, one.workspace_id, 1);
    if (first && one.workspace_id === '*') {
      await rooms.mongo.connection
        .collection('domain')
        .updateOne({ domain_id }, { $inc: { wildcard_members: 1 } }, { session: tx.session });
    }
  });
  return one;
}

/** Signs in over the wire and answers both tokens. */
export async function signIn(
  service: Service,
  tenant: Tenant,
  user_id: string,
  password = PASSWORD,
): Promise<{ access_token: string; refresh_token: string }> {
  return service.call('Token.issue', {
    credentials: { user_id, password },
    auth_type: 'LOCAL',
    domain_id: tenant.domain_id,
  });
}

/** A token of the given scope for a user, got over the wire. */
export async function tokenOf(
  service: Service,
  tenant: Tenant,
  user_id: string,
  scope: 'USER' | 'DOMAIN' | 'WORKSPACE' | 'SYSTEM' = 'USER',
  workspace_id?: string,
): Promise<string> {
  const { refresh_token } = await signIn(service, tenant, user_id);
  const request = {
    grant_type: 'REFRESH_TOKEN',
    token: refresh_token,
    scope,
    ...(workspace_id ? { workspace_id } : {}),
  };
  return (await service.call('Token.grant', request)).access_token;
}
