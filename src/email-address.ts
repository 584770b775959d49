import { domainToASCII } from 'node:url';
import { identityKey } from './ids.js';
import { isVisible } from './visible-text.js';

const MAX_LENGTH = 254;
const MAX_LOCAL_LENGTH = 64;
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const DOMAIN = /^[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)+$/u;
const ASCII_LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const DIGITS_ONLY = /^\d+$/;

/**
 * True when the text is exactly one mail address: a plain ASCII local part of at most 64 characters and a
 * domain with a dot, which may be international; 254 characters at most. No quotes, blanks, commas, control
 * characters, address literals or characters that turn into others when the domain is looked up (D-21).
 */
export function isEmailAddress(text: string): boolean {
  if (text.length > MAX_LENGTH) return false;
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (at < 1 || local.length > MAX_LOCAL_LENGTH || !LOCAL_PART.test(local)) return false;
  if (!DOMAIN.test(domain) || !isVisible(domain) || domain.normalize('NFKC') !== domain) return false;
  const labels = domainToASCII(domain).split('.');
  return (
    labels.length > 1 &&
    labels.every((label) => ASCII_LABEL.test(label)) &&
    !DIGITS_ONLY.test(labels.at(-1)!) &&
    local.length + 1 + labels.join('.').length <= MAX_LENGTH
  );
}

/**
 * The form in which two spellings of an address are one mailbox: letter case dropped, the domain as it is looked up
 * (`bücher.example` is `xn--bcher-kva.example`). For counting; nobody is proven or found by it.
 */
export function mailboxKey(address: string): string {
  const at = address.lastIndexOf('@');
  return `${identityKey(address.slice(0, at))}@${domainToASCII(address.slice(at + 1))}`;
}

/** A sender or recipient: a display name, which may be empty, and one address. */
export interface Mailbox {
  name: string;
  address: string;
}

/** Reads `Name <address>`, `"Name" <address>` or a bare address; undefined when it is none of these. */
export function parseMailbox(text: string): Mailbox | undefined {
  const match = /^\s*(?:"?([^"<>\p{Cc}]*?)"?\s*<([^<>]+)>|([^<>\s]+))\s*$/u.exec(text);
  const address = match?.[2] ?? match?.[3] ?? '';
  return isEmailAddress(address) ? { name: match?.[1] ?? '', address } : undefined;
}
