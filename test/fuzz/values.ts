import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { fieldNames } from './descriptor.js';

/** Stands for something real that is only known when the case runs: an id, a token, a password. */
export class Known {
  constructor(readonly name: KnownName) {}

  toJSON(): string {
    return `<${this.name}>`;
  }
}

/** What can be known, under the names that fields have. */
export const knownNames = [
  'domain_id',
  'domain_name',
  'workspace_id',
  'user_id',
  'admin_id',
  'opaque_id',
  'role_id',
  'email',
  'password',
  'token',
] as const;
export type KnownName = (typeof knownNames)[number];

/** Known things that suit a field of that name; any may stand in the wrong place as well. */
const suiting: [RegExp, KnownName][] = [
  [/domain_id$|parent_id/, 'domain_id'],
  [/(workspace|project)_id$/, 'workspace_id'],
  [/role_id$/, 'role_id'],
  [/^id$|marker|actor/, 'opaque_id'],
  [/user_?(id|name)|^value$|^v$/, 'user_id'],
  [/^name$|keyword/, 'domain_name'],
  [/email|address/, 'email'],
  [/password|passcode/, 'password'],
  [/token/, 'token'],
];

/** Plain values of fields that stand for no thing. */
const usual: [RegExp, readonly string[]][] = [
  [
    /^(key|k|only|distinct|path|sort)$/,
    ['name', 'state', 'user_id', 'created_at', 'tags.team', 'role_binding_info'],
  ],
  [/^(operator|o)$/, ['eq', 'in', 'contain', 'regex', 'exists', 'count', 'sum', 'push', 'datetime_gt']],
  [/language/, ['en', 'ko']],
  [/timezone/, ['Asia/Seoul']],
  [/mfa_type/, ['EMAIL', 'OTP']],
  [/methods/, ['password', 'totp', 'token']],
  [/permissions/, ['identity:*']],
  [/enabled|nocatalog/, ['true', 'false']],
  [/state/, ['ENABLED', 'DISABLED']],
  [/role_type/, ['WORKSPACE_MEMBER', 'WORKSPACE_OWNER']],
  [/(_at|from|since|until|to)$/, ['2026-01-01T00:00:00Z']],
  [/date_format/, ['%Y-%m']],
  [/code/, ['123456']],
  [/password/, ['N3w-Passw0rd!']],
];

/** Words that query languages, this one's and the database's, give a meaning. */
const operators = (
  'eq not in not_in contain not_contain contain_in not_contain_in regex regex_in exists match lt lte gt gte ' +
  'datetime_lt datetime_gte timediff_gt sum average max min count size push add_to_set first date add subtract ' +
  'multiply concat ifNull $where $gt $ne $function $expr $regex $set $lookup $$ROOT a.b.c tags.$[] memberships'
).split(' ');

const plain = (
  'LOCAL EXTERNAL MFA EMAIL OTP en ko Asia/Seoul 123456 password totp token true false 1 0 -1 ENABLED DISABLED ' +
  'DOMAIN_ADMIN WORKSPACE_OWNER identity:* * 2026-01-01T00:00:00Z now-1d null'
).split(' ');

const nasty = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\r\nBcc: someone@example.com',
  '\u202Eexe.txt',
  '\uFEFFadmin@example.com',
  'ａｄｍｉｎ@example.com',
  'аdmin@example.com',
  'ADMIN@EXAMPLE.COM',
  'admin@example.com\u200B',
  'ı@example.com',
  'ﬃ',
  'e\u0301'.repeat(200),
  '\uD83D\uDC69\u200D\uD83D\uDC67',
  '\uFFFF',
  "' OR '1'='1",
  '"a b"@example.com',
  'a@example.com,b@example.com',
  '../../../etc/passwd',
  '{{constructor.constructor("return 1")()}}',
  '${7*7}',
  '%00%0a%s%n',
  '<script>alert(1)</script>',
  '(a+)+$',
  '(?=a)*[[:alpha:]]\\1',
  '[',
  '\\',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '9'.repeat(400),
  '-1e999',
  'NaN',
  '99999-12-31T23:59:60Z',
];

const long = fc
  .tuple(
    fc.constantFrom(65, 129, 256, 1025, 65_537, 200_000),
    fc.constantFrom('x', '\u{1f600}'),
    fc.boolean(),
  )
  // Of two code units each, and cut at an even or an odd place.
  .map(([length, character, odd]) => (odd ? 'x' : '') + character.repeat(length / character.length));

/** Any text: nasty, in any script, long, or one with a meaning elsewhere. */
const anyText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...nasty) },
  { weight: 3, arbitrary: fc.constantFrom(...operators, ...plain) },
  { weight: 2, arbitrary: fc.constantFrom(...fieldNames) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.emailAddress() },
  { weight: 1, arbitrary: long },
);

