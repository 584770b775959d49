import mongoose from 'mongoose';
import type { JWK } from 'jose';
import type { Mongo, Reach, Records, Tx } from '../connectors/mongo.js';
import { isDuplicateKey, options, records } from '../connectors/mongo.js';
import { IdentityError } from '../errors.js';
import type { Page, PageBounds } from './page.js';
import { pageOf, pageStages } from './page.js';
import { domainResource } from './query/domain-resource.js';
import type { ListPlan } from './query/list.js';
import { runList, runStatistics } from './query/run.js';
import type { StatisticsPlan } from './query/statistics.js';

export interface Domain {
  domain_id: string;
  name: string;
  state: 'ENABLED' | 'DISABLED' | 'DELETED';
  tags?: Record<string, unknown>;
  /** Users with a workspace role for every workspace; such bindings come from imports alone (docs/decisions/0001). */
  wildcard_members: number;
  /** How often an administrator was disabled or removed; makes such changes of a domain wait for each other. */
  administrator_losses?: number;
  created_at: Date;
  deleted_at?: Date;
}

/** The signing keys of a domain: public parts in clear, private parts sealed with the service key (D-17). */
export interface DomainKeys {
  domain_id: string;
  access: { kid: string; public_jwk: JWK; private_jwk: string };
  refresh: { kid: string; public_jwk: JWK; private_jwk: string };
  created_at: Date;
}

const text = { type: String, required: true };
const domainSchema = new mongoose.Schema<Domain>(
  {
    domain_id: text,
    name: text,
    state: text,
    tags: mongoose.Schema.Types.Mixed,
    wildcard_members: { type: Number, default: 0 },
    administrator_losses: Number,
    created_at: { type: Date, required: true },
    deleted_at: Date,
  },
  { minimize: false, versionKey: false },
);
domainSchema.index({ domain_id: 1 }, { unique: true });
domainSchema.index(
  { name: 1 },
  { unique: true, partialFilterExpression: { state: { $in: ['ENABLED', 'DISABLED'] } } },
);
// For looking a name up: not every engine reads along an index of a part of the documents.
domainSchema.index({ name: 1, state: 1 });
domainSchema.index({ state: 1, domain_id: 1 });
const key = new mongoose.Schema(
  { kid: text, public_jwk: mongoose.Schema.Types.Mixed, private_jwk: text },
  { _id: false },
);
const keysSchema = new mongoose.Schema<DomainKeys>(
  { domain_id: text, access: key, refresh: key, created_at: { type: Date, required: true } },
  { versionKey: false },
);
keysSchema.index({ domain_id: 1 }, { unique: true });

/** Domains that are not deleted. */
const LIVING = { state: { $in: ['ENABLED', 'DISABLED'] as const } };

/** Which domains a page is of. */
export interface DomainPageScope {
  /** Those with exactly this name. */
  name?: string;
  enabled?: boolean;
}

/** What may change in a domain. */
export type DomainChange = Partial<Pick<Domain, 'name' | 'state' | 'tags' | 'deleted_at'>>;

/** The domains and their keys. */
export class Domains {
  readonly #domains: Records<Domain>;
  readonly #keys: Records<DomainKeys>;

  constructor(mongo: Mongo) {
    this.#domains = records(mongo.model('domain', domainSchema));
    this.#keys = records(mongo.model('domain_secret', keysSchema));
  }

  /**
   * Stores a domain.
   * @throws IdentityError ERROR_NOT_UNIQUE when a living domain has the name.
   */
  async insert(tx: Tx, domain: Domain): Promise<void> {
    try {
      await this.#domains.insertOne({ ...domain }, options(tx));
    } catch (error) {
      if (isDuplicateKey(error)) throw notUnique(domain.name);
      throw error;
    }
  }

  /** The domain unless it is deleted, or undefined. */
  async find(reach: Reach, key: { domain_id: string } | { name: string }): Promise<Domain | undefined> {
    // By the unique key alone: a further condition makes some engines read all documents.
    const filter =
      'name' in key ? { name: String(key.name), ...LIVING } : { domain_id: String(key.domain_id) };
    const found = await this.#domains.findOne(filter, { ...options(reach), projection: { _id: 0 } });
    return found && found.state !== 'DELETED' ? found : undefined;
  }

