import { existsSync, readFileSync } from 'node:fs';
import { Server, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServerInfoService } from '../../src/gen/spaceone/api/core/v1/server_info.js';
import { serverInfoMethods } from '../../src/handlers/system.js';
import { renderEnvoy } from '../../scripts/render-envoy.mjs';
import { bind } from '../../src/rpc/bind.js';
import type { Pipeline } from '../../src/rpc/bind.js';
import { errorDetail } from '../error-details.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { declaredMethods } from '../wire-client.js';
import type { Kind, Somebody } from './callers.js';
import { kinds, oneOfEach } from './callers.js';

/**
 * What becomes of a call by each kind of caller, in the order of `kinds`:
 * `+` it reaches the method, `-` PERMISSION_DENIED, `0` UNAUTHENTICATED,
 * `d` and `u`: a domain or a user would have to be named, which no caller can (contract/behaviour.md 1.5).
 */
const OPEN = '+ + + + + + + + + + + + +';
const OWN_READ = '0 0 + + + + d u + - - + +';
const OWN_WRITE = '0 0 + + + + d u - + - + +';
const WORKSPACE_READ = '0 0 - + + + - + + - - - -';
const DOMAINS = '0 0 - - - - + + - - - - -';
const AUDIT = '0 0 - - - + + + - - - - -';
/** Of the IAM systems: about somebody else, by whom they administer; the token of a sign-in has the account's rights. */
const ADMIN = '0 0 - - - + + + - - - - +';
/** Of the IAM systems: about another domain. */
const SYSTEM = '0 0 - - - - + + - - - - -';
/** About the caller's own account there. */
const ONESELF_READ = '0 0 + + + + + + + - + + +';
const ANY_TOKEN = '0 0 + + + + + + + + + + +';

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
  'WorkspaceUser.create': '0 0 - - + - - + - - - - -',
  'WorkspaceUser.get': WORKSPACE_READ,
  // Either permission opens it (D-39).
  'WorkspaceUser.find': '0 0 - + + + - + + + - - -',
  'WorkspaceUser.list': WORKSPACE_READ,
  'WorkspaceUser.stat': WORKSPACE_READ,
  'iam.v3.VersionService.ListVersions': OPEN,
  'iam.v3.VersionService.GetVersion': OPEN,
  'iam.v3.OsUserService.ShowUser': ADMIN,
  'iam.v3.OsUserService.CreateUser': ADMIN,
  'iam.v3.OsUserService.UpdateUser': ADMIN,
  'iam.v3.UserService.CreateUser': ADMIN,
  'iam.v3.UserService.GetUser': ADMIN,
  'iam.v3.UserService.ListUsers': ADMIN,
  'iam.v3.UserService.UpdateUser': ADMIN,
  'iam.v3.UserService.DeleteUser': ADMIN,
  // Of somebody else nobody.
  'iam.v3.UserService.ChangePassword': '0 0 - - - - - - - - - - -',
  'iam.v3.AuthService.CreateToken': OPEN,
  'iam.v3.AuthService.GetToken': ANY_TOKEN,
  'iam.v3.AuthService.RevokeToken': ANY_TOKEN,
  // With a scope: a workspace, the domain, the system.
  'iam.v3.AuthService.GetCatalog': '0 0 - + + + + + + + + - -',
  'iam.v3.AuthService.ListDomains': ONESELF_READ,
  'iam.v3.AuthService.ListProjects': ONESELF_READ,
  'iam.v3.DomainService.GetDomain': SYSTEM,
  'iam.v3.DomainService.ListDomains': ADMIN,
  'iam.v3.ProjectService.GetProject': ADMIN,
  'iam.v3.ProjectService.ListProjects': ADMIN,
  'iam.v3.ProjectService.ListUserProjects': ADMIN,
  'csms.v1.UserService.GetUser': ADMIN,
  'audit.v1.AuditService.ListRecords': AUDIT,
  'audit.v1.AuditService.StatRecords': AUDIT,
};

/** Those that everybody may call about themself, and what becomes of that. */
const expectedOfOneself: Record<string, string> = {
  'iam.v3.OsUserService.ShowUser': ONESELF_READ,
  'iam.v3.UserService.GetUser': ONESELF_READ,
  'iam.v3.ProjectService.ListUserProjects': ONESELF_READ,
  'csms.v1.UserService.GetUser': ONESELF_READ,
};

