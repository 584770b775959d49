import mongoose from 'mongoose';
import type { Model } from 'mongoose';
import type { Mongo, Reach, Records, Tx } from '../connectors/mongo.js';
import { isDuplicateKey, options, records } from '../connectors/mongo.js';
import { IdentityError, notFound } from '../errors.js';
import { identityKey } from '../ids.js';

export type UserState = 'ENABLED' | 'DISABLED' | 'PENDING';
export type AuthType = 'LOCAL' | 'EXTERNAL';
export type MfaType = 'EMAIL' | 'OTP';
export type RequiredAction = 'UPDATE_PASSWORD' | 'ENFORCE_MFA';
export type WorkspaceRoleType = 'WORKSPACE_OWNER' | 'WORKSPACE_MEMBER';

/** A role in a workspace, kept on the user so that a page of members is one index scan (docs/decisions/0001). */
export interface Membership {
  role_binding_id: string;
  role_id: string;
  role_type: WorkspaceRoleType;
  workspace_id: string;
  workspace_group_id?: string;
  created_at: Date;
}

export interface Mfa {
  state: 'ENABLED' | 'DISABLED';
  mfa_type?: MfaType;
  options: { email?: string; enforce?: boolean; user_secret_id?: string };
}

export interface User {
  user_id: string;
  /** user_id as `identityKey` writes it; unique in the domain. */
  user_key: string;
  domain_id: string;
  name: string;
  state: UserState;
  email: string;
  email_verified: boolean;
  auth_type: AuthType;
  role_type: 'DOMAIN_ADMIN' | 'USER';
  role_id?: string;
  mfa?: Mfa;
  required_actions: RequiredAction[];
  language: string;
  timezone: string;
  tags?: Record<string, unknown>;
  refresh_timeout?: number;
  memberships: Membership[];
  /** Rises when every token handed out before must die (D-13). */
  generation: number;
  /** The session that made the last rise and may go on. */
  kept_session?: string;
  created_at: Date;
  last_accessed_at?: Date;
}

/** What is kept of a user's secrets; only read where one is checked. */
export interface UserSecrets {
  password?: string;
  password_changed_at?: Date;
  /** Mailed password: keyed hash, and the time after which it is worth nothing (D-09). */
  temporary_password?: { mac: string; expires_at: Date };
  /** TOTP secret, sealed, and the last time step that was accepted (RFC 6238 5.2). */
  otp?: { secret: string; last_step: number };
}

export type UserWithSecrets = User & UserSecrets;
export type UserKey = Pick<User, 'domain_id' | 'user_id'>;
export type UserChange = mongoose.mongo.UpdateFilter<UserWithSecrets>;

const text = { type: String, required: true };
const membershipSchema = new mongoose.Schema<Membership>(
  {
    role_binding_id: text,
    role_id: text,
    role_type: text,
    workspace_id: text,
    workspace_group_id: String,
    created_at: { type: Date, required: true },
  },
  { _id: false },
);
const schema = new mongoose.Schema<UserWithSecrets>(
  {
    user_id: text,
    user_key: text,
    domain_id: text,
    name: { type: String, default: '' },
    state: text,
    email: { type: String, default: '' },
    email_verified: { type: Boolean, default: false },
    auth_type: text,
    role_type: text,
    role_id: String,
    mfa: mongoose.Schema.Types.Mixed,
    required_actions: [String],
    language: text,
    timezone: text,
    tags: mongoose.Schema.Types.Mixed,
    refresh_timeout: Number,
    memberships: [membershipSchema],
    generation: { type: Number, default: 1 },
    kept_session: String,
    created_at: { type: Date, required: true },
    last_accessed_at: Date,
    password: { type: String, select: false },
    password_changed_at: { type: Date, select: false },
    temporary_password: { type: mongoose.Schema.Types.Mixed, select: false },
    otp: { type: mongoose.Schema.Types.Mixed, select: false },
  },
  { minimize: false, versionKey: false },
);
schema.index({ domain_id: 1, user_id: 1 }, { unique: true });
schema.index({ domain_id: 1, user_key: 1 }, { unique: true });
// Members of a workspace in every order that a list offers: equality first, then the order, one scan each.
for (const key of ['email', 'created_at', 'last_accessed_at', 'name']) {
  schema.index({ domain_id: 1, 'memberships.workspace_id': 1, [key]: 1, user_id: 1 });
}
schema.index({ domain_id: 1, 'memberships.workspace_id': 1, user_id: 1 });

/** Fields never read unless a secret is checked. */
const withoutSecrets = {
  _id: 0,
  password: 0,
  password_changed_at: 0,
  temporary_password: 0,
  otp: 0,
} as const;

