const everybody = ['SYSTEM_ADMIN', 'DOMAIN_ADMIN', 'WORKSPACE_OWNER', 'WORKSPACE_MEMBER', 'USER'] as const;

/**
 * Calls open to every role type. Whether somebody may do it with a certain user is decided in
 * managers/administration.ts; the permissions are those that narrow a token.
 */
export const anyUser = {
  read: {
    roleTypes: everybody,
    permissions: ['identity:UserProfile.read', 'identity:User.read'],
    onlyReads: true,
  },
  write: { roleTypes: everybody, permissions: ['identity:UserProfile.write', 'identity:User.write'] },
} as const;

/** Facts about the own domain and projects are the caller's own; about others, those of an administrator. */
export const readsDomains = {
  roleTypes: everybody,
  permissions: ['identity:UserProfile.read', 'identity:Domain.read'],
  onlyReads: true,
} as const;
export const readsProjects = {
  roleTypes: everybody,
  permissions: ['identity:UserProfile.read', 'identity:Workspace.read'],
  onlyReads: true,
} as const;
