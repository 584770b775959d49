import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

const VERSION = 'v1.';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The value was sealed with another key or for another context, or it was changed since. */
export class UnsealError extends Error {}

/**
 * Encrypts what is kept in the database and makes keyed hashes of codes (D-17). Every context (for example
 * `mail:<id>` or `otp:<domain_id>:<user_id>`) has keys of its own, derived from the service key, so a value
 * that is copied to another place cannot be opened there.
 */
export class Cipher {
  readonly #serviceKey: Buffer;

  constructor(serviceKey: Buffer) {
    this.#serviceKey = serviceKey;
  }

  /** Encrypts with AES-256-GCM; the result is text: a version, nonce, tag and ciphertext in base64url. */
  seal(plain: string | Buffer, context: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key('seal', context), nonce);
    cipher.setAAD(Buffer.from(context));
    const body = Buffer.concat([
      typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain),
      cipher.final(),
    ]);
    return VERSION + Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
  }

  /**
   * Decrypts a sealed text.
   * @throws UnsealError when key, context or content do not match.
   */
  open(sealed: string, context: string): string {
    return this.openBytes(sealed, context).toString('utf8');
  }

  /**
   * Decrypts sealed bytes.
   * @throws UnsealError when key, context or content do not match.
   */
  openBytes(sealed: string, context: string): Buffer {
    const bytes = Buffer.from(sealed.slice(VERSION.length), 'base64url');
    if (!sealed.startsWith(VERSION) || bytes.length < NONCE_BYTES + TAG_BYTES) {
      throw new UnsealError('not a sealed value');
    }
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key('seal', context), nonce);
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    } catch (error) {
      throw new UnsealError('the sealed value cannot be opened with this key', { cause: error });
    }
  }

  /** Keyed hash (HMAC-SHA256, base64url): tells equal texts without keeping them. */
  mac(context: string, text: string): string {
    return createHmac('sha256', this.#key('mac', context)).update(text).digest('base64url');
  }

  /** Compares two texts in a time that does not depend on where they differ. */
  equal(left: string, right: string): boolean {
    // Digests have one length, which timingSafeEqual needs, and hide the lengths of the texts.
    const digest = (text: string) => createHash('sha256').update(text).digest();
    return timingSafeEqual(digest(left), digest(right));
  }

  #key(use: 'seal' | 'mac', context: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#serviceKey, '', `identity ${use} v1 ${context}`, 32));
  }
}