  /** Those of the domains that are not deleted. */
  async living(reach: Reach, domainIds: Iterable<string>): Promise<Set<string>> {
    // By the unique key alone, as above.
    const filter = { domain_id: { $in: [...domainIds].map(String) } };
    const only = { ...options(reach), projection: { _id: 0, domain_id: 1, state: 1 } };
    const found = await this.#domains.find(filter, only).toArray();
    return new Set(found.filter(({ state }) => state !== 'DELETED').map(({ domain_id }) => domain_id));
  }

  /**
   * Changes a living domain and answers it as it is afterwards; undefined when there is none.
   * @throws IdentityError ERROR_NOT_UNIQUE when another living domain has the new name.
   */
  async update(reach: Reach, domain_id: string, change: DomainChange): Promise<Domain | undefined> {
    try {
      const changed = await this.#domains.findOneAndUpdate(
        { domain_id: String(domain_id), ...LIVING },
        { $set: change },
        { ...options(reach), projection: { _id: 0 }, returnDocument: 'after' },
      );
      return changed ?? undefined;
    } catch (error) {
      if (isDuplicateKey(error)) throw notUnique(change.name ?? '');
      throw error;
    }
  }

  /** Takes one out of the number of users with a role for every workspace. */
  async removeWildcardMember(tx: Tx, domain_id: string): Promise<void> {
    const filter = { domain_id: String(domain_id) };
    await this.#domains.updateOne(filter, { $inc: { wildcard_members: -1 } }, options(tx));
  }

  /** Notes that an administrator was disabled or removed: no other such change of the domain gets by unseen. */
  async countAdministratorLoss(tx: Tx, domain_id: string): Promise<void> {
    const filter = { domain_id: String(domain_id) };
    await this.#domains.updateOne(filter, { $inc: { administrator_losses: 1 } }, options(tx));
  }

  /**
   * A page of the living domains and their number.
   * @param equal fields that must have exactly these values.
   */
  async list(
    reach: Reach,
    equal: Partial<Pick<Domain, 'domain_id' | 'name' | 'state'>>,
    plan: ListPlan,
  ): Promise<{ rows: Partial<Domain>[]; total: number }> {
    const projection: Record<string, 0 | 1> = { _id: 0 };
    for (const field of plan.fields ?? domainResource.fields.keys()) projection[field] = 1;
    const scope = { ...LIVING, ...equal };
    const reading = { projection, options: options(reach) };
    const { results, total_count } = await runList(this.#domains, scope, plan, reading);
    return { rows: results, total: total_count };
  }

  /** A page of the living domains by id. */
  async page(
    reach: Reach,
    { name, enabled }: DomainPageScope,
    { after, limit }: PageBounds,
  ): Promise<Page<Domain>> {
    const equal = name === undefined ? [] : [{ name: String(name) }];
    const bounds = after === undefined ? {} : { $gt: String(after) };
    const stages = pageStages({ equal, enabled, bounds }, 'domain_id', limit);
    const found = await this.#domains.aggregate<Domain>(stages, options(reach)).toArray();
    return pageOf(found, limit, (one) => one.domain_id);
  }

  /** The rows of a statistics query over the living domains. */
  async stat(reach: Reach, plan: StatisticsPlan): Promise<{ results: unknown[]; total_count?: number }> {
    return runStatistics(this.#domains, LIVING, plan, options(reach));
  }

  /** True when there is any domain. */
  async any(reach: Reach): Promise<boolean> {
    return (await this.#domains.findOne({}, { ...options(reach), projection: { _id: 1 } })) !== null;
  }

  /** Stores the keys of a domain in place of those it had. */
  async putKeys(tx: Tx, keys: DomainKeys): Promise<void> {
    await this.#keys.replaceOne({ domain_id: keys.domain_id }, keys, { ...options(tx), upsert: true });
  }

  /** The keys of a domain, or undefined. */
  async findKeys(reach: Reach, domain_id: string): Promise<DomainKeys | undefined> {
    const filter = { domain_id: String(domain_id) };
    return (await this.#keys.findOne(filter, { ...options(reach), projection: { _id: 0 } })) ?? undefined;
  }
}

function notUnique(name: string): IdentityError {
  return new IdentityError('ERROR_NOT_UNIQUE', { key: 'name', value: name });
}
