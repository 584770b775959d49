import type { Model, mongo } from 'mongoose';
import type { Mongo, Reach, Records, Tx } from '../connectors/mongo.js';
import { brokenIndex, isDuplicateKey, options, records } from '../connectors/mongo.js';
import { IdentityError, notFound } from '../errors.js';
import { identityKey } from '../ids.js';
import type { PasswordStrength } from '../password-strength.js';
import { userSchema } from './user-schema.js';

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

/** What only the IAM systems show of a user; nothing else changes it. xuser_type and xuser_id belong to one user. */
export interface UserDetail {
  description?: string;
  /** Workspace that counts when a sign-in there names no scope. */
  default_project_id?: string;
  areacode?: string;
  phone?: string;
  xuser_id?: string;
  xuser_type?: string;
  org_id?: string;
  grade?: number;
  extension?: Record<string, unknown>;
}

export interface User extends UserDetail {
  /** Opaque id of 32 hex digits, for the IAM systems: a user_id may be an address. */
  id: string;
  user_id: string;
  /** Name to sign in with at the IAM systems; at first the user_id. */
  username: string;
  /** user_id and username as `identityKey` writes them; each belongs to one user of the domain alone. */
  login_keys: string[];
  domain_id: string;
  name: string;
  state: UserState;
  email: string;
  email_verified: boolean;
  /** The address before, while the present one is not proven. */
  proven_email?: string;
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
  /** Of the last change by the user or an administrator. */
  updated_at?: Date;
  last_accessed_at?: Date;
  password_changed_at?: Date;
  password_strength?: PasswordStrength;
}

/** What is kept of a user's secrets; only read where one is checked. */
export interface UserSecrets {
  password?: string;
  /** Mailed password: keyed hash, and the time after which it is worth nothing (D-09). */
  temporary_password?: { mac: string; expires_at: Date };
  /** TOTP secret, sealed, and the last time step that was accepted (RFC 6238 5.2). */
  otp?: { secret: string; last_step: number };
}

export type UserWithSecrets = User & UserSecrets;
export type UserKey = Pick<User, 'domain_id' | 'user_id'>;
export type UserChange = mongo.UpdateFilter<UserWithSecrets>;

/** Fields never read unless a secret is checked. */
export const withoutSecrets = {
  _id: 0,
  password: 0,
  temporary_password: 0,
  otp: 0,
} as const;

/** The users of all domains. */
export class Users {
  readonly model: Model<UserWithSecrets>;
  readonly #records: Records<UserWithSecrets>;

  constructor(mongo: Mongo) {
    this.model = mongo.model('user', userSchema);
    this.#records = records(this.model);
  }

