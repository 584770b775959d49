import type { Cipher } from '../cipher.js';
import { identityKey } from '../ids.js';
import type { UserKey } from '../models/user.js';
import { networkOf } from '../peer-address.js';

/** A name that nobody has, in a domain or in what was written in the place of one. */
export interface Nobody {
  name: string;
  domain: string;
}

/** At whom an attempt is made. */
export type Aim = { user: UserKey } | { nobody: Nobody };

/**
 * What attempts at an account are counted under. A user is known by domain and id alone: nothing else that a caller sends
 * makes a new count. Names that nobody has are counted apart, so that they never lock anybody, and under a keyed hash: such
 * a name may be a password in the wrong field.
 */
export function accountCount(at: Aim, cipher: Cipher): string {
  if ('user' in at) return `user/${at.user.domain_id}/${identityKey(at.user.user_id)}`;
  const { domain, name } = at.nobody;
  return `nobody/${cipher.mac('sign-in-count', JSON.stringify([domain, identityKey(name)]))}`;
}

/** What attempts from an address are counted under: who has one of IPv6 has 2^64 of them. */
export function peerCount(kind: string, peer: string): string {
  return `${kind}/${networkOf(peer)}`;
}
