import mongoose from 'mongoose';
import type { Mongo, Records, Tx } from '../connectors/mongo.js';
import { isDuplicateKey, options, records } from '../connectors/mongo.js';
import { IdentityError } from '../errors.js';
import type { RoleType } from './role.js';
import type { UserKey } from './user.js';

/** A role that a user has in a domain (workspace_id `*`) or in one workspace. */
export interface RoleBinding {
  role_binding_id: string;
  role_type: RoleType;
  user_id: string;
  role_id: string;
  resource_group: 'DOMAIN' | 'WORKSPACE';
  workspace_id: string;
  workspace_group_id?: string;
  domain_id: string;
  created_at: Date;
}

const text = { type: String, required: true };
const schema = new mongoose.Schema<RoleBinding>(
  {
    role_binding_id: text,
    role_type: text,
    user_id: text,
    role_id: text,
    resource_group: text,
    workspace_id: text,
    workspace_group_id: String,
    domain_id: text,
    created_at: { type: Date, required: true },
  },
  { versionKey: false },
);
schema.index({ domain_id: 1, role_binding_id: 1 }, { unique: true });
// One role of a user in a workspace, and one more for each workspace group (D-23).
schema.index({ domain_id: 1, user_id: 1, workspace_id: 1, workspace_group_id: 1 }, { unique: true });
schema.index({ domain_id: 1, workspace_id: 1, user_id: 1 });

/** The role bindings of all domains. */
export class RoleBindings {
  readonly #records: Records<RoleBinding>;

  constructor(mongo: Mongo) {
    this.#records = records(mongo.model('role_binding', schema));
  }

  /**
   * Stores a binding.
   * @throws IdentityError ERROR_DUPLICATED_WORKSPACE_ROLE_BINDING or ERROR_DUPLICATED_ROLE_BINDING when the user has one there.
   */
  async insert(tx: Tx, binding: RoleBinding): Promise<void> {
    try {
      await this.#records.insertOne({ ...binding }, options(tx));
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      throw binding.resource_group === 'WORKSPACE'
        ? new IdentityError('ERROR_DUPLICATED_WORKSPACE_ROLE_BINDING', {
            allowed_role_type: ['WORKSPACE_OWNER', 'WORKSPACE_MEMBER'],
          })
        : new IdentityError('ERROR_DUPLICATED_ROLE_BINDING', { role_type: binding.role_type });
    }
  }

  /** Removes all bindings of a user. */
  async deleteAllOfUser(tx: Tx, { domain_id, user_id }: UserKey): Promise<void> {
    await this.#records.deleteMany({ domain_id: String(domain_id), user_id: String(user_id) }, options(tx));
  }

  /** Removes all bindings of a domain; for setting up the root domain anew (contract/behaviour.md 4.2). */
  async deleteAllOf(tx: Tx, domain_id: string): Promise<void> {
    await this.#records.deleteMany({ domain_id: String(domain_id) }, options(tx));
  }
}
