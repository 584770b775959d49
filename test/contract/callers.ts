import { PASSWORD, aBinding, aRole, aTenant, aUser, signIn, tokenOf } from '../fixtures.js';
import type { Tenant } from '../fixtures.js';
import type { Service } from '../harness.js';

/** Every kind of caller that a method can have. */
export const kinds = [
  'nobody',
  'refresh token',
  'USER',
  'WORKSPACE_MEMBER',
  'WORKSPACE_OWNER',
  'DOMAIN_ADMIN',
  'SYSTEM_ADMIN',
  'system token',
  'reader',
  'writer',
  'stranger',
  'user, signed in',
  'admin, signed in',
] as const;
export type Kind = (typeof kinds)[number];

/** Somebody of a kind: the token, and whose it is. */
export interface Somebody {
  token?: string;
  /** Empty where the token is nobody's, as that of the system. */
  user_id: string;
}

const permissions = {
  reader: ['identity:UserProfile.read', 'identity:WorkspaceUser.read'],
  writer: ['identity:UserProfile.write', 'identity:WorkspaceUser.write'],
  // A prefix that ends inside a word opens nothing: not UserProfile, not WorkspaceUser (D-15).
  stranger: ['identity:User', 'identity:Workspace', 'inventory:*'],
};

/** One caller of each kind, all of one domain apart from those of the system. */
export async function oneOfEach(service: Service): Promise<Map<Kind, Somebody>> {
  const admin = { user_id: 'root@example.com', name: 'Root', password: PASSWORD };
  const { domain_id, system_token } = await service.call('System.init', { admin });
  const tenant = await aTenant(service);
  const root = { ...tenant, domain_id };
  const user_id = await aUser(service, tenant);
  const of = async (...asked: Parameters<typeof tokenOf>) => ({
    token: await tokenOf(...asked),
    user_id: asked[2],
  });
  const signedIn = await signIn(service, tenant, user_id);
  const callers = new Map<Kind, Somebody>([
    ['nobody', { user_id }],
    ['refresh token', { token: signedIn.refresh_token, user_id }],
    ['USER', await of(service, tenant, user_id)],
    ['DOMAIN_ADMIN', await of(service, tenant, tenant.admin, 'DOMAIN')],
    ['SYSTEM_ADMIN', await of(service, root, admin.user_id, 'SYSTEM')],
    ['system token', { token: system_token, user_id: '' }],
    ['user, signed in', { token: signedIn.access_token, user_id }],
    [
      'admin, signed in',
      { token: (await signIn(service, tenant, tenant.admin)).access_token, user_id: tenant.admin },
    ],
  ]);
  for (const role_type of ['WORKSPACE_MEMBER', 'WORKSPACE_OWNER'] as const) {
    const member = await aUser(service, tenant, { roles: { [tenant.alpha]: role_type } });
    callers.set(role_type, await of(service, tenant, member, 'WORKSPACE', tenant.alpha));
  }
  for (const kind of ['reader', 'writer', 'stranger'] as const)
    callers.set(kind, await limited(service, tenant, permissions[kind]));
  return callers;
}

async function limited(service: Service, tenant: Tenant, only: string[]): Promise<Somebody> {
  const role_id = await aRole(service, tenant, { permissions: only });
  const user_id = await aUser(service, tenant);
  const role = { workspace_id: tenant.alpha, role_type: 'WORKSPACE_MEMBER', role_id } as const;
  await aBinding(service, tenant, user_id, role);
  return { token: await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha), user_id };
}
