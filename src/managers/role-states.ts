import { LRUCache } from 'lru-cache';
import type { Reach } from '../connectors/mongo.js';
import type { Role, Roles } from '../models/role.js';

const MAX_ENTRIES = 10_000;

/** Roles as every call needs them, remembered for seconds (D-14, D-34). */
export class RoleStates {
  readonly #known: LRUCache<string, Role>;

  constructor(
    private readonly roles: Roles,
    settings: { cacheMs: number },
  ) {
    this.#known = new LRUCache({ max: MAX_ENTRIES, ttl: Math.max(1, settings.cacheMs) });
  }

  /** The role, or undefined when there is none, as it was when it was last read. */
  async recent(reach: Reach, domain_id: string, role_id: string): Promise<Role | undefined> {
    return this.#known.get(`${domain_id}/${role_id}`) ?? this.find(reach, domain_id, role_id);
  }

  /** The role, or undefined, as it is now; a token that is made of it is then not held against an older one. */
  async find(reach: Reach, domain_id: string, role_id: string): Promise<Role | undefined> {
    const role = await this.roles.find(reach, domain_id, role_id);
    const key = `${domain_id}/${role_id}`;
    if (role) this.#known.set(key, role);
    else this.#known.delete(key);
    return role;
  }
}
