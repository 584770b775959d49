import type { Domain as DomainMessage, Project } from '../../gen/iam/v3/auth.js';
import type { Links } from '../../gen/iam/v3/links.js';
import type { User as UserMessage } from '../../gen/iam/v3/user.js';
import type { UserPage } from '../../models/user-pages.js';
import { MAX_PAGE } from '../../managers/managed-users.js';
import type { PasswordPolicy } from '../../managers/password-policy.js';
import type { Domain } from '../../models/domain.js';
import type { User } from '../../models/user.js';
import type { Workspace } from '../../models/workspace.js';
import type { Addresses } from './addresses.js';
import { userTime } from './times.js';

/** A user as OpenStack Identity shows one. */
export function toUser(user: User, policy: PasswordPolicy, addresses: Addresses): UserMessage {
  const { description = '' } = user;
  return {
    id: user.id,
    name: user.username,
    domain_id: user.domain_id,
    enabled: user.state !== 'DISABLED',
    description,
    decription: description,
    email: user.email || undefined,
    default_project_id: user.default_project_id,
    password_expires_at: userTime(policy.expiry(user), addresses.expiryWithZ),
    options: {},
    links: { self: `${addresses.publicUrl}/v3/users/${user.id}` },
  };
}

/** A domain that can be signed in for. */
export function toDomain({ domain_id: id, name }: Domain, { publicUrl }: Addresses): DomainMessage {
  return { id, name, enabled: true, description: '', links: { self: `${publicUrl}/v3/domains/${id}` } };
}

/** A workspace that can be signed in for, as the project that it is there. */
export function toProject(
  { workspace_id: id, name, domain_id }: Workspace,
  { publicUrl }: Addresses,
): Project {
  return {
    id,
    name,
    domain_id,
    enabled: true,
    description: '',
    parent_id: domain_id,
    is_domain: false,
    links: { self: `${publicUrl}/v3/projects/${id}` },
  };
}

/** What a list of users is asked for. */
interface UserQuery {
  domain_id?: string;
  name?: string;
  enabled?: boolean;
  limit?: number;
  marker?: string;
}

/** Addresses of a page of users and of the next one. */
export function pageLinks(
  { publicUrl }: Addresses,
  asked: UserQuery,
  page: UserPage,
): Omit<Links, 'next'> & { next: string | null } {
  const address = (query: UserQuery) => {
    // Not URLSearchParams: its `+` for a blank is not read as one everywhere.
    const parameters = Object.entries(query)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`);
    return [`${publicUrl}/v3/users`, ...(parameters.length > 0 ? [parameters.join('&')] : [])].join('?');
  };
  const { limit = MAX_PAGE } = asked;
  const following = { ...asked, limit: Math.min(limit, MAX_PAGE), marker: page.next };
  return { self: address(asked), previous: null, next: page.next ? address(following) : null };
}
