import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The groups of an IPv6 address that name the network; the others whoever has it chooses freely (RFC 4291 2.5.1). */
const NETWORK_GROUPS = 4;

/** An address in its one spelling, an IPv4 address that is written as IPv6 as the former; undefined for what is none. */
export function addressOf(text: string): string | undefined {
  // A zone is known on one machine alone, and any text.
  if (isIP(text) === 0 || text.includes('%')) return undefined;
  return ipaddr.process(text).toString();
}

/** What callers from an address are counted by: the address, for IPv6 its network of 64 bits. */
export function networkOf(peer: string): string {
  if (isIP(peer) === 0) return peer;
  const address = ipaddr.process(peer);
  if (!(address instanceof ipaddr.IPv6)) return address.toString();
  const network = address.parts.map((group, index) => (index < NETWORK_GROUPS ? group : 0));
  return `${new ipaddr.IPv6(network).toString()}/64`;
}
