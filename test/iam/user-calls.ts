import type { Metadata } from '@grpc/grpc-js';
import { aTenant, signIn } from '../fixtures.js';
import type { Tenant } from '../fixtures.js';
import { startService } from '../harness.js';
import type { Service } from '../harness.js';
import type { Answer } from '../wire-client.js';

/** Links of answers begin with it. */
export const PUBLIC_URL = 'https://identity.example.com';

/** The service with a domain, and the calls of iam.v3.UserService by its administrator unless another token is given. */
export interface UserCalls {
  service: Service;
  tenant: Tenant;
  /** Token of the administrator's sign-in. */
  admin: string;
  create(user: object | undefined, token?: string | null): Promise<Answer>;
  get(user_id: string, token?: string | null): Promise<Answer>;
  list(request?: object, token?: string | null): Promise<Answer>;
  update(user_id: string, user: object | undefined, token?: string | null): Promise<Answer>;
  remove(user_id: string, token?: string | null): Promise<Answer>;
  changePassword(user_id: string, user: object | undefined, token?: string | null): Promise<Answer>;
}

/** Starts a service; `null` as a token is none at all. */
export async function startUserCalls(settings: Record<string, string> = {}): Promise<UserCalls> {
  const service = await startService({ PUBLIC_URL, USER_CACHE_MS: '0', DOMAIN_CACHE_MS: '0', ...settings });
  const tenant = await aTenant(service);
  const { access_token: admin } = await signIn(service, tenant, tenant.admin);
  const call = (method: string, request: object, token: string | null = admin) =>
    service.call(`iam.v3.UserService.${method}`, request, token ?? undefined);
  const body = (user: object | undefined) => (user ? { body: { user } } : {});
  return {
    service,
    tenant,
    admin,
    create: async (user, token) => (await call('CreateUser', user ? { user } : {}, token)).user,
    get: async (user_id, token) => (await call('GetUser', { user_id }, token)).user,
    list: (request = {}, token) => call('ListUsers', request, token),
    update: async (user_id, user, token) =>
      (await call('UpdateUser', { user_id, ...body(user) }, token)).user,
    remove: (user_id, token) => call('DeleteUser', { user_id }, token),
    changePassword: (user_id, user, token) => call('ChangePassword', { user_id, ...body(user) }, token),
  };
}

/** The calls of iam.v3.OsUserService, by the same administrator unless another token is given. */
export interface DetailCalls {
  show(user_id: string, token?: string | null): Promise<Answer>;
  create(user: object | undefined, token?: string | null): Promise<Answer>;
  update(user_id: string, user: object | undefined, token?: string | null): Promise<Answer>;
}

/** Calls the same service in the words of OS-USER. */
export function detailCalls({ service, admin }: UserCalls): DetailCalls {
  const call = async (method: string, request: object, token: string | null = admin) =>
    (await service.call(`iam.v3.OsUserService.${method}`, request, token ?? undefined)).user;
  return {
    show: (user_id, token) => call('ShowUser', { user_id }, token),
    create: (user, token) => call('CreateUser', user ? { user } : {}, token),
    update: (user_id, user, token) =>
      call('UpdateUser', { user_id, ...(user ? { body: { user } } : {}) }, token),
  };
}

/** What OS-USER says over HTTP to a refusal: its status and code. */
export function edgeOf({ metadata }: { metadata: Metadata }): { status: string; code: string } {
  const [status, code] = ['edge-status', 'edge-code'].map((name) => String(metadata.get(name)[0] ?? ''));
  return { status: status!, code: code! };
}
