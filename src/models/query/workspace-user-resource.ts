import type { QueryResource } from './resource.js';

/**
 * What WorkspaceUser.list and stat may name (contract/query.md 4). `mfa` as a whole is not among it: its options
 * belong to the user alone.
 */
export const workspaceUserResource: QueryResource = {
  fields: new Map([
    ['user_id', 'string'],
    ['name', 'string'],
    ['state', 'string'],
    ['email', 'string'],
    ['email_verified', 'boolean'],
    ['auth_type', 'string'],
    ['role_id', 'string'],
    ['role_type', 'string'],
    ['mfa.state', 'string'],
    ['mfa.mfa_type', 'string'],
    ['required_actions', 'list'],
    ['language', 'string'],
    ['timezone', 'string'],
    ['refresh_timeout', 'number'],
    ['tags', 'dynamic'],
    ['domain_id', 'string'],
    ['created_at', 'date'],
    ['last_accessed_at', 'date'],
  ]),
  keyword: ['user_id', 'name', 'email'],
  minimal: ['user_id', 'name', 'state', 'auth_type', 'role_type'],
  order: ['name', 'user_id'],
  unique: 'user_id',
};