/** The users of all domains. */
export class Users {
  readonly model: Model<UserWithSecrets>;
  readonly #records: Records<UserWithSecrets>;

  constructor(mongo: Mongo) {
    this.model = mongo.model('user', schema);
    this.#records = records(this.model);
  }

  /**
   * Stores a new user.
   * @throws IdentityError ERROR_SAVE_UNIQUE_VALUES when the user id is taken in the domain, in any letter case.
   */
  async insert(tx: Tx, user: Omit<UserWithSecrets, 'user_key'>): Promise<void> {
    try {
      await this.model.insertMany([{ ...user, user_key: identityKey(user.user_id) }], options(tx));
    } catch (error) {
      if (isDuplicateKey(error)) throw duplicateUser(error);
      throw error;
    }
  }

  /** The user without secrets, or undefined. */
  async find(reach: Reach, key: UserKey): Promise<User | undefined> {
    const found = await this.#records.findOne(exact(key), { ...options(reach), projection: withoutSecrets });
    return found ?? undefined;
  }

  /**
   * The user without secrets.
   * @throws IdentityError ERROR_NOT_FOUND.
   */
  async get(reach: Reach, key: UserKey): Promise<User> {
    const user = await this.find(reach, key);
    if (!user) throw userNotFound(key);
    return user;
  }

  /** The user with all secrets, or undefined; for checking a password or a code. */
  async findWithSecrets(reach: Reach, key: UserKey): Promise<UserWithSecrets | undefined> {
    const found = await this.#records.findOne(exact(key), { ...options(reach), projection: { _id: 0 } });
    return found ?? undefined;
  }

  /** Name and state of some users of a domain, by user id. */
  async findNames(
    reach: Reach,
    domain_id: string,
    userIds: readonly string[],
  ): Promise<Map<string, Pick<User, 'name' | 'state'>>> {
    const filter = { domain_id: String(domain_id), user_id: { $in: userIds.map(String) } };
    const projection = { _id: 0, user_id: 1, name: 1, state: 1 };
    const users = await this.#records.find(filter, { ...options(reach), projection }).toArray();
    return new Map(users.map(({ user_id, name, state }) => [user_id, { name, state }]));
  }

  /** True when the id is taken in the domain, in any letter case. */
  async exists(reach: Reach, key: UserKey): Promise<boolean> {
    const filter = { domain_id: String(key.domain_id), user_key: identityKey(key.user_id) };
    return (await this.#records.findOne(filter, { ...options(reach), projection: { _id: 1 } })) !== null;
  }

  /** Removes all users of a domain; for setting up the root domain anew (contract/behaviour.md 4.2). */
  async deleteAllOf(tx: Tx, domain_id: string): Promise<void> {
    await this.#records.deleteMany({ domain_id: String(domain_id) }, options(tx));
  }

  /**
   * Notes a sign-in, which enables a user who had none before, and answers the user as it is afterwards. The filter is
   * the unique key alone: with a further condition some engines leave its index.
   */
  async recordSignIn(reach: Reach, key: UserKey, now: Date): Promise<User | undefined> {
    const state = { $cond: [{ $eq: ['$state', 'PENDING'] }, 'ENABLED', '$state'] };
    const changed = await this.#records.findOneAndUpdate(
      exact(key),
      [{ $set: { last_accessed_at: now, state } }],
      { ...options(reach), projection: withoutSecrets, returnDocument: 'after' },
    );
    return changed ?? undefined;
  }

  /**
   * Changes one user and answers it as it is afterwards, without secrets; undefined when it does not exist or
   * the condition does not hold (any more).
   */
  async update(
    reach: Reach,
    key: UserKey,
    change: UserChange,
    condition: object = {},
  ): Promise<User | undefined> {
    const changed = await this.#records.findOneAndUpdate({ ...exact(key), ...condition }, change, {
      ...options(reach),
      projection: withoutSecrets,
      returnDocument: 'after',
    });
    return changed ?? undefined;
  }
}

/** The answer for a user id that is taken. */
export function duplicateUser(cause?: unknown): IdentityError {
  return new IdentityError('ERROR_SAVE_UNIQUE_VALUES', { keys: ['user_id', 'domain_id'] }, [], { cause });
}

/** The answer for a user that does not exist. */
export function userNotFound(key: UserKey): IdentityError {
  return notFound({ user_id: key.user_id, domain_id: key.domain_id });
}

// Strings only: an object here would be an operator of the database (D-45).
function exact(key: UserKey): { domain_id: string; user_id: string } {
  return { domain_id: String(key.domain_id), user_id: String(key.user_id) };
}
