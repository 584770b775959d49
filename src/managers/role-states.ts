import type { Reach } from '../connectors/mongo.js';
import type { Role, Roles } from '../models/role.js';
import { Memory } from './memory.js';

const MAX_ENTRIES = 10_000;

/** Roles as every call needs them, remembered for seconds (D-14, D-34). */
export class RoleStates {
  readonly #known: Memory<Role>;

  constructor(
    private readonly roles: Roles,
    settings: { cacheMs: number },
  ) {
    this.#known = new Memory({ max: MAX_ENTRIES, ...settings });
  }

  /** The role, or undefined when there is none, as it was when it was last read. Good for allowing reads alone. */
  recent(reach: Reach, domain_id: string, role_id: string): Promise<Role | undefined> {
    return this.#known.recall(reach, ...this.#reading(domain_id, role_id));
  }

  /** The role, or undefined, as it is now; a token that is made of it is then not held against an older one. */
  find(reach: Reach, domain_id: string, role_id: string): Promise<Role | undefined> {
    return this.#known.refresh(reach, ...this.#reading(domain_id, role_id));
  }

  #reading(domain_id: string, role_id: string) {
    const read = (reach: Reach) => this.roles.find(reach, domain_id, role_id);
    return [`${domain_id}/${role_id}`, read] as const;
  }
}
