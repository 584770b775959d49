/** A request as the documentation of the API prints it. */
export interface DocumentedRequest {
  /** Service and method, for gRPC. */
  method: string;
  /** Path for POST, for REST. */
  path: string;
  /** The JSON that is printed; where none is, the message that the listed fields make. */
  message: Record<string, unknown>;
}

/** The user and the domain that the printed requests are about. */
export const DOCUMENTED_USER = 'user@example.com';
export const DOCUMENTED_DOMAIN = 'domain-a1b2c3d4e5f6';

/** UserProfile, method by method. */
export const userProfileRequests = {
  update: {
    method: 'UserProfile.update',
    path: '/identity/v2/user-profile/update',
    message: {
      password: 'Changed12',
      name: 'Wonny',
      email: 'user@example.com',
      language: 'en',
      timezone: 'UTC',
      tags: { team: 'cloudforet' },
    },
  },
  verifyEmail: {
    method: 'UserProfile.verify_email',
    path: '/identity/v2/user-profile/verify-email',
    message: { email: 'user@example.com' },
  },
  confirmEmail: {
    method: 'UserProfile.confirm_email',
    path: '/identity/v2/user-profile/confirm-email',
    message: { verify_code: '12346' },
  },
  resetPassword: {
    method: 'UserProfile.reset_password',
    path: '/identity/v2/user-profile/reset-password',
    message: { user_id: 'user@example.com', domain_id: 'domain-a1b2c3d4e5f6' },
  },
  enableMfa: {
    method: 'UserProfile.enable_mfa',
    path: '/identity/v2/user-profile/enable-mfa',
    message: {
      user_id: 'user@example.com',
      mfa_type: 'EMAIL',
      options: { email: 'user@example.com' },
      domain_id: 'domain-a1b2c3d4e5f6',
    },
  },
  disableMfa: {
    method: 'UserProfile.disable_mfa',
    path: '/identity/v2/user-profile/disable-mfa',
    message: { user_id: 'user@example.com', force: false, domain_id: 'domain-a1b2c3d4e5f6' },
  },
  confirmMfa: {
    method: 'UserProfile.confirm_mfa',
    path: '/identity/v2/user-profile/confirm-mfa',
    message: { user_id: 'user@example.com', verify_code: '123456', domain_id: 'domain-a1b2c3d4e5f6' },
  },
  get: { method: 'UserProfile.get', path: '/identity/v2/user-profile/get', message: {} },
  getWorkspaces: {
    method: 'UserProfile.get_workspaces',
    path: '/identity/v2/user-profile/get-workspaces',
    message: {},
  },
  getWorkspaceGroups: {
    method: 'UserProfile.get_workspace_groups',
    path: '/identity/v2/user-profile/get-workspace-groups',
    message: {},
  },
} as const satisfies Record<string, DocumentedRequest>;

/** WorkspaceUser, method by method. */
export const workspaceUserRequests = {
  create: {
    method: 'WorkspaceUser.create',
    path: '/identity/v2/workspace-user/create',
    message: {
      user_id: 'user@example.com',
      password: 'Password0*',
      name: 'Wonny',
      email: 'user@example.com',
      auth_type: 'LOCAL',
      language: 'en',
      timezone: 'UTC',
      tags: { team: 'cloudforet' },
      reset_password: false,
      role_id: 'managed-workspace-member',
    },
  },
  get: {
    method: 'WorkspaceUser.get',
    path: '/identity/v2/workspace-user/get',
    message: { user_id: 'user@example.com', workspace_id: 'workspace-ab12345' },
  },
  find: {
    method: 'WorkspaceUser.find',
    path: '/identity/v2/workspace-user/find',
    message: { keyword: 'cloudforet', state: 'ENABLED', page: { start: 1, limit: 5 } },
  },
  list: {
    method: 'WorkspaceUser.list',
    path: '/identity/v2/workspace-user/list',
    message: { query: { filter: [{ k: 'language', v: 'en', o: 'eq' }] } },
  },
} as const satisfies Record<string, DocumentedRequest>;
