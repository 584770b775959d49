import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aBinding, aRole, aUser, aWorkspace, opaqueId, signIn } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import { ROOT_ADMIN } from '../../system.js';
import type { Directory } from '../directory.js';
import { PUBLIC_URL, setWorkspaceState, startDirectory, walk } from '../directory.js';
import { ask } from '../tokens.js';

let directory: Directory;
/** Somebody with a role in four workspaces; one of them is disabled, one deleted. */
let user_id: string;
let enabled: string[];
let disabled: string;

beforeAll(async () => {
  directory = await startDirectory();
  const { service, tenant } = directory;
  const made = [];
  for (const name of ['one', 'two', 'three', 'four', 'five'])
    made.push(await aWorkspace(service, tenant.domain_id, name));
  user_id = await aUser(service, tenant, {
    roles: Object.fromEntries(made.map((id) => [id, 'WORKSPACE_MEMBER'])),
  });
  disabled = made[0]!;
  await setWorkspaceState(directory, disabled, 'DISABLED');
  await setWorkspaceState(directory, made[1]!, 'DELETED');
  enabled = made.slice(2).sort();
});
afterAll(() => directory.service.close());

const list = (request: object, token?: string | null) =>
  directory.call('ProjectService.ListUserProjects', request, token);
const ids = async (request: object, token?: string) =>
  ((await list(request, token)).projects ?? []).map(({ id }: { id: string }) => id);

describe('ProjectService.ListUserProjects', () => {
  it('lists the enabled projects that somebody has a role in, to them and to administrators', async () => {
    const { service, tenant, admin, systemAdmin, systemToken } = directory;
    const id = await opaqueId(service, tenant, user_id);
    const { access_token: own } = await signIn(service, tenant, user_id);
    for (const token of [own, admin, systemAdmin, systemToken])
      expect(await ids({ user_id: id }, token)).toEqual(enabled);
    const { projects, links } = await list({ user_id }, own);
    expect(links).toEqual({ self: `${PUBLIC_URL}/v3/users/${id}/projects`, previous: null, next: null });
    expect(projects[0]).toMatchObject({ id: enabled[0], domain_id: tenant.domain_id, enabled: true });
  });

  it('lists what the user can sign in for', async () => {
    const { service, tenant } = directory;
    const everywhere = await aUser(service, tenant);
    await aBinding(service, tenant, everywhere, { workspace_id: '*', role_type: 'WORKSPACE_MEMBER' });
    for (const one of [user_id, everywhere, tenant.admin, await aUser(service, tenant)]) {
      const { access_token } = await signIn(service, tenant, one);
      const offered = await ask(service, 'ListProjects', {}, { 'x-auth-token': access_token });
      const projects = (offered.body.projects ?? []) as { id: string }[];
      expect(await ids({ user_id: one })).toEqual(projects.map(({ id }) => id).sort());
    }
  });

  it('goes from page to page by next', async () => {
    const { service, tenant } = directory;
    const id = await opaqueId(service, tenant, user_id);
    const pages = await walk((request) => list({ ...request, user_id: id }), 'projects', { limit: 2 });
    expect(pages).toEqual([enabled.slice(0, 2), enabled.slice(2)]);
    const { links } = await list({ user_id: id, limit: 2 });
    const address = `${PUBLIC_URL}/v3/users/${id}/projects?limit=2`;
    expect(links).toMatchObject({ self: address, next: `${address}&marker=${enabled[1]}` });
    expect(await ids({ user_id, marker: disabled })).toEqual(enabled.filter((one) => one > disabled));
  });

  it('finds one by its exact name', async () => {
    const [one] = (await list({ user_id, name: 'three' })).projects;
    expect(one).toMatchObject({ name: 'three' });
    expect(enabled).toContain(one.id);
    for (const name of ['Three', 'alpha', 'one', 'two']) expect(await ids({ user_id, name })).toEqual([]);
  });

  it('lists none for an administrator of the root domain', async () => {
    const { systemAdmin } = directory;
    expect(await list({ user_id: ROOT_ADMIN.user_id }, systemAdmin)).not.toHaveProperty('projects');
  });

  it('knows nobody whom the caller does not administer', async () => {
    const { service, other, member } = directory;
    const others = await opaqueId(service, other, other.admin);
    const unknown = await refusal(list({ user_id: others }));
    expect(unknown).toMatchObject({ code: status.NOT_FOUND, text: `Could not find user: ${others}.` });
    expect((await refusal(list({ user_id: 'nobody' }))).code).toBe(status.NOT_FOUND);
    for (const one of [user_id, others, 'nobody'])
      expect(await refusal(list({ user_id: one }, member))).toMatchObject({
        code: status.PERMISSION_DENIED,
        text: 'You are not authorized to perform the requested action: identity:list_user_projects.',
      });
  });

  it('tells nobody which projects there are beside the own ones', async () => {
    const { service, tenant, member, memberId, admin } = directory;
    for (const marker of [tenant.beta, 'workspace-000000000000']) {
      const refused = await refusal(list({ user_id: memberId, marker }, member));
      expect(refused.text).toBe("Invalid input for field 'marker': is the id of no project of this list");
    }
    const role_id = await aRole(service, tenant, {
      role_type: 'DOMAIN_ADMIN',
      permissions: ['identity:User.read', 'identity:UserProfile'],
    });
    const narrow = await aUser(service, tenant, { role_type: 'DOMAIN_ADMIN', role_id });
    const { access_token } = await signIn(service, tenant, narrow);
    expect((await refusal(list({ user_id: memberId }, access_token))).code).toBe(status.PERMISSION_DENIED);
    expect(await ids({ user_id: memberId }, admin)).toEqual([tenant.alpha]);
  });

  it.each([
    ['limit', { limit: -1 }],
    ['name', { name: 'x'.repeat(256) }],
    ['marker', { marker: 'nothing' }],
    ['marker', { marker: 'x'.repeat(65) }],
  ])('refuses a bad %s', async (field, request) => {
    const { code, text } = await refusal(list({ user_id, ...request }));
    expect(code).toBe(status.INVALID_ARGUMENT);
    expect(text).toContain(`Invalid input for field '${field}'`);
  });

  it('needs a user and a token', async () => {
    expect((await refusal(list({ user_id: '' }))).code).toBe(status.INVALID_ARGUMENT);
    expect((await refusal(list({ user_id }, null))).code).toBe(status.UNAUTHENTICATED);
  });
});
