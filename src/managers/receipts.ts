import { UnsealError } from '../cipher.js';
import type { Cipher } from '../cipher.js';
import type { Clock } from '../clock.js';
import type { User, UserKey } from '../models/user.js';
import type { OpenFlow } from './codes.js';

/** Proof that the password of an account was right; good for one code, the one that was asked for then. */
export interface Receipt extends UserKey {
  /** Token generation of the user: a change that ends sessions ends it too. */
  generation: number;
  /** The flow that waits for the code. */
  nonce: string;
  issued_at: Date;
  expires_at: Date;
}

const CONTEXT = 'sign-in-receipt';

/** Writes receipts as text that nobody else can read or make. */
export class Receipts {
  constructor(
    private readonly cipher: Cipher,
    private readonly clock: Clock,
  ) {}

  /** A receipt for a user whose password was right, as long as the code is good. */
  make(user: User, flow: OpenFlow): { receipt: Receipt; text: string } {
    const { domain_id, user_id, generation } = user;
    const receipt = { domain_id, user_id, generation, ...flow, issued_at: this.clock.now() };
    return { receipt, text: this.cipher.seal(JSON.stringify(receipt), CONTEXT) };
  }

  /** What the text says; undefined when it is no receipt or its time is over. */
  read(text: string): Receipt | undefined {
    try {
      const said = JSON.parse(this.cipher.open(text, CONTEXT)) as Receipt;
      const expires_at = new Date(said.expires_at);
      return expires_at > this.clock.now()
        ? { ...said, expires_at, issued_at: new Date(said.issued_at) }
        : undefined;
    } catch (error) {
      if (error instanceof UnsealError) return undefined;
      throw error;
    }
  }
}
