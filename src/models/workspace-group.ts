import mongoose from 'mongoose';
import type { Mongo, Reach, Records, Tx } from '../connectors/mongo.js';
import { options, records } from '../connectors/mongo.js';
import type { RoleType } from './role.js';
import type { UserKey } from './user.js';

export interface WorkspaceGroupMember {
  user_id: string;
  role_id: string;
  role_type: RoleType;
}

export interface WorkspaceGroup {
  workspace_group_id: string;
  name: string;
  users: WorkspaceGroupMember[];
  tags?: Record<string, unknown>;
  created_by: string;
  updated_by?: string;
  domain_id: string;
  created_at: Date;
  updated_at: Date;
}

const text = { type: String, required: true };
const date = { type: Date, required: true };
const schema = new mongoose.Schema<WorkspaceGroup>(
  {
    workspace_group_id: text,
    name: text,
    users: [
      new mongoose.Schema<WorkspaceGroupMember>(
        { user_id: text, role_id: text, role_type: text },
        { _id: false },
      ),
    ],
    tags: mongoose.Schema.Types.Mixed,
    created_by: text,
    updated_by: String,
    domain_id: text,
    created_at: date,
    updated_at: date,
  },
  { minimize: false, versionKey: false },
);
schema.index({ domain_id: 1, workspace_group_id: 1 }, { unique: true });
schema.index({ domain_id: 1, name: 1 }, { unique: true });
schema.index({ domain_id: 1, 'users.user_id': 1 });

/** The workspace groups of all domains. */
export class WorkspaceGroups {
  readonly #records: Records<WorkspaceGroup>;

  constructor(mongo: Mongo) {
    this.#records = records(mongo.model('workspace_group', schema));
  }

  /** Stores a group. */
  async insert(reach: Reach, group: WorkspaceGroup): Promise<void> {
    await this.#records.insertOne({ ...group }, options(reach));
  }

  /** Takes a user out of every group of the domain. */
  async removeUser(tx: Tx, { domain_id, user_id }: UserKey): Promise<void> {
    const filter = { domain_id: String(domain_id), 'users.user_id': String(user_id) };
    await this.#records.updateMany(filter, { $pull: { users: { user_id: String(user_id) } } }, options(tx));
  }

  /** Groups by name: those that list the user; without one, all of the domain. */
  async list(reach: Reach, domain_id: string, user_id?: string): Promise<WorkspaceGroup[]> {
    const filter = {
      domain_id: String(domain_id),
      ...(user_id === undefined ? {} : { 'users.user_id': String(user_id) }),
    };
    return this.#records
      .find(filter, { ...options(reach), projection: { _id: 0 } })
      .sort({ name: 1 })
      .toArray();
  }
}
