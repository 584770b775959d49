import type { Tenant } from '../fixtures.js';
import { aTenant, aUser, signIn, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import { initialise } from '../system.js';
import type { Answer } from '../wire-client.js';

/** Links of answers begin with it. */
export const PUBLIC_URL = 'https://identity.example.com';

/** A service with two domains, and those who ask for domains and projects there, by their tokens. */
export interface Directory {
  service: Service;
  tenant: Tenant;
  /** A domain that nobody of these is in. */
  other: Tenant;
  /** Administrator of the tenant, signed in. */
  admin: string;
  /** Has a role in the workspace alpha alone; signed in. */
  member: string;
  memberId: string;
  /** The member again, for the own account alone. */
  ownAccount: string;
  systemAdmin: string;
  systemToken: string;
  /** Calls a method of iam.v3, `DomainService.GetDomain`, by the administrator unless another token is given. */
  call(method: string, request?: object, token?: string | null): Promise<Answer>;
}

/** Starts the service and signs everybody in; `null` as a token is none at all. */
export async function startDirectory(): Promise<Directory> {
  const service = await startService({ PUBLIC_URL, USER_CACHE_MS: '0', DOMAIN_CACHE_MS: '0' });
  const system = await initialise(service);
  const tenant = await aTenant(service);
  const other = await aTenant(service);
  const { access_token: admin } = await signIn(service, tenant, tenant.admin);
  const memberId = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
  const { access_token: member } = await signIn(service, tenant, memberId);
  return {
    service,
    tenant,
    other,
    admin,
    member,
    memberId,
    ownAccount: await tokenOf(service, tenant, memberId),
    ...system,
    call: (method, request = {}, token = admin) =>
      service.call(`iam.v3.${method}`, request, token ?? undefined),
  };
}

/** Puts a workspace into a state, which no call does. */
export async function setWorkspaceState(
  { service }: Directory,
  workspace_id: string,
  state: 'ENABLED' | 'DISABLED' | 'DELETED',
): Promise<void> {
  const workspaces = service.app.rooms.mongo.connection.collection('workspace');
  await workspaces.updateOne({ workspace_id }, { $set: { state } });
}

/** Follows `next` from page to page as a client does; answers the ids of each. */
export async function walk(
  list: (request: object) => Promise<Answer>,
  key: string,
  request: object,
): Promise<string[][]> {
  const pages = [];
  for (let asked = request; ;) {
    const { [key]: rows = [], links, next } = await list(asked);
    pages.push((rows as { id: string }[]).map(({ id }) => id));
    if (!links.next) return pages;
    if (next !== links.next) throw new Error(`next is ${String(next)}, links.next is ${String(links.next)}`);
    asked = Object.fromEntries(new URL(links.next as string).searchParams);
  }
}
