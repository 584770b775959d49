import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PASSWORD, aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Tenant } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';

const run = promisify(execFile);
const PACKAGE = 'spaceone.api.identity.v2';

let service: Service;
let tenant: Tenant;
let token: string;
let system_token: string;

beforeAll(async () => {
  service = await startService();
  const admin = { user_id: 'root@example.com', name: 'Root', password: PASSWORD };
  ({ system_token } = await service.call('System.init', { admin }));
  tenant = await aTenant(service);
  await aUser(service, tenant, { user_id: 'max@x.io', roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
  token = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.alpha);
});
afterAll(() => service.close());

/** Runs grpcurl, which knows nothing but what reflection tells it; options stand before the address. */
async function grpcurl(verb: string[], options: string[] = []): Promise<string> {
  const args = ['-plaintext', ...options, service.address, ...verb];
  return (await run(inject('tools').grpcurl, args)).stdout;
}

/** Requests take the names of the proto; grpcurl shows answers with those of JSON. */
const call = async (method: string, request: object, metadata: Record<string, string> = {}) => {
  const headers = Object.entries(metadata).flatMap(([key, value]) => ['-H', `${key}: ${value}`]);
  return JSON.parse(await grpcurl([`${PACKAGE}.${method}`], [...headers, '-d', JSON.stringify(request)]));
};

describe('grpcurl', () => {
  it('lists the services', async () => {
    expect((await grpcurl(['list'])).trim().split('\n')).toEqual([
      'audit.v1.AuditService',
      'csms.v1.UserService',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'iam.v3.AuthService',
      'iam.v3.DomainService',
      'iam.v3.OsUserService',
      'iam.v3.ProjectService',
      'iam.v3.UserService',
      'iam.v3.VersionService',
      'spaceone.api.core.v1.ServerInfo',
      `${PACKAGE}.Domain`,
      `${PACKAGE}.System`,
      `${PACKAGE}.Token`,
      `${PACKAGE}.UserProfile`,
      `${PACKAGE}.WorkspaceUser`,
    ]);
  });

  it('describes a service with its comments and paths, and its messages with theirs', async () => {
    const described = await grpcurl(['describe', `${PACKAGE}.WorkspaceUser`]);
    expect(described).toContain('// The users of a workspace:');
    expect(described).toContain('// Reads one user of the workspace.');
    expect(described).toContain(`rpc create ( .${PACKAGE}.CreateWorkspaceUserRequest )`);
    expect(described).toContain('post: "/identity/v2/workspace-user/create"');
    const message = await grpcurl(['describe', `${PACKAGE}.CreateWorkspaceUserRequest`]);
    expect(message).toContain(
      '// Role in the workspace, of type WORKSPACE_OWNER or WORKSPACE_MEMBER. Required.',
    );
    expect(message).toContain('string role_id = 10');
    expect(message).toContain('.google.protobuf.Struct tags = 8');
    expect(await grpcurl(['describe', `.${PACKAGE}.WorkspaceUsersInfo`])).toContain('int32 total_count = 2');
  });

  it('calls every service', async () => {
    const init = { admin: { user_id: 'x', name: 'x', password: PASSWORD } };
    await expect(call('System.init', init)).rejects.toThrow('ERROR_SYSTEM_ALREADY_INITIALIZED');
    const domain = await call('Domain.get', { domain_id: tenant.domain_id }, { token: system_token });
    expect(domain).toMatchObject({ domainId: tenant.domain_id, state: 'ENABLED' });
    const credentials = { user_id: tenant.admin, password: PASSWORD };
    const issued = await call('Token.issue', {
      credentials,
      auth_type: 'LOCAL',
      domain_id: tenant.domain_id,
    });
    expect(await call('UserProfile.get', {}, { token: issued.accessToken })).toMatchObject({
      userId: tenant.admin,
    });
    expect(await call('WorkspaceUser.list', {}, { authorization: `Bearer ${token}` })).toMatchObject({
      results: [{ userId: 'max@x.io' }],
      totalCount: 1,
    });
    expect(JSON.parse(await grpcurl(['spaceone.api.core.v1.ServerInfo.get_version']))).toHaveProperty(
      'version',
    );
    expect(JSON.parse(await grpcurl(['grpc.health.v1.Health.Check']))).toEqual({ status: 'SERVING' });
  });

  it('shows the details of a refusal', async () => {
    const refused = call('WorkspaceUser.get', { user_id: 'nobody' }, { token });
    await expect(refused).rejects.toMatchObject({
      stderr: expect.stringMatching(/Code: NotFound[^]*ERROR_NOT_FOUND: [^]*google\.rpc\.ErrorInfo/),
    });
  });
});
