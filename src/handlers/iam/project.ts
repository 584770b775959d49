import type { ProjectServiceService } from '../../gen/iam/v3/project.js';
import type { Administration } from '../../managers/administration.js';
import { READS_WORKSPACES } from '../../managers/workspace-directory.js';
import type { WorkspaceDirectory } from '../../managers/workspace-directory.js';
import type { Page } from '../../models/page.js';
import type { Workspace } from '../../models/workspace.js';
import type { Methods } from '../../rpc/call.js';
import * as field from '../../rpc/fields.js';
import { method } from '../../rpc/method.js';
import { readsProjects as access } from './access.js';
import type { Addresses } from './addresses.js';
import { pageFields, pageLinks } from './pages.js';
import { toProject } from './to-message.js';

const name = field.text(255);

/** Projects of OpenStack Identity, which are workspaces: /v3/projects (docs/iam-users.md). */
export function projectMethods(
  administration: Administration,
  workspaces: WorkspaceDirectory,
  addresses: Addresses,
): Methods<typeof ProjectServiceService> {
  const shown = (workspace: Workspace) => toProject(workspace, addresses);
  const answer = (path: string, asked: object, { rows, next }: Page<Workspace>) => ({
    projects: rows.map(shown),
    ...pageLinks(addresses, path, { ...asked }, next),
  });
  return {
    getProject: method(
      { access, fields: { project_id: field.ref } },
      async ({ project_id }, { reach, caller }) => ({
        project: shown(await workspaces.get(reach, caller, project_id)),
      }),
    ),
    listProjects: method(
      {
        access,
        fields: {
          domain_id: field.id.optional(),
          name: name.optional(),
          enabled: field.anyBoolean.optional(),
          parent_id: field.id.optional(),
          is_domain: field.anyBoolean.optional(),
          ...pageFields,
        },
      },
      async (asked, { reach, caller }) =>
        answer('projects', asked, await workspaces.list(reach, caller, asked, asked)),
    ),
    listUserProjects: method(
      { access, fields: { user_id: field.userRef, name: name.optional(), ...pageFields } },
      async ({ user_id, ...asked }, { reach, caller }) => {
        const user = await administration.visible(reach, caller, user_id, READS_WORKSPACES);
        const page = await workspaces.ofUser(reach, user, asked);
        return answer(`users/${user.id}/projects`, asked, page);
      },
    ),
  };
}
