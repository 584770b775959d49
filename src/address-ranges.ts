import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Addresses, and ranges of addresses as `10.0.0.0/8` or `2001:db8::/32` (CIDR). An IPv4 address that is written as IPv6
 * (`::ffff:10.0.0.1`) counts as the IPv4 address, in a range as well.
 */
export class AddressRanges {
  readonly #ranges: [Address, number][];

  /** @throws RangeError naming the first text that is neither an address nor a range. */
  constructor(ranges: readonly string[]) {
    this.#ranges = ranges.map(rangeOf);
  }

  /** The address lies in one of them; what is no address does not. */
  has(text: string): boolean {
    if (isIP(text) === 0) return false;
    const address = ipaddr.process(text);
    return this.#ranges.some(
      ([range, bits]) => range.kind() === address.kind() && address.match(range, bits),
    );
  }
}

function rangeOf(text: string): [Address, number] {
  const [, address = '', given] = /^([\da-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  if (isIP(address) === 0) throw new RangeError(text);
  const range = ipaddr.parse(address);
  const length = range.toByteArray().length * 8;
  const bits = given === undefined ? length : Number(given);
  if (bits > length) throw new RangeError(text);
  const isMapped = range instanceof ipaddr.IPv6 && range.isIPv4MappedAddress() && bits >= 96;
  return isMapped ? [range.toIPv4Address(), bits - 96] : [range, bits];
}
