import mongoose from 'mongoose';
import type { JWK } from 'jose';
import type { Mongo, Reach, Records, Tx } from '../connectors/mongo.js';
import { isDuplicateKey, options, records } from '../connectors/mongo.js';
import { IdentityError } from '../errors.js';

export interface Domain {
  domain_id: string;
  name: string;
  state: 'ENABLED' | 'DISABLED' | 'DELETED';
  tags?: Record<string, unknown>;
  /** Users with a workspace role for every workspace; such bindings come from imports alone (docs/decisions/0001). */
  wildcard_members: number;
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
const key = new mongoose.Schema(
  { kid: text, public_jwk: mongoose.Schema.Types.Mixed, private_jwk: text },
  { _id: false },
);
const keysSchema = new mongoose.Schema<DomainKeys>(
  { domain_id: text, access: key, refresh: key, created_at: { type: Date, required: true } },
  { versionKey: false },
);
keysSchema.index({ domain_id: 1 }, { unique: true });

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
      if (isDuplicateKey(error))
        throw new IdentityError('ERROR_NOT_UNIQUE', { key: 'name', value: domain.name });
      throw error;
    }
  }

  /** The domain unless it is deleted, or undefined. */
  async find(reach: Reach, key: { domain_id: string } | { name: string }): Promise<Domain | undefined> {
    const [[field, value]] = Object.entries(key) as [[string, string]];
    const filter = { [field]: String(value), state: { $ne: 'DELETED' } } as object;
    return (await this.#domains.findOne(filter, { ...options(reach), projection: { _id: 0 } })) ?? undefined;
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
