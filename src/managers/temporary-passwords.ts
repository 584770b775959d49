import type { Cipher } from '../cipher.js';
import type { Clock } from '../clock.js';
import { secondsAfter } from '../clock.js';
import type { UserKey, UserSecrets } from '../models/user.js';
import { temporaryPassword } from '../password.js';

/** A new temporary password: in clear for its mail, and as it is kept. */
export interface NewTemporaryPassword {
  plain: string;
  kept: NonNullable<UserSecrets['temporary_password']>;
}

/** Mailed passwords: good once and for a while, kept as a keyed hash bound to the user (D-09). */
export class TemporaryPasswords {
  constructor(
    private readonly cipher: Cipher,
    private readonly clock: Clock,
  ) {}

  /** Makes one that is good for that many seconds. */
  make(user: UserKey, seconds: number): NewTemporaryPassword {
    const plain = temporaryPassword();
    const expires_at = secondsAfter(this.clock.now(), seconds);
    return { plain, kept: { mac: this.#mac(user, plain), expires_at } };
  }

  /** True when the password is the one that was mailed to the user last, and in time. */
  matches(user: UserKey & UserSecrets, password: string): boolean {
    const kept = user.temporary_password;
    if (!kept || kept.expires_at <= this.clock.now()) return false;
    return this.cipher.equal(this.#mac(user, password), kept.mac);
  }

  #mac(user: UserKey, password: string): string {
    return this.cipher.mac(`temporary-password:${user.domain_id}:${user.user_id}`, password);
  }
}
