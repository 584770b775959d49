import type { DescMethod } from '@bufbuild/protobuf';
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { bytesOf, filled, messageOf, shown } from './messages.js';
import type { Filling, Tree } from './messages.js';
import { Known } from './values.js';
import { callers } from './world.js';
import type { Caller } from './world.js';

/** A change of the bytes of a message. */
type Damage = { cut: number } | { at: number; byte: number } | { insert: Uint8Array; at: number };

export interface Case {
  caller: Caller;
  /** Which header carries the token. */
  carrier: string;
  headers: Record<string, string | Known>;
  messages: Tree[];
  damages: Damage[];
  /** In place of the messages. */
  raw?: Uint8Array;
}

const header = fc.oneof(
  fc
    .string({ unit: 'grapheme-ascii', maxLength: 80 })
    .map((text) => text.replace(/[^\x20-\x7e]/g, '').trim()),
  fc.constantFrom('1', '-1', 'null', 'a'.repeat(4000), '203.0.113.7, 198.51.100.1', '${x}', '../..', '500'),
);
const headers: Arbitrary<Case['headers']> = fc.dictionary(
  fc.constantFrom(
    'x-request-id',
    'traceparent',
    'x-forwarded-for',
    'x-forwarded-host',
    'bootstrap-secret',
    'x-subject-token',
    'edge-status',
    'edge-code',
    'edge-path',
    'authorization',
    'x-auth-token',
    'token',
    'accept-language',
    'transaction_id',
  ),
  header,
  { maxKeys: 3, noNullPrototype: true },
);
const damage: Arbitrary<Damage> = fc.oneof(
  fc.record({ cut: fc.nat(200) }),
  fc.record({ at: fc.nat(200), byte: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ insert: fc.uint8Array({ maxLength: 12 }), at: fc.nat(200) }),
);

/** Cases of a method: mostly whole messages, some damaged ones, some bytes that never were a message. */
export function casesOf({ input }: DescMethod, welcome: readonly Caller[]): Arbitrary<Case> {
  const near = messageOf(input, true).map((tree) => [tree]);
  const wild = messageOf(input, false).map((tree) => [tree]);
  const twice = fc.tuple(messageOf(input, true), messageOf(input, false)).map((both): Tree[] => both);
  const call = {
    caller: fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom(...callers) },
      { weight: 4, arbitrary: fc.constantFrom(...(welcome.length > 0 ? welcome : callers)) },
    ),
    carrier: fc.constantFrom('token', 'token', 'token', 'x-auth-token', 'authorization'),
    headers: fc.oneof(
      { weight: 6, arbitrary: fc.constant<Case['headers']>({}) },
      { weight: 1, arbitrary: fc.constant<Case['headers']>({ 'x-subject-token': new Known('token') }) },
      { weight: 2, arbitrary: headers },
    ),
  };
  const messages = fc.oneof(
    { weight: 8, arbitrary: near },
    { weight: 3, arbitrary: wild },
    { weight: 1, arbitrary: twice },
  );
  const whole = fc.record({ ...call, messages, damages: fc.constant<Damage[]>([]) });
  const damages = fc.array(damage, { minLength: 1, maxLength: 3 });
  const damaged = fc.record({ ...call, messages, damages });
  const nothing = { messages: fc.constant<Tree[]>([]), damages: fc.constant<Damage[]>([]) };
  // Often a plausible beginning: a low field number and a length that fits.
  const tail = fc.uint8Array({ maxLength: 60 });
  const field = fc
    .tuple(fc.integer({ min: 1, max: 25 }), tail)
    .map(([number, bytes]) => new Uint8Array([...tagOf(number), bytes.length, ...bytes]));
  const raw = fc.record({ ...call, ...nothing, raw: fc.oneof(tail, field) });
  return fc.oneof<Arbitrary<Case>[]>(
    { weight: 14, arbitrary: whole } as never,
    { weight: 3, arbitrary: damaged } as never,
    { weight: 3, arbitrary: raw } as never,
  );
}

/** The tag of a field with a length, as a varint. */
function tagOf(number: number): number[] {
  const tag = (number << 3) | 2;
  return tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7];
}

/** The bytes of a case. */
export function encoded({ input }: DescMethod, given: Case, filling: Filling): Buffer {
  if (given.raw) return Buffer.from(given.raw);
  const whole = Buffer.concat(given.messages.map((tree) => bytesOf(input, tree, filling)));
  return given.damages.reduce<Buffer>(damagedBy, whole);
}

function damagedBy(bytes: Buffer, one: Damage): Buffer {
  if ('cut' in one) return bytes.subarray(0, bytes.length - Math.min(one.cut, bytes.length));
  const at = bytes.length === 0 ? 0 : one.at % bytes.length;
  const [insert, skip] = 'insert' in one ? [one.insert, 0] : [[one.byte], 1];
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(insert), bytes.subarray(at + skip)]);
}

/** The metadata of a case. */
export function metadataOf(
  { carrier, headers: given }: Case,
  token: string | undefined,
  filling: Filling,
): Record<string, string> {
  const more = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, filled(value, filling)]),
  );
  if (!token) return more;
  return { ...more, [carrier]: carrier === 'authorization' ? `Bearer ${token}` : token };
}

/** A case for people who look for what went wrong. */
export function showCase(given: Case): string {
  const { caller, headers: more, messages, damages, raw } = given;
  return shown({
    caller,
    ...(Object.keys(more).length > 0 ? { headers: more } : {}),
    ...(raw ? { raw } : { messages, damages }),
  });
}