/** Text for a field: any; or, most of the time when `near`, something that suits its name. */
export function textFor(field: string, near: boolean): Arbitrary<string | Known> {
  const fits = suiting.find(([pattern]) => pattern.test(field))?.[1];
  const values = usual.find(([pattern]) => pattern.test(field))?.[1];
  const known = fc.constantFrom(...knownNames).map((name) => new Known(name));
  const suits: Arbitrary<string | Known>[] = [
    ...(fits ? [fc.constant(new Known(fits))] : []),
    ...(values ? [fc.constantFrom(...values)] : []),
    // Somebody new, where ids and addresses of people are given.
    ...(fits === 'user_id' || fits === 'email' ? [fc.emailAddress({ size: 'small' })] : []),
  ];
  if (suits.length === 0) suits.push(fc.constantFrom(...plain));
  return fc.oneof(
    { weight: 4, arbitrary: anyText },
    { weight: 1, arbitrary: known },
    { weight: near ? 60 : 3, arbitrary: fc.oneof(...suits) },
  );
}

export const anyDouble = fc.oneof(
  fc.constantFrom(NaN, Infinity, -Infinity, -0, 1e308, 5e-324, 2 ** 53 + 2, -1, 0, 1, 1.5),
  fc.double(),
);

/** Numbers around the bounds of integers of that many bits; mostly small ones when `near`. */
export function anyInteger(bits: 32 | 64, signed: boolean, near: boolean): Arbitrary<bigint> {
  const [least, most] = signed
    ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n]
    : [0n, 2n ** BigInt(bits) - 1n];
  const edges = [least, most, 0n, 1n, 2n, 1000n, 1001n, most / 1000n, most - 1n];
  return fc.oneof(
    { weight: near ? 20 : 1, arbitrary: fc.bigInt({ min: 0n, max: 20n }) },
    { weight: 2, arbitrary: fc.constantFrom(...edges) },
    { weight: 1, arbitrary: fc.bigInt({ min: least, max: most }) },
  );
}

/** What JSON can hold and, as numbers, what it cannot. */
export type Json = null | boolean | number | string | Known | Json[] | { [key: string]: Json };

const keys = fc.oneof(
  fc.constantFrom('$where', '$gt', '__proto__', 'constructor', 'a.b', '', 'toString', '\u0000', 'tags'),
  fc.constantFrom(...fieldNames),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

function nested(levels: number, list: boolean): Json {
  let value: Json = 1;
  for (let level = 0; level < levels; level += 1) value = list ? [value] : { a: value };
  return value;
}

const sized = fc.oneof(
  fc
    .tuple(fc.constantFrom(15, 16, 17, 100, 1000), fc.boolean())
    .map(([levels, list]) => nested(levels, list)),
  fc.constantFrom(101, 1001, 10_001).map((length): Json => new Array<Json>(length).fill(1)),
);

const { value, object } = fc.letrec<{ value: Json; object: { [key: string]: Json }; list: Json[] }>(
  (tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 2, arbitrary: fc.constantFrom<Json>(null, true, false) },
      { weight: 4, arbitrary: textFor('value', false) },
      { weight: 2, arbitrary: anyDouble },
      { weight: 2, arbitrary: tie('object') },
      { weight: 2, arbitrary: tie('list') },
    ),
    object: fc
      .array(fc.tuple(keys, tie('value')), { maxLength: 5 })
      .map((pairs) => Object.fromEntries(pairs)),
    list: fc.array(tie('value'), { maxLength: 6 }),
  }),
);

const wildJson: Arbitrary<Json> = fc.oneof({ weight: 12, arbitrary: value }, { weight: 1, arbitrary: sized });

/** What people write. */
const mildScalar: Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 1, 'text'),
  fc.constantFrom(...knownNames).map((name) => new Known(name)),
  fc.constantFrom(...plain),
);
const mildJson: Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: mildScalar },
  { weight: 1, arbitrary: fc.array(mildScalar, { maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: fc.dictionary(fc.constantFrom('team', 'id', 'name', 'domain', 'project'), mildScalar),
  },
);

const scopes = fc.constantFrom<Json>(
  'unscoped',
  { project: { id: new Known('workspace_id') } },
  { domain: { id: new Known('domain_id') } },
  { project: { name: 'alpha', domain: { name: new Known('domain_name') } } },
);

/** Anything for a google.protobuf.Value; mostly what people write in that field when `near`. */
export function anyJson(field: string, near: boolean): Arbitrary<Json> {
  const suits: Arbitrary<Json> =
    field === 'enabled' ? fc.boolean() : field === 'scope' ? scopes : fc.oneof(mildScalar, mildJson);
  return fc.oneof(
    { weight: near ? 30 : 2, arbitrary: suits },
    { weight: 1, arbitrary: mildJson },
    { weight: 3, arbitrary: wildJson },
  );
}

/** A google.protobuf.Struct: anything, or (`near`) what somebody would sign in with, or tags. */
export function anyStruct(near: boolean): Arbitrary<Json> {
  const signIn = fc.record({ user_id: textFor('user_id', near), password: textFor('password', near) });
  const tags = fc.dictionary(fc.constantFrom('team', 'cost centre', '한국어'), mildJson);
  const deep = fc.constantFrom(15, 16, 17, 1000).map((levels) => nested(levels, false));
  return fc.oneof(
    { weight: near ? 10 : 1, arbitrary: signIn },
    { weight: near ? 10 : 1, arbitrary: tags },
    { weight: 3, arbitrary: object },
    { weight: 1, arbitrary: deep },
  );
}
