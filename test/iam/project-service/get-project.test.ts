import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBinding, aRole, aUser, aWorkspace, signIn, tokenOf } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import type { Directory } from '../directory.js';
import { PUBLIC_URL, setWorkspaceState, startDirectory } from '../directory.js';
import { byName, iamToken, withPassword } from '../tokens.js';

const UNKNOWN = 'workspace-000000000000';
let directory: Directory;
let deleted: string;

beforeAll(async () => {
  directory = await startDirectory();
  const { service, tenant } = directory;
  deleted = await aWorkspace(service, tenant.domain_id, 'deleted');
  await setWorkspaceState(directory, deleted, 'DELETED');
});
afterAll(() => directory.service.close());

const get = (project_id: string, token?: string | null) =>
  directory.call('ProjectService.GetProject', { project_id }, token);

describe('ProjectService.GetProject', () => {
  it('shows an administrator every project of the domain, and the system all', async () => {
    const { service, tenant, admin, systemAdmin, systemToken } = directory;
    const forDomain = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    const request = withPassword(byName(tenant, tenant.admin), { project: { id: tenant.alpha } });
    const inProject = await iamToken(service, request);
    for (const token of [admin, forDomain, inProject, systemAdmin, systemToken])
      expect(await get(tenant.beta, token)).toEqual({
        project: {
          id: tenant.beta,
          name: 'beta',
          domain_id: tenant.domain_id,
          enabled: true,
          parent_id: tenant.domain_id,
          options: {},
          links: { self: `${PUBLIC_URL}/v3/projects/${tenant.beta}` },
        },
      });
  });

  it('shows others those that they have a role in', async () => {
    const { service, tenant, member, ownAccount, memberId } = directory;
    const inWorkspace = await tokenOf(service, tenant, memberId, 'WORKSPACE', tenant.alpha);
    for (const token of [member, ownAccount, inWorkspace])
      expect((await get(tenant.alpha, token)).project.name).toBe('alpha');
    const everywhere = await aUser(service, tenant);
    await aBinding(service, tenant, everywhere, { workspace_id: '*', role_type: 'WORKSPACE_MEMBER' });
    const { access_token } = await signIn(service, tenant, everywhere);
    for (const id of [tenant.alpha, tenant.beta]) expect((await get(id, access_token)).project.id).toBe(id);
  });

  it('shows the one of the token to an administrator who is there for one purpose', async () => {
    const { service, tenant } = directory;
    const token = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.alpha);
    expect((await get(tenant.alpha, token)).project.id).toBe(tenant.alpha);
    expect((await refusal(get(tenant.beta, token))).code).toBe(status.PERMISSION_DENIED);
  });

  it('shows one that is disabled as not enabled', async () => {
    const { service, tenant, admin } = directory;
    const id = await aWorkspace(service, tenant.domain_id, 'disabled');
    const user_id = await aUser(service, tenant, { roles: { [id]: 'WORKSPACE_OWNER' } });
    const { access_token: owner } = await signIn(service, tenant, user_id);
    await setWorkspaceState(directory, id, 'DISABLED');
    for (const token of [admin, owner]) {
      const { project } = await get(id, token);
      expect(project).toMatchObject({ id, name: 'disabled' });
      expect(project).not.toHaveProperty('enabled');
    }
  });

  it('finds none that is unknown, deleted or, for an administrator, of another domain', async () => {
    const { tenant, other, systemAdmin } = directory;
    for (const [id, token] of [
      [UNKNOWN, undefined],
      [deleted, undefined],
      [other.alpha, undefined],
      [tenant.domain_id, undefined],
      ['alpha', undefined],
      ['*', undefined],
      [UNKNOWN, systemAdmin],
      [deleted, systemAdmin],
    ] as const) {
      const { code, text } = await refusal(get(id, token));
      expect(code).toBe(status.NOT_FOUND);
      expect(text).toBe(`Could not find project: ${id}.`);
    }
  });

  it('tells others nothing: one without a role is refused like one that there is not', async () => {
    const { tenant, other, member } = directory;
    for (const id of [tenant.beta, other.alpha, deleted, UNKNOWN, '*']) {
      const { code, text } = await refusal(get(id, member));
      expect(code).toBe(status.PERMISSION_DENIED);
      expect(text).toBe('You are not authorized to perform the requested action: identity:get_project.');
    }
  });

  it('is bounded by the permissions of a role', async () => {
    const { service, tenant } = directory;
    const allowed = async (...permissions: string[]) => {
      const role_id = await aRole(service, tenant, { role_type: 'DOMAIN_ADMIN', permissions });
      const user_id = await aUser(service, tenant, { role_type: 'DOMAIN_ADMIN', role_id });
      return get(tenant.beta, await tokenOf(service, tenant, user_id, 'DOMAIN'));
    };
    expect((await allowed('identity:Workspace.read')).project.id).toBe(tenant.beta);
    for (const permissions of [['identity:User', 'identity:UserProfile'], ['identity:WorkspaceUser']])
      expect((await refusal(allowed(...permissions))).code).toBe(status.PERMISSION_DENIED);
  });

  it('needs an id and a token', async () => {
    expect((await refusal(get(''))).text).toBe("'project_id' is a required property");
    expect((await refusal(get(directory.tenant.alpha, null))).code).toBe(status.UNAUTHENTICATED);
  });
});
