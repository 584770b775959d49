import type { Domain as DomainMessage } from '../../gen/iam/v3/domain.js';
import type { Project } from '../../gen/iam/v3/project.js';
import type { User as UserMessage } from '../../gen/iam/v3/user.js';
import type { PasswordPolicy } from '../../managers/password-policy.js';
import type { Domain } from '../../models/domain.js';
import type { ListedUser } from '../../models/user-pages.js';
import type { Workspace } from '../../models/workspace.js';
import type { Addresses } from './addresses.js';
import { userTime } from './times.js';

/** A user as OpenStack Identity shows one. */
export function toUser(user: ListedUser, policy: PasswordPolicy, addresses: Addresses): UserMessage {
  const { description = '' } = user;
  const email = user.email ? { email: user.email } : {};
  return {
    id: user.id,
    name: user.username,
    domain_id: user.domain_id,
    enabled: user.state !== 'DISABLED',
    description,
    decription: description,
    ...email,
    default_project_id: user.default_project_id,
    password_expires_at: userTime(policy.expiry(user), addresses.expiryWithZ),
    options: {},
    // Some clients take every member that they do not know for one of these.
    extra: email,
    links: { self: `${addresses.publicUrl}/v3/users/${user.id}` },
  };
}

/** A domain as OpenStack Identity shows one. */
export function toDomain({ domain_id: id, name, state }: Domain, { publicUrl }: Addresses): DomainMessage {
  return {
    id,
    name,
    enabled: state === 'ENABLED',
    description: '',
    tags: [],
    options: {},
    links: { self: `${publicUrl}/v3/domains/${id}` },
  };
}

/** A workspace as the project that it is there. */
export function toProject(
  { workspace_id: id, name, state, domain_id }: Workspace,
  { publicUrl }: Addresses,
): Project {
  return {
    id,
    name,
    domain_id,
    enabled: state === 'ENABLED',
    description: '',
    parent_id: domain_id,
    is_domain: false,
    tags: [],
    options: {},
    links: { self: `${publicUrl}/v3/projects/${id}` },
  };
}
