import { IdentityError } from '../errors.js';
import { AuditRecord } from '../gen/audit/v1/audit.js';
import type { AuditServiceService } from '../gen/audit/v1/audit.js';
import type { Query, StatisticsQuery } from '../gen/spaceone/api/core/v2/query.js';
import type { Audit } from '../managers/audit.js';
import type { AuditRecord as StoredRecord } from '../models/audit-record.js';
import type { CallerCall, Methods } from '../rpc/call.js';
import * as field from '../rpc/fields.js';
import { method } from '../rpc/method.js';

const access = {
  roleTypes: ['SYSTEM_ADMIN', 'DOMAIN_ADMIN'],
  permissions: ['identity:Audit.read'],
  onlyReads: true,
} as const;

/** AuditService: what was done in a domain, and by whom (docs/audit.md). */
export function auditMethods(audit: Audit): Methods<typeof AuditServiceService> {
  return {
    listRecords: method(
      {
        access,
        fields: {
          query: field.message<Query>().optional(),
          domain_id: field.id.optional(),
          target_id: field.id.optional(),
          actor_id: field.id.optional(),
        },
      },
      async ({ query, domain_id, ...equal }, call) => {
        const scope = { ...scopeOf(call, domain_id), ...equal };
        const { rows, total } = await audit.list(call.reach, scope, query);
        return { results: rows.map(toAuditRecord), total_count: total };
      },
    ),
    statRecords: method(
      {
        access,
        fields: { query: field.message<StatisticsQuery>().optional(), domain_id: field.id.optional() },
      },
      ({ query, domain_id }, call) => audit.stat(call.reach, scopeOf(call, domain_id), query),
    ),
  };
}

/**
 * The domain whose records the caller may read: an administrator's own, whatever they ask for; the system's administrators
 * see the one they name, else all.
 * @throws IdentityError ERROR_PERMISSION_DENIED when an administrator names another domain.
 */
function scopeOf({ caller }: CallerCall, requested: string | undefined): { domain_id?: string } {
  const { domain_id } = caller;
  if (caller.kind === 'SYSTEM') return wholeOr(requested ?? domain_id);
  if (caller.role_type === 'SYSTEM_ADMIN') return wholeOr(requested);
  if (requested && requested !== domain_id) throw new IdentityError('ERROR_PERMISSION_DENIED');
  return { domain_id };
}

function wholeOr(domain_id: string | undefined): { domain_id?: string } {
  return domain_id ? { domain_id } : {};
}

/** A record; fields that were not selected stay out. */
function toAuditRecord({ created_at, ...record }: Partial<StoredRecord>): AuditRecord {
  return AuditRecord.fromPartial({ ...record, created_at: created_at?.toISOString() });
}
