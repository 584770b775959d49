import { exportJWK, generateKeyPair, importJWK } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Cipher } from '../cipher.js';
import type { Reach, Tx } from '../connectors/mongo.js';
import { notFound } from '../errors.js';
import { ROOT_DOMAIN_ID, newTokenId } from '../ids.js';
import type { Domains, DomainKeys as StoredKeys } from '../models/domain.js';

/** What a key signs: access and system tokens, or refresh tokens (contract/behaviour.md 1.3). */
export type KeyUse = 'access' | 'refresh';

/** One RSA key pair of a domain, ready for use. */
export interface SigningKey {
  kid: string;
  public_jwk: JWK;
  public: CryptoKey;
  private: CryptoKey;
}

type KeyPair = Record<KeyUse, SigningKey>;

const ALGORITHM = 'RS256';
const MAX_DOMAINS = 1000;
/** A token with an unknown key id makes us look again, at most this often for a domain, in milliseconds. */
const RELOAD_INTERVAL_MS = 5000;
const LOAD_MS = 10_000;

/** The signing keys of the domains, kept in memory for a while. */
export class DomainKeys {
  readonly #cache: LRUCache<string, { keys: KeyPair; loaded: number }>;
  /** Look-ups under way, so that a burst of callers at a cold start waits for one (D-47). */
  readonly #loading = new Map<string, Promise<KeyPair>>();

  constructor(
    private readonly domains: Domains,
    private readonly cipher: Cipher,
    settings: { cacheSeconds: number },
  ) {
    this.#cache = new LRUCache({ max: MAX_DOMAINS, ttl: settings.cacheSeconds * 1000 });
  }

  /**
   * Makes two new RSA-2048 key pairs for a domain, to be stored with `store`. Outside of any transaction, because
   * it takes a while.
   */
  async generate(domain_id: string, now: Date): Promise<StoredKeys> {
    const [access, refresh] = await Promise.all([this.#newKey(domain_id), this.#newKey(domain_id)]);
    return { domain_id, access, refresh, created_at: now };
  }

  /** Puts generated keys in force. Tokens signed by the keys before are worth nothing from then on. */
  async store(tx: Tx, keys: StoredKeys): Promise<void> {
    await this.domains.putKeys(tx, keys);
    this.forget(keys.domain_id);
  }

  /** Forgets the cached keys of a domain, after they were replaced. */
  forget(domain_id: string): void {
    this.#cache.delete(domain_id);
    this.#loading.delete(domain_id);
  }

  /**
   * The key that signs for a domain now.
   * @throws IdentityError ERROR_NOT_FOUND for an unknown domain.
   */
  async signing(reach: Reach, domain_id: string, use: KeyUse): Promise<SigningKey> {
    return (await this.#keys(reach, domain_id))[use];
  }

  /** The key with that id, or undefined; looks again when the keys were replaced elsewhere (D-34). */
  async verifying(
    reach: Reach,
    domain_id: string,
    use: KeyUse,
    kid: string,
  ): Promise<SigningKey | undefined> {
    const known = (await this.#keys(reach, domain_id))[use];
    if (known.kid === kid) return known;
    const cached = this.#cache.get(domain_id);
    if (cached && Date.now() - cached.loaded < RELOAD_INTERVAL_MS) return undefined;
    this.#cache.delete(domain_id);
    const reloaded = (await this.#keys(reach, domain_id))[use];
    return reloaded.kid === kid ? reloaded : undefined;
  }

  async #keys(reach: Reach, domain_id: string): Promise<KeyPair> {
    const cached = this.#cache.get(domain_id);
    if (cached) return cached.keys;
    // Inside a transaction the keys may be newer than what others can see.
    if (reach.session) return this.#load(reach, domain_id);
    return this.#loading.get(domain_id) ?? this.#remember(reach, domain_id);
  }

  #remember({ call }: Reach, domain_id: string): Promise<KeyPair> {
    // Not with the deadline of the caller that happens to be first.
    const loading = this.#load({ deadline: Date.now() + LOAD_MS, call }, domain_id)
      .then((keys) => {
        // System tokens have no user whose state is checked, so a change of the root keys must be seen soon.
        const ttl = domain_id === ROOT_DOMAIN_ID ? { ttl: RELOAD_INTERVAL_MS } : {};
        if (isNewest()) this.#cache.set(domain_id, { keys, loaded: Date.now() }, ttl);
        return keys;
      })
      .finally(() => isNewest() && this.#loading.delete(domain_id));
    const isNewest = () => this.#loading.get(domain_id) === loading;
    this.#loading.set(domain_id, loading);
    return loading;
  }

  async #load(reach: Reach, domain_id: string): Promise<KeyPair> {
    const stored = await this.domains.findKeys(reach, domain_id);
    if (!stored) throw notFound({ domain_id });
    const [access, refresh] = await Promise.all([
      this.#open(domain_id, stored.access),
      this.#open(domain_id, stored.refresh),
    ]);
    return { access, refresh };
  }

  async #newKey(domain_id: string): Promise<StoredKeys[KeyUse]> {
    const pair = await generateKeyPair(ALGORITHM, { modulusLength: 2048, extractable: true });
    const kid = newTokenId();
    const [publicJwk, privateJwk] = await Promise.all([
      exportJWK(pair.publicKey),
      exportJWK(pair.privateKey),
    ]);
    return {
      kid,
      public_jwk: { ...publicJwk, kid, alg: ALGORITHM, use: 'sig' },
      private_jwk: this.cipher.seal(JSON.stringify(privateJwk), sealContext(domain_id, kid)),
    };
  }

  async #open(domain_id: string, stored: StoredKeys[KeyUse]): Promise<SigningKey> {
    const privateJwk = JSON.parse(
      this.cipher.open(stored.private_jwk, sealContext(domain_id, stored.kid)),
    ) as JWK;
    const [publicKey, privateKey] = await Promise.all([
      importJWK(stored.public_jwk, ALGORITHM),
      importJWK(privateJwk, ALGORITHM),
    ]);
    const { kid, public_jwk } = stored;
    return { kid, public_jwk, public: publicKey as CryptoKey, private: privateKey as CryptoKey };
  }
}

function sealContext(domain_id: string, kid: string): string {
  return `domain-key:${domain_id}:${kid}`;
}
