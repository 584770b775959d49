import type { AuditAction, AuditTargetType } from '../audit-actions.js';
import type { Clock } from '../clock.js';
import { secondsAfter } from '../clock.js';
import type { Actor, Reach } from '../connectors/mongo.js';
import { settling } from '../connectors/mongo.js';
import type { Reason } from '../errors.js';
import type { Query, StatisticsQuery } from '../gen/spaceone/api/core/v2/query.js';
import { ROOT_DOMAIN_ID } from '../ids.js';
import type { AuditRecord, AuditRecords, AuditScope } from '../models/audit-record.js';
import { auditRecordResource } from '../models/query/audit-record-resource.js';
import { compileKeyword } from '../models/query/conditions.js';
import { allOf } from '../models/query/filter.js';
import { compileList } from '../models/query/list.js';
import { compileStatistics } from '../models/query/statistics.js';
import type { RoleBinding } from '../models/role-binding.js';
import type { User, UserKey } from '../models/user.js';

/** What there is to tell of something that was done or refused; the rest is known of the call. */
export interface AuditEntry {
  action: AuditAction;
  /** The domain whose administrators shall read it. */
  domain_id: string;
  /** The id is one that exists: what nobody has may be a password in the wrong field. */
  target: { type: AuditTargetType; id: string };
  workspace_id?: string;
  /** Why it was refused; what has no reason was done. */
  reason?: Reason;
  /** Ids, names of changed fields, kinds: never a secret, never a value that says something of a person. */
  detail?: Record<string, unknown>;
}

/** Names the caller, in a method without a token that has found out who calls; everything recorded after it is theirs. */
export function actsAs(reach: Reach, actor: Actor): void {
  if (reach.call) reach.call.actor = actor;
}

/** The entry for what happened to a user; an empty user id stands for one that nobody has. */
export function ofUser(
  action: AuditAction,
  { domain_id, user_id }: UserKey,
  more: Pick<AuditEntry, 'workspace_id' | 'reason' | 'detail'> = {},
): AuditEntry {
  return { action, domain_id, target: { type: 'USER', id: user_id }, ...more };
}

/** The entry for a user that was made. */
export function userCreated(user: Pick<User, 'domain_id' | 'user_id' | 'auth_type'>): AuditEntry {
  return ofUser('user.create', user, { detail: { auth_type: user.auth_type } });
}

/** The entry for a role that a user got. */
export function roleGranted(
  user: UserKey,
  { workspace_id, role_binding_id, role_id, role_type }: GrantedRole,
): AuditEntry {
  return ofUser('role.grant', user, { workspace_id, detail: { role_binding_id, role_id, role_type } });
}

type GrantedRole = Pick<RoleBinding, 'workspace_id' | 'role_binding_id' | 'role_id' | 'role_type'>;

const DAY_SECONDS = 86_400;
const ITSELF: Actor = { type: 'SYSTEM', id: '', domain_id: ROOT_DOMAIN_ID };
const NOBODY = { type: 'NOBODY', id: '', domain_id: '' } as const;

/** What was done, by whom and from where: written with the change that it tells of, and read by administrators. */
export class Audit {
  constructor(
    private readonly records: AuditRecords,
    private readonly clock: Clock,
    private readonly settings: { days: number; maxRows: number },
  ) {}

  /**
   * Records what was done. A change hands its transaction over, so that there is no change without its record and no record
   * without its change; several entries are one write.
   */
  async record(reach: Reach, ...entries: AuditEntry[]): Promise<void> {
    const created_at = this.clock.now();
    const expires_at = secondsAfter(created_at, this.settings.days * DAY_SECONDS);
    const { method = '', peer = '', request_id = '' } = reach.call ?? {};
    const actor = reach.call ? (reach.call.actor ?? NOBODY) : ITSELF;
    await this.records.insert(
      reach,
      entries.map(({ action, domain_id, target, workspace_id = '', reason, detail }) => ({
        domain_id,
        action,
        outcome: reason ? 'OUTCOME_FAILURE' : 'OUTCOME_SUCCESS',
        reason: reason ?? '',
        actor_type: `ACTOR_TYPE_${actor.type}`,
        actor_id: actor.id,
        actor_domain_id: actor.domain_id,
        target_type: target.type,
        target_id: target.id,
        workspace_id,
        method,
        peer,
        request_id,
        detail,
        created_at,
        expires_at,
      })),
    );
  }

  /** Records what was refused, to callers who have hung up as well. */
  async refused(reach: Reach, entry: AuditEntry): Promise<void> {
    await this.record(settling(reach), entry);
  }

  /**
   * A page of records, the newest first unless the query orders them.
   * @throws IdentityError for a query that cannot be carried out (contract/query.md).
   */
  async list(
    reach: Reach,
    scope: AuditScope,
    query: Query | undefined,
  ): Promise<{ rows: Partial<AuditRecord>[]; total: number }> {
    return this.records.list(reach, scope, compileList(query, auditRecordResource, this.#context()));
  }

  /**
   * Statistics over records, narrowed by a keyword if there is one.
   * @throws IdentityError for a query that cannot be carried out (contract/query.md 3).
   */
  async stat(
    reach: Reach,
    scope: AuditScope,
    query: StatisticsQuery | undefined,
  ): Promise<{ results: unknown[]; total_count?: number }> {
    const plan = compileStatistics(query, auditRecordResource, this.#context());
    const keyword = compileKeyword(query?.keyword ?? '', auditRecordResource.keyword);
    return this.records.stat(reach, scope, { ...plan, filter: allOf([plan.filter, keyword]) });
  }

  #context(): { now: Date; maxRows: number } {
    return { now: this.clock.now(), maxRows: this.settings.maxRows };
  }
}
