import { existsSync, readFileSync } from 'node:fs';
import { Server, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServerInfoService } from '../../src/gen/spaceone/api/core/v1/server_info.js';
import { serverInfoMethods } from '../../src/handlers/system.js';
import { renderEnvoy } from '../../scripts/render-envoy.mjs';
import { bind } from '../../src/rpc/bind.js';
import type { Pipeline } from '../../src/rpc/bind.js';
import { PASSWORD, aBinding, aRole, aTenant, aUser, signIn, tokenOf } from '../fixtures.js';
import type { Tenant } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import { declaredMethods } from '../wire-client.js';

/**
 * What becomes of a call by each kind of caller, in the order of `kinds`:
 * `+` it reaches the method, `-` PERMISSION_DENIED, `0` UNAUTHENTICATED,
 * `d` and `u`: a domain or a user would have to be named, which no caller can (contract/behaviour.md 1.5).
 */
const kinds = [
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
] as const;
type Kind = (typeof kinds)[number];

const OPEN = '+ + + + + + + + + + +';
const OWN_READ = '0 0 + + + + d u + - -';
const OWN_WRITE = '0 0 + + + + d u - + -';
const WORKSPACE_READ = '0 0 - + + + - + + - -';
const DOMAINS = '0 0 - - - - + + - - -';

const expected: Record<string, string> = {
  'System.init': OPEN,
  'Domain.create': DOMAINS,
  'Domain.update': DOMAINS,
  'Domain.delete': DOMAINS,
  'Domain.enable': DOMAINS,
  'Domain.disable': DOMAINS,
  'Domain.get': DOMAINS,
  'Domain.get_auth_info': OPEN,
  'Domain.get_public_key': OPEN,
  'Domain.list': DOMAINS,
  'Domain.stat': DOMAINS,
  'Token.issue': OPEN,
  'Token.grant': OPEN,
  'UserProfile.update': OWN_WRITE,
  'UserProfile.update_password': OWN_WRITE,
  'UserProfile.verify_email': OWN_WRITE,
  'UserProfile.confirm_email': OWN_WRITE,
  'UserProfile.reset_password': OPEN,
  'UserProfile.enable_mfa': OWN_WRITE,
  'UserProfile.disable_mfa': OWN_WRITE,
  'UserProfile.confirm_mfa': OWN_WRITE,
  'UserProfile.get': OWN_READ,
  'UserProfile.get_workspaces': OWN_READ,
  'UserProfile.get_workspace_groups': OWN_READ,
  'WorkspaceUser.create': '0 0 - - + - - + - - -',
  'WorkspaceUser.get': WORKSPACE_READ,
  // Either permission opens it (D-39).
  'WorkspaceUser.find': '0 0 - + + + - + + + -',
  'WorkspaceUser.list': WORKSPACE_READ,
  'WorkspaceUser.stat': WORKSPACE_READ,
};

const permissions: Partial<Record<Kind, string[]>> = {
  reader: ['identity:UserProfile.read', 'identity:WorkspaceUser.read'],
  writer: ['identity:UserProfile.write', 'identity:WorkspaceUser.write'],
  // A prefix that ends inside a word opens nothing (D-15).
  stranger: ['identity:User', 'identity:Workspace', 'inventory:*'],
};

let service: Service;
let tenant: Tenant;
const tokens = new Map<Kind, string | undefined>();

beforeAll(async () => {
  service = await startService();
  const admin = { user_id: 'root@example.com', name: 'Root', password: PASSWORD };
  const { domain_id, system_token } = await service.call('System.init', { admin });
  tenant = await aTenant(service);
  const root = { ...tenant, domain_id };
  const someone = await aUser(service, tenant);
  tokens.set('nobody', undefined);
  tokens.set('refresh token', (await signIn(service, tenant, someone)).refresh_token);
  tokens.set('USER', await tokenOf(service, tenant, someone));
  tokens.set('DOMAIN_ADMIN', await tokenOf(service, tenant, tenant.admin, 'DOMAIN'));
  tokens.set('SYSTEM_ADMIN', await tokenOf(service, root, admin.user_id, 'SYSTEM'));
  tokens.set('system token', system_token);
  for (const role_type of ['WORKSPACE_MEMBER', 'WORKSPACE_OWNER'] as const) {
    const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: role_type } });
    tokens.set(role_type, await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha));
  }
  for (const kind of ['reader', 'writer', 'stranger'] as const) tokens.set(kind, await limited(kind));
});
afterAll(() => service.close());

