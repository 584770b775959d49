import mongoose from 'mongoose';
import type { Mongo, Reach, Records, Tx } from '../connectors/mongo.js';
import { isDuplicateKey, options, records } from '../connectors/mongo.js';
import { IdentityError, notFound } from '../errors.js';
import type { Page, PageBounds } from './page.js';
import { pageOf, pageStages } from './page.js';

export interface Workspace {
  workspace_id: string;
  name: string;
  state: 'ENABLED' | 'DISABLED' | 'DELETED';
  tags?: Record<string, unknown>;
  created_by: string;
  is_managed: boolean;
  is_dormant: boolean;
  dormant_ttl: number;
  /** Users with a role in exactly this workspace; moved in the transaction that moves a binding (D-24). */
  user_count: number;
  workspace_group_id?: string;
  reference_id?: string;
  domain_id: string;
  created_at: Date;
  last_synced_at?: Date;
  dormant_updated_at?: Date;
}

const text = { type: String, required: true };
const schema = new mongoose.Schema<Workspace>(
  {
    workspace_id: text,
    name: text,
    state: text,
    tags: mongoose.Schema.Types.Mixed,
    created_by: text,
    is_managed: { type: Boolean, default: false },
    is_dormant: { type: Boolean, default: false },
    dormant_ttl: { type: Number, default: -1 },
    user_count: { type: Number, default: 0 },
    workspace_group_id: String,
    reference_id: String,
    domain_id: text,
    created_at: { type: Date, required: true },
    last_synced_at: Date,
    dormant_updated_at: Date,
  },
  { minimize: false, versionKey: false },
);
schema.index({ domain_id: 1, workspace_id: 1 }, { unique: true });
schema.index(
  { domain_id: 1, name: 1 },
  { unique: true, partialFilterExpression: { state: { $in: ['ENABLED', 'DISABLED'] } } },
);
schema.index({ domain_id: 1, state: 1, name: 1 });
// For pages by id, of a domain and of all.
schema.index({ domain_id: 1, state: 1, workspace_id: 1 });
schema.index({ state: 1, workspace_id: 1 });
schema.index({ workspace_id: 1 });
schema.index({ name: 1, workspace_id: 1 });

/** Which workspaces a page is of. */
export interface WorkspacePageScope {
  /** Those of this domain; without it, of all. */
  domain_id?: string;
  /** These alone; without it, all. */
  workspaceIds?: readonly string[];
  /** Those with exactly this name. */
  name?: string;
  enabled?: boolean;
}

/** The workspaces of all domains. */
export class Workspaces {
  readonly #records: Records<Workspace>;

  constructor(mongo: Mongo) {
    this.#records = records(mongo.model('workspace', schema));
  }

  /**
   * Stores a workspace.
   * @throws IdentityError ERROR_NOT_UNIQUE when a living workspace of the domain has the name.
   */
  async insert(reach: Reach, workspace: Workspace): Promise<void> {
    try {
      await this.#records.insertOne({ ...workspace }, options(reach));
    } catch (error) {
      if (isDuplicateKey(error))
        throw new IdentityError('ERROR_NOT_UNIQUE', { key: 'name', value: workspace.name });
      throw error;
    }
  }

  /** The workspace unless it is deleted, or undefined. */
  async find(reach: Reach, domain_id: string, workspace_id: string): Promise<Workspace | undefined> {
    const only = { ...options(reach), projection: { _id: 0 } };
    const found = await this.#records.findOne(exact(domain_id, workspace_id), only);
    return found && found.state !== 'DELETED' ? found : undefined;
  }

  /** The workspace of whatever domain unless it is deleted, or undefined. */
  async findAnywhere(reach: Reach, workspace_id: string): Promise<Workspace | undefined> {
    const only = { ...options(reach), projection: { _id: 0 } };
    const found = await this.#records.findOne({ workspace_id: String(workspace_id) }, only);
    return found && found.state !== 'DELETED' ? found : undefined;
  }

  /** The enabled workspace of that name, or undefined. */
  async findEnabled(reach: Reach, domain_id: string, name: string): Promise<Workspace | undefined> {
    const filter = { domain_id: String(domain_id), state: 'ENABLED' as const, name: String(name) };
    return (await this.#records.findOne(filter, { ...options(reach), projection: { _id: 0 } })) ?? undefined;
  }

  /**
   * Moves the number of users of a workspace.
   * @throws IdentityError ERROR_NOT_FOUND when it is gone, so that nobody is added to nothing.
   */
  async addUsers(tx: Tx, domain_id: string, workspace_id: string, count: number): Promise<void> {
    const change = { $inc: { user_count: count } };
    const key = exact(domain_id, workspace_id);
    const changed = await this.#records.findOneAndUpdate(key, change, options(tx));
    if (!changed || changed.state === 'DELETED') throw notFound(key);
  }

  /** Takes one user out of the number of each workspace that there is. */
  async removeUser(tx: Tx, domain_id: string, workspaceIds: readonly string[]): Promise<void> {
    const filter = { domain_id: String(domain_id), workspace_id: { $in: workspaceIds.map(String) } };
    await this.#records.updateMany(filter, { $inc: { user_count: -1 } }, options(tx));
  }

  /** Enabled workspaces by name: those of the list, or all of the domain; narrowed to a group if one is given. */
  async listEnabled(
    reach: Reach,
    domain_id: string,
    workspaceIds: readonly string[] | 'all',
    workspace_group_id?: string,
  ): Promise<Workspace[]> {
    const bounds =
      workspaceIds === 'all' ? { state: 'ENABLED' as const } : { workspace_id: { $in: [...workspaceIds] } };
    const found = await this.#records
      .find({ domain_id: String(domain_id), ...bounds }, { ...options(reach), projection: { _id: 0 } })
      .sort({ name: 1 })
      .toArray();
    return found.filter(
      (one) =>
        one.state === 'ENABLED' && (!workspace_group_id || one.workspace_group_id === workspace_group_id),
    );
  }

  /** A page of the living workspaces by id. */
  async page(
    reach: Reach,
    { domain_id, workspaceIds, name, enabled }: WorkspacePageScope,
    { after, limit }: PageBounds,
  ): Promise<Page<Workspace>> {
    const bounds = {
      ...(workspaceIds === undefined ? {} : { $in: workspaceIds.map(String) }),
      ...(after === undefined ? {} : { $gt: String(after) }),
    };
    const equal = [];
    if (name !== undefined) equal.push({ name: String(name) });
    if (domain_id !== undefined) equal.push({ domain_id: String(domain_id) });
    const stages = pageStages({ equal, enabled, bounds }, 'workspace_id', limit);
    const found = await this.#records.aggregate<Workspace>(stages, options(reach)).toArray();
    return pageOf(found, limit, (one) => one.workspace_id);
  }
}

// Strings only: an object here would be an operator of the database (D-45). The state is looked at afterwards,
// since a condition beside a unique key makes some engines read all documents.
function exact(domain_id: string, workspace_id: string): { domain_id: string; workspace_id: string } {
  return { domain_id: String(domain_id), workspace_id: String(workspace_id) };
}