const NOBODY = '0'.repeat(32);
const PASSWORDS = { password: 'Ander5wort', original_password: 'Passw0rd!' };
/** What is sent where an empty message is refused before anybody asks who may do it. */
const requests: Record<string, object> = {
  'iam.v3.OsUserService.ShowUser': { user_id: NOBODY },
  'iam.v3.OsUserService.UpdateUser': { user_id: NOBODY, body: { user: { description: 'New' } } },
  'iam.v3.UserService.CreateUser': { user: { name: 'new-user' } },
  'iam.v3.UserService.GetUser': { user_id: NOBODY },
  'iam.v3.UserService.UpdateUser': { user_id: NOBODY, body: { user: { description: 'New' } } },
  'iam.v3.UserService.DeleteUser': { user_id: NOBODY },
  'iam.v3.UserService.ChangePassword': { user_id: NOBODY, body: { user: PASSWORDS } },
  'iam.v3.DomainService.GetDomain': { domain_id: 'domain-000000000000' },
  'iam.v3.ProjectService.GetProject': { project_id: 'workspace-000000000000' },
  'iam.v3.ProjectService.ListUserProjects': { user_id: NOBODY },
  'csms.v1.UserService.GetUser': { user_id: NOBODY },
};

let service: Service;
let callers: Map<Kind, Somebody>;

beforeAll(async () => {
  service = await startService();
  callers = await oneOfEach(service);
  const { token, user_id } = callers.get('admin, signed in')!;
  const { user } = await service.call('iam.v3.OsUserService.ShowUser', { user_id }, token);
  const { domain_id } = user;
  requests['iam.v3.OsUserService.CreateUser'] = { user: { name: 'new-user', domain_id } };
});
afterAll(() => service.close());

/** What became of a request. */
async function outcome(method: string, kind: Kind, request: object): Promise<string> {
  const answer = service.call(method, request, callers.get(kind)!.token);
  const refused = await refusal(answer).catch(() => undefined);
  if (!refused) return '+';
  const { code, text, metadata } = refused;
  // A method that nobody serves is answered without details of ours.
  expect(metadata.get('grpc-status-details-bin'), `${method} as ${kind}: ${text}`).toHaveLength(1);
  expect(errorDetail(refused, 'ErrorInfo').reason, `${method} as ${kind}`).not.toBe('ERROR_UNKNOWN');
  if (code === status.UNAUTHENTICATED) return '0';
  if (code === status.PERMISSION_DENIED) return '-';
  if (method.startsWith('UserProfile.') && text.includes('(key = domain_id)')) return 'd';
  if (method.startsWith('UserProfile.') && text.includes('(key = user_id)')) return 'u';
  return '+';
}

/** `iam.v3.UserService.GetUser` is tested in test/iam/user-service/get-user, `UserProfile.get` in test/rpc/user-profile/get. */
function testFile(method: string): string {
  const parts = method.split('.');
  const [folder] = parts.length === 2 ? ['rpc'] : parts;
  const kebab = (name: string) => name.replace(/(?<=[a-z])(?=[A-Z])|_/g, '-').toLowerCase();
  return `../${[folder!, ...parts.slice(-2).map(kebab)].join('/')}.test.ts`;
}

describe('access', () => {
  it('is expected here for exactly the methods that are declared', () => {
    expect(Object.keys(expected).sort()).toEqual(declaredMethods().sort());
  });

  it.each(Object.keys(expected))(
    'P14: to %s is what the table says for every kind of caller',
    async (method) => {
      // Open to everybody, and named by the request: an empty one is refused for what it does not name.
      const open = expected[method] === OPEN;
      const seen = [];
      for (const kind of kinds) {
        const one = await outcome(method, kind, requests[method] ?? {});
        seen.push(open && /[du]/.test(one) ? '+' : one);
      }
      expect(seen.join(' ')).toBe(expected[method]);
    },
  );

  it.each(Object.keys(expectedOfOneself))('to %s about oneself is what the table says', async (method) => {
    const seen = [];
    for (const kind of kinds) {
      const { user_id } = callers.get(kind)!;
      seen.push(await outcome(method, kind, { user_id: user_id || NOBODY }));
    }
    expect(seen.join(' ')).toBe(expectedOfOneself[method]);
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
    const missing = declaredMethods().filter(
      (method) => !existsSync(new URL(testFile(method), import.meta.url)),
    );
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
    expect(paths.filter((path) => !edge.includes(`[\\"${path}\\"] = { allow = \\"POST\\"`))).toEqual([]);
  });
});