async function limited(kind: Kind): Promise<string> {
  const role_id = await aRole(service, tenant, { permissions: permissions[kind]! });
  const user_id = await aUser(service, tenant);
  const role = { workspace_id: tenant.alpha, role_type: 'WORKSPACE_MEMBER', role_id } as const;
  await aBinding(service, tenant, user_id, role);
  return tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
}

/** What became of an empty request. */
async function outcome(method: string, kind: Kind): Promise<string> {
  const error = await service.call(method, {}, tokens.get(kind)).then(
    () => undefined,
    (cause: ServiceError) => cause,
  );
  if (!error) return '+';
  // A method that nobody serves is answered without a reason of ours.
  expect(error.details, `${method} as ${kind}`).toMatch(/^ERROR_[A-Z_]+: /);
  expect(error.details, `${method} as ${kind}`).not.toMatch(/^ERROR_UNKNOWN/);
  if (error.code === status.UNAUTHENTICATED) return '0';
  if (error.code === status.PERMISSION_DENIED) return '-';
  if (method.startsWith('UserProfile.') && error.details.includes('(key = domain_id)')) return 'd';
  if (method.startsWith('UserProfile.') && error.details.includes('(key = user_id)')) return 'u';
  return '+';
}

const kebab = (name: string) => name.replace(/(?<=[a-z])(?=[A-Z])|_/g, '-').toLowerCase();

describe('access', () => {
  it('is expected here for exactly the methods that are declared', () => {
    expect(Object.keys(expected).sort()).toEqual(declaredMethods().sort());
  });

  it.each(Object.keys(expected))('to %s is what the table says for every kind of caller', async (method) => {
    // Open to everybody, and named by the request: an empty one is refused for what it does not name.
    const open = expected[method] === OPEN;
    const seen = [];
    for (const kind of kinds) {
      const one = await outcome(method, kind);
      seen.push(open && /[du]/.test(one) ? '+' : one);
    }
    expect(seen.join(' ')).toBe(expected[method]);
  });

  it('has to be declared: the service does not start with a method that says nothing about it', () => {
    const { access: _access, ...silent } = serverInfoMethods('1').getVersion;
    const methods = { getVersion: silent } as unknown as ReturnType<typeof serverInfoMethods>;
    expect(() => bind(new Server(), ServerInfoService, methods, {} as Pipeline)).toThrow(
      '/spaceone.api.core.v1.ServerInfo/get_version declares no access',
    );
  });
});

describe('every declared method', () => {
  it('has a file of tests of its own', () => {
    const missing = declaredMethods()
      .map((method) => method.split('.').map(kebab).join('/'))
      .filter((path) => !existsSync(new URL(`../rpc/${path}.test.ts`, import.meta.url)));
    expect(missing).toEqual([]);
  });

  it('has a path of the REST edge where the contract has one', () => {
    const table = readFileSync(new URL('wire.tsv', import.meta.url), 'utf8').split('\n');
    const paths = table
      .map((line) => line.split('\t'))
      .filter(([kind, owner, name]) => kind === 'rpc' && `${owner?.split('.').at(-1)}.${name}` in expected)
      .flatMap(([, , , , , , http = '-']) => (http === '-' ? [] : [http.split(' ')[1]!]));
    expect(paths).toHaveLength(26);
    const edge = renderEnvoy({});
    expect(paths.filter((path) => !edge.includes(`[\\"${path}\\"] = \\"POST\\"`))).toEqual([]);
  });
});
