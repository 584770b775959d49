import { expect, test } from 'vitest';
import { AddressRanges } from '../../src/address-ranges.js';

test.each([
  ['10.0.0.7', '10.0.0.7', '10.0.0.8'],
  ['10.0.0.0/8', '10.255.1.2', '11.0.0.0'],
  ['10.0.0.9/24', '10.0.0.1', '10.0.1.1'],
  ['10.0.0.0/8', '::ffff:10.1.2.3', '::ffff:11.1.2.3'],
  ['::ffff:10.0.0.0/104', '10.1.2.3', '11.1.2.3'],
  ['::ffff:10.0.0.7', '::ffff:a00:7', '10.0.0.8'],
  ['::1', '0:0:0:0:0:0:0:1', '127.0.0.1'],
  ['2001:db8::/32', '2001:DB8:1::2', '2001:db9::'],
  ['::/0', '2001:db8::1', '10.0.0.1'],
  ['::/0', 'fe80::1%eth0', '::ffff:10.0.0.1'],
  ['0.0.0.0/0', '192.0.2.1', '::1'],
  ['10.0.0.1', '10.0.0.1', 'somewhere'],
])('%s holds %s and not %s', (range, inside, outside) => {
  const ranges = new AddressRanges(['192.168.77.1', range]);
  expect(ranges.has(inside)).toBe(true);
  expect(ranges.has(outside)).toBe(false);
});

test('none hold nothing', () => {
  expect(new AddressRanges([]).has('127.0.0.1')).toBe(false);
});
