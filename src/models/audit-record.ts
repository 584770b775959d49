import mongoose from 'mongoose';
import type { AuditAction, AuditTargetType } from '../audit-actions.js';
import type { Mongo, Reach, Records } from '../connectors/mongo.js';
import { options, records } from '../connectors/mongo.js';
import { auditRecordResource } from './query/audit-record-resource.js';
import type { ListPlan } from './query/list.js';
import { runList, runStatistics } from './query/run.js';
import type { StatisticsPlan } from './query/statistics.js';

/** One thing that was done or refused; values are spelled as audit.proto does, because queries compare with them. */
export interface AuditRecord {
  record_id: string;
  domain_id: string;
  action: AuditAction;
  outcome: 'OUTCOME_SUCCESS' | 'OUTCOME_FAILURE';
  reason: string;
  actor_type: 'ACTOR_TYPE_USER' | 'ACTOR_TYPE_SYSTEM' | 'ACTOR_TYPE_NOBODY';
  actor_id: string;
  actor_domain_id: string;
  target_type: AuditTargetType;
  target_id: string;
  workspace_id: string;
  method: string;
  peer: string;
  request_id: string;
  detail?: Record<string, unknown>;
  created_at: Date;
  /** When the database removes it. */
  expires_at: Date;
}

/** Which records may be seen; without a domain those of all. */
export type AuditScope = Partial<Pick<AuditRecord, 'domain_id' | 'target_id' | 'actor_id'>>;

const text = { type: String, required: true };
// An empty text is a value here: of a call without a token, of what concerns no workspace.
const perhapsEmpty = { type: String, default: '' };
const date = { type: Date, required: true };
const schema = new mongoose.Schema<AuditRecord>(
  {
    record_id: text,
    domain_id: text,
    action: text,
    outcome: text,
    reason: perhapsEmpty,
    actor_type: text,
    actor_id: perhapsEmpty,
    actor_domain_id: perhapsEmpty,
    target_type: text,
    target_id: perhapsEmpty,
    workspace_id: perhapsEmpty,
    method: perhapsEmpty,
    peer: perhapsEmpty,
    request_id: perhapsEmpty,
    detail: mongoose.Schema.Types.Mixed,
    created_at: date,
    expires_at: date,
  },
  { versionKey: false },
);
const NEWEST_FIRST = { created_at: -1, record_id: -1 } as const;
schema.index({ domain_id: 1, ...NEWEST_FIRST });
schema.index({ domain_id: 1, target_id: 1, ...NEWEST_FIRST });
schema.index({ domain_id: 1, actor_id: 1, ...NEWEST_FIRST });
// For those who see all domains.
schema.index(NEWEST_FIRST);
schema.index({ expires_at: 1 }, { expireAfterSeconds: 0 });

/** What was done, kept until it expires. Records are written and read; nothing changes or removes one. */
export class AuditRecords {
  readonly #records: Records<AuditRecord>;

  constructor(mongo: Mongo) {
    this.#records = records(mongo.model('audit_record', schema));
  }

  /** Stores records in their order; in a transaction all or none. */
  async insert(reach: Reach, made: readonly Omit<AuditRecord, 'record_id'>[]): Promise<void> {
    const numbered = made.map((one) => ({ ...one, record_id: risingId() }));
    await this.#records.insertMany(numbered, { ...options(reach), ignoreUndefined: true });
  }

  /** A page of records and their number. */
  async list(
    reach: Reach,
    scope: AuditScope,
    plan: ListPlan,
  ): Promise<{ rows: Partial<AuditRecord>[]; total: number }> {
    const projection: Record<string, 0 | 1> = { _id: 0 };
    for (const field of plan.fields ?? auditRecordResource.fields.keys()) projection[field] = 1;
    const reading = { projection, options: options(reach), total: () => this.#number(reach, scope) };
    const { results, total_count } = await runList(this.#records, scope, plan, reading);
    return { rows: results, total: total_count };
  }

  /** The rows of a statistics query. */
  async stat(
    reach: Reach,
    scope: AuditScope,
    plan: StatisticsPlan,
  ): Promise<{ results: unknown[]; total_count?: number }> {
    return runStatistics(this.#records, scope, plan, options(reach));
  }

  /** Counting along an index, without reading a record; of all records the collection knows it. */
  #number(reach: Reach, scope: AuditScope): Promise<number> {
    return Object.keys(scope).length > 0
      ? this.#records.countDocuments(scope, options(reach))
      : this.#records.estimatedDocumentCount(options(reach));
  }
}

/** Ids of one process rise, so that records of the same millisecond keep their order. */
function risingId(): string {
  return new mongoose.mongo.ObjectId().toHexString();
}
