import mongoose from 'mongoose';
import type { Mongo, Reach, Records, Tx } from '../connectors/mongo.js';
import { options, records } from '../connectors/mongo.js';

export type RoleType = 'DOMAIN_ADMIN' | 'WORKSPACE_OWNER' | 'WORKSPACE_MEMBER';

export interface Role {
  role_id: string;
  name: string;
  state: 'ENABLED' | 'DISABLED';
  version: string;
  role_type: RoleType;
  permissions: string[];
  is_managed: boolean;
  tags: Record<string, unknown>;
  domain_id: string;
  created_at: Date;
  updated_at: Date;
}

const text = { type: String, required: true };
const date = { type: Date, required: true };
const schema = new mongoose.Schema<Role>(
  {
    role_id: text,
    name: text,
    state: text,
    version: text,
    role_type: text,
    permissions: [String],
    is_managed: { type: Boolean, default: false },
    tags: { type: mongoose.Schema.Types.Mixed, default: {} },
    domain_id: text,
    created_at: date,
    updated_at: date,
  },
  { minimize: false, versionKey: false },
);
schema.index({ domain_id: 1, role_id: 1 }, { unique: true });
schema.index({ domain_id: 1, name: 1 }, { unique: true });

const managed: readonly [id: string, name: string, type: RoleType][] = [
  ['managed-domain-admin', 'Domain Admin', 'DOMAIN_ADMIN'],
  ['managed-workspace-owner', 'Workspace Owner', 'WORKSPACE_OWNER'],
  ['managed-workspace-member', 'Workspace Member', 'WORKSPACE_MEMBER'],
];

/** The roles of all domains. */
export class Roles {
  readonly #records: Records<Role>;

  constructor(mongo: Mongo) {
    this.#records = records(mongo.model('role', schema));
  }

  /** The role, or undefined. */
  async find(reach: Reach, domain_id: string, role_id: string): Promise<Role | undefined> {
    const filter = { domain_id: String(domain_id), role_id: String(role_id) };
    return (await this.#records.findOne(filter, { ...options(reach), projection: { _id: 0 } })) ?? undefined;
  }

  /** Names of some roles of a domain, by role id. */
  async names(reach: Reach, domain_id: string, roleIds: readonly string[]): Promise<Map<string, string>> {
    const filter = { domain_id: String(domain_id), role_id: { $in: roleIds.map(String) } };
    const roles = await this.#records
      .find(filter, { ...options(reach), projection: { _id: 0, role_id: 1, name: 1 } })
      .toArray();
    return new Map(roles.map(({ role_id, name }) => [role_id, name]));
  }

  /** Stores a role. */
  async insert(tx: Tx, role: Role): Promise<void> {
    await this.#records.insertOne({ ...role }, options(tx));
  }

  /** Makes the managed roles of a domain that are missing (contract/behaviour.md 4.4). */
  async ensureManaged(tx: Tx, domain_id: string, now: Date): Promise<void> {
    for (const [role_id, name, role_type] of managed) {
      const role = {
        name,
        state: 'ENABLED' as const,
        version: '1.0',
        role_type,
        permissions: [],
        is_managed: true,
      };
      await this.#records.updateOne(
        { domain_id, role_id },
        { $setOnInsert: { ...role, tags: {}, created_at: now, updated_at: now } },
        { ...options(tx), upsert: true },
      );
    }
  }
}
