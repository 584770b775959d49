import { createHash, randomBytes, randomInt } from 'node:crypto';

/** The fixed id of the root domain (contract/behaviour.md 1, "Ids"). */
export const ROOT_DOMAIN_ID = 'domain-root';

/** A new id: the prefix and 12 random hex digits (contract/behaviour.md 1, "Ids"). */
export function newId(prefix: 'domain' | 'workspace' | 'wg' | 'rb' | 'role' | 'user-secret'): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`;
}

/** A new random id of 32 hex digits, for tokens and sessions. */
export function newTokenId(): string {
  return randomBytes(16).toString('hex');
}

/**
 * The token generation of a new user. Any number, so that tokens of a removed user do not fit whoever gets the same
 * user id later.
 */
export function firstGeneration(): number {
  return randomInt(1, 2 ** 30);
}

/**
 * The form in which two user ids or addresses count as the same: one key for all that differs in letter case, width,
 * composition or invisible characters alone (D-36). Like NFKC_Casefold of Unicode, by the tables of the engine's ICU:
 * upper case and lower case again is the full folding, code point by code point because a final sigma is no other
 * letter. Beyond it, i with and without its dot are one letter: their capital is.
 */
export function identityKey(text: string): string {
  const plain = text.replace(/\p{Default_Ignorable_Code_Point}/gu, '').normalize('NFKC');
  return lowerCased(lowerCased(plain).toUpperCase()).normalize('NFKC');
}

/** Lower case without a look at the letters around; capital sharp s has a lower case, but no other upper case. */
function lowerCased(text: string): string {
  return Array.from(text, (character) => character.toLowerCase()).join('');
}

/** Names a token where its id must not be shown: 22 characters that open nothing. */
export function auditId(jti: string): string {
  return createHash('sha256').update(jti).digest('base64url').slice(0, 22);
}
