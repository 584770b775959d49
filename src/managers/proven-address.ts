import type { User } from '../models/user.js';

/**
 * The address that is proven to be the user's: a new one counts once its code came back, and until then the one before
 * it does (D-06). Links, mailed passwords and notices go nowhere else.
 */
export function provenAddress({
  email,
  email_verified,
  proven_email,
}: Pick<User, 'email' | 'email_verified' | 'proven_email'>): string | undefined {
  return (email_verified ? email : proven_email) || undefined;
}

/** A new address, beside which the proven one before it stays in force. */
export function unproven(user: User, email: string): Partial<User> {
  const proven_email = provenAddress(user);
  return { email, email_verified: false, ...(proven_email ? { proven_email } : {}) };
}
