import type { QueryResource } from './resource.js';

/** What AuditService may name: everything that it shows. */
export const auditRecordResource: QueryResource = {
  fields: new Map([
    ['record_id', 'string'],
    ['domain_id', 'string'],
    ['action', 'string'],
    ['outcome', 'string'],
    ['reason', 'string'],
    ['actor_type', 'string'],
    ['actor_id', 'string'],
    ['actor_domain_id', 'string'],
    ['target_type', 'string'],
    ['target_id', 'string'],
    ['workspace_id', 'string'],
    ['method', 'string'],
    ['peer', 'string'],
    ['request_id', 'string'],
    ['detail', 'dynamic'],
    ['created_at', 'date'],
  ]),
  keyword: ['action', 'actor_id', 'target_id'],
  minimal: ['record_id', 'action', 'outcome', 'actor_id', 'target_id', 'created_at'],
  order: ['created_at'],
  largestFirst: true,
  unique: 'record_id',
};
