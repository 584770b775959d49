import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { startService } from '../../harness.js';
import { initialise } from '../../system.js';
import type { Answer } from '../../wire-client.js';
import { ask, byName, iamToken, withPassword } from '../tokens.js';

/** Links of answers begin with it. */
export const PUBLIC_URL = 'https://iam.example.com';

/** A service with everybody who may ask for what a token reaches, by their tokens. */
export interface Lists {
  service: Service;
  tenant: Tenant;
  /** Administrator of the tenant. */
  admin: string;
  /** Has a role in the workspace beta alone. */
  member: string;
  systemAdmin: string;
  systemToken: string;
  /** Calls a method of iam.v3.AuthService that lists. */
  list: (method: string, token: string) => Promise<Answer>;
}

/** Starts the service and signs everybody in. */
export async function startLists(): Promise<Lists> {
  const service = await startService({ PUBLIC_URL, REGION: 'eu-de' });
  const system = await initialise(service);
  const tenant = await aTenant(service);
  const { access_token: admin } = await signIn(service, tenant, tenant.admin);
  const user = await aUser(service, tenant, { roles: { [tenant.beta]: 'WORKSPACE_MEMBER' } });
  const member = await iamToken(service, withPassword(byName(tenant, user)));
  const list = async (method: string, token: string) =>
    (await ask(service, method, {}, { 'x-auth-token': token })).body;
  return { service, tenant, admin, member, ...system, list };
}

/** The links of a list at `/v3/auth/<path>`, which is all on one page. */
export function linksOf(path: string): object {
  return { self: `${PUBLIC_URL}/v3/auth/${path}`, previous: null, next: null };
}