  /**
   * Stores a new user and answers it without secrets.
   * @throws IdentityError ERROR_SAVE_UNIQUE_VALUES when the user id or username is taken in the domain, in any letter
   * case; ERROR_NOT_UNIQUE(xuser_id) when the id in another system is.
   */
  async insert(tx: Tx, user: Omit<UserWithSecrets, 'login_keys'>): Promise<User> {
    const { password, temporary_password, otp, ...rest } = user;
    const shown = { ...rest, login_keys: loginKeys(user.user_id, user.username) };
    try {
      await this.model.insertMany([{ ...shown, password, temporary_password, otp }], options(tx));
      return shown;
    } catch (error) {
      throw isDuplicateKey(error) ? taken(error, user) : error;
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

  /** The user with that opaque id, of any domain, or undefined. */
  async findById(reach: Reach, id: string): Promise<User | undefined> {
    const only = { ...options(reach), projection: withoutSecrets };
    return (await this.#records.findOne({ id: String(id) }, only)) ?? undefined;
  }

  /** The user of the domain whose user_id or username this is, in any letter case, or undefined. */
  async findByLogin(reach: Reach, domain_id: string, name: string): Promise<User | undefined> {
    const only = { ...options(reach), projection: withoutSecrets };
    const filter = { domain_id: String(domain_id), login_keys: identityKey(name) };
    return (await this.#records.findOne(filter, only)) ?? undefined;
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

  /** True when the id is taken in the domain, as a user id or a username, in any letter case. */
  async exists(reach: Reach, key: UserKey): Promise<boolean> {
    const filter = { domain_id: String(key.domain_id), login_keys: identityKey(key.user_id) };
    return (await this.#records.findOne(filter, { ...options(reach), projection: { _id: 1 } })) !== null;
  }

  /** The roles of the domain's administrators who are not disabled, each once. */
  async administratorRoles(reach: Reach, domain_id: string): Promise<string[]> {
    const enabled: UserState[] = ['ENABLED', 'PENDING'];
    const role_type = 'DOMAIN_ADMIN' as const;
    const filter = { domain_id: String(domain_id), role_type, state: { $in: enabled } };
    const stages = [{ $match: filter }, { $group: { _id: '$role_id' } }];
    const roles = this.#records.aggregate<{ _id?: string | null }>(stages, options(reach));
    return (await roles.toArray()).flatMap(({ _id }) => _id ?? []);
  }

  /** Removes all users of a domain; for setting up the root domain anew (contract/behaviour.md 4.2). */
  async deleteAllOf(tx: Tx, domain_id: string): Promise<void> {
    await this.#records.deleteMany({ domain_id: String(domain_id) }, options(tx));
  }

  /**
   * Notes a sign-in, which enables a user who had none before, and answers the user as it was until then. The filter is
   * the unique key alone: with a further condition some engines leave its index.
   */
  async recordSignIn(tx: Tx, key: UserKey, now: Date): Promise<User | undefined> {
    const state = { $cond: [{ $eq: ['$state', 'PENDING'] }, 'ENABLED', '$state'] };
    const before = await this.#records.findOneAndUpdate(
      exact(key),
      [{ $set: { last_accessed_at: now, state } }],
      { ...options(tx), projection: withoutSecrets, returnDocument: 'before' },
    );
    return before ?? undefined;
  }

  /** Like `update`, for a change that the owner or an administrator makes: notes when it was. */
  change(reach: Reach, key: UserKey, change: UserChange, now: Date, condition?: object) {
    return this.update(reach, key, { ...change, $set: { ...change.$set, updated_at: now } }, condition);
  }

  /**
   * Changes one user and answers it as it is afterwards, without secrets; undefined when it does not exist or
   * the condition does not hold (any more).
   * @throws IdentityError ERROR_SAVE_UNIQUE_VALUES when a new username is taken in the domain, in any letter case;
   * ERROR_NOT_UNIQUE(xuser_id) when a new id in another system is.
   */
  async update(
    reach: Reach,
    key: UserKey,
    change: UserChange,
    condition: object = {},
  ): Promise<User | undefined> {
    try {
      const changed = await this.#records.findOneAndUpdate({ ...exact(key), ...condition }, change, {
        ...options(reach),
        projection: withoutSecrets,
        returnDocument: 'after',
      });
      return changed ?? undefined;
    } catch (error) {
      throw isDuplicateKey(error) ? taken(error, { ...change.$set, ...key }) : error;
    }
  }

  /** Removes the user with that user_id and answers who it was, or undefined. */
  async remove(tx: Tx, key: UserKey): Promise<User | undefined> {
    const only = { ...options(tx), projection: withoutSecrets };
    return (await this.#records.findOneAndDelete(exact(key), only)) ?? undefined;
  }
}

/** What `login_keys` holds for a user id and a username. */
export function loginKeys(user_id: string, username: string): string[] {
  return [...new Set([identityKey(user_id), identityKey(username)])];
}

/** The answer for a user id that is taken. */
export function duplicateUser(cause?: unknown): IdentityError {
  return new IdentityError('ERROR_SAVE_UNIQUE_VALUES', { keys: ['user_id', 'domain_id'] }, [], { cause });
}

/** The answer to a broken unique index: which one it is counts, not what is in it. */
function taken(
  error: unknown,
  { domain_id, xuser_id = '' }: Pick<User, 'domain_id' | 'xuser_id'>,
): IdentityError {
  if (!brokenIndex(error).includes('xuser_id')) return duplicateUser(error);
  const params = { key: 'xuser_id', value: xuser_id, domain_id };
  return new IdentityError('ERROR_NOT_UNIQUE', params, [], { cause: error });
}

/** The answer for a user that does not exist. */
export function userNotFound(key: UserKey): IdentityError {
  return notFound({ user_id: key.user_id, domain_id: key.domain_id });
}

// Strings only: an object here would be an operator of the database (D-45).
function exact(key: UserKey): { domain_id: string; user_id: string } {
  return { domain_id: String(key.domain_id), user_id: String(key.user_id) };
}
