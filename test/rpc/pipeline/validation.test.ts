import { Struct } from '../../../src/gen/google/protobuf/struct.js';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { WireClient } from '../../wire-client.js';

let service: Service;
let tenant: Tenant;
let token: string;
let owner: string;
let client: WireClient;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
  token = await tokenOf(service, tenant, user_id);
  owner = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
  client = new WireClient(service.address);
});
afterAll(async () => {
  client.close();
  await service.close();
});

const update = (given: object) => service.call('UserProfile.update', given, token);

async function expectInvalid(answer: Promise<unknown>, key: string, reason = 'ERROR_INVALID_PARAMETER') {
  const refused = await refusal(answer);
  expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason });
  expect(refused.text).toContain(`(key = ${key}`);
}

/** An object of that many levels with a text at the bottom. */
function nested(levels: number): object {
  let value: unknown = 'bottom';
  for (let level = 0; level < levels; level += 1) value = { deeper: value };
  return value as object;
}

/** A field of a message: number, wire type 2, length, content. */
function field(number: number, content: Buffer): Buffer {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
  return Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(content.length)]), content]);
}

describe('P18: tags', () => {
  it('are kept as they are within the limits', async () => {
    const tags = {
      text: 'a.b$c',
      number: -1.5,
      flag: false,
      nothing: null,
      list: [1, 'two', [3, { four: 4 }], {}],
      constructor: 'x',
      toString: { prototype: 1 },
      '한국어 キー': 'ü😀',
      deep: nested(14),
    };
    const { tags: stored } = await update({ tags });
    expect(stored).toEqual(tags);
    expect((await service.call('UserProfile.get', {}, token)).tags).toEqual(tags);
  });

  it('may be empty, which removes what was there', async () => {
    await update({ tags: { one: 1 } });
    expect((await update({ tags: {} })).tags).toEqual({});
  });

  it('are trimmed, keys and values', async () => {
    expect((await update({ tags: { ' team ': ' one ' } })).tags).toEqual({ team: 'one' });
  });

  it.each<[string, object]>([
    ['a key that is an operator of the database', { $gt: '' }],
    ['such a key further down', { list: [{ $where: '1' }] }],
    ['a key with a dot', { 'a.b': 1 }],
    ['a key with NUL', { 'a\u0000b': 1 }],
    ['an empty key', { '': 1 }],
    ['a blank key', { ' ': 1 }],
    ['a key that blanks hide', { ' $set': 1 }],
    ['more than 16 levels', nested(17)],
    ['more than 10,000 values', { list: Array.from({ length: 10_001 }, () => []) }],
    ['more than 64 KiB', { text: 'x'.repeat(65_536) }],
    ['more than 64 KiB in other characters', { text: '가'.repeat(22_000) }],
  ])('are refused with %s', async (_what, tags) => {
    await expectInvalid(update({ tags }), 'tags');
    await expectInvalid(create({ tags }), 'tags');
  });

  it.each(['__proto__', ' __proto__ '])('are refused with the key %j, at the top and below', async (key) => {
    const struct = (value: Buffer) => Buffer.concat([field(1, Buffer.from(key)), field(2, value)]);
    const text = field(3, Buffer.from('polluted'));
    const top = field(1, struct(text));
    const below = field(
      1,
      Buffer.concat([field(1, Buffer.from('a')), field(2, field(5, field(1, struct(text))))]),
    );
    for (const tags of [top, below]) {
      await expectInvalid(client.callWithBytes('UserProfile.update', field(5, tags), token), 'tags');
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([NaN, Infinity, -Infinity])(
    'are refused with the number %s, which JSON cannot hold',
    async (number) => {
      const bytes = Buffer.alloc(9, 17);
      bytes.writeDoubleLE(number, 1);
      const tags = field(1, Buffer.concat([field(1, Buffer.from('n')), field(2, bytes)]));
      await expectInvalid(client.callWithBytes('UserProfile.update', field(5, tags), token), 'tags');
    },
  );

  it.each([17, 40, 100, 1000, 10_000])('nested %i deep are refused without harm', async (levels) => {
    let struct: Buffer = Buffer.from(Struct.encode({ fields: { end: 1 } }).finish());
    for (let level = 1; level < levels; level += 1) {
      struct = field(1, Buffer.concat([field(1, Buffer.from('a')), field(2, field(5, struct))]));
    }
    const refused = await refusal(client.callWithBytes('UserProfile.update', field(5, struct), token));
    expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
    const credentials = field(1, struct);
    const signIn = Buffer.concat([
      credentials,
      Buffer.from([16, 1]),
      field(21, Buffer.from(tenant.domain_id)),
    ]);
    expect([status.INVALID_ARGUMENT, status.UNAUTHENTICATED]).toContain(
      (await refusal(client.callWithBytes('Token.issue', signIn))).code,
    );
  });
});

const create = (given: object) =>
  service.call(
    'WorkspaceUser.create',
    { user_id: 'new@x.io', auth_type: 'LOCAL', password: 'Passw0rd!', role_id: 'r', ...given },
    owner,
  );

describe('P19: names and texts', () => {
  it.each([
    'Zoë 김민지 Δημήτρης',
    '佐藤\u3000陽翔',
    'Ḿ́a̧r̨ìa',
    'می‌خواهم',
    '👩‍👩‍👧 family',
    'O’Brien-Smith, Jr. <3',
  ])('in any script are kept: %s', async (name) => {
    expect((await update({ name })).name).toBe(name);
  });

  it.each<[string, object, string]>([
    ['a control character', { name: 'a\u0007b' }, 'name'],
    ['a line break', { name: 'a\r\nBcc: b@x.io' }, 'name'],
    ['a zero width space', { name: 'a\u200bb' }, 'name'],
    ['text that turns its direction', { name: 'a\u202eb' }, 'name'],
    ['a line separator', { name: 'a\u2028b' }, 'name'],
    ['more than 128 characters', { name: 'n'.repeat(129) }, 'name'],
    ['an address with a line break', { email: 'a@x.io\nBcc: b@y.io' }, 'email'],
    ['a long language', { language: 'en-Latn-GB' }, 'language'],
    ['a language that is a path', { language: '../en' }, 'language'],
    ['a time zone that is a path', { timezone: '../../etc/passwd' }, 'timezone'],
    ['a time zone of nowhere', { timezone: 'Asia/Nowhere' }, 'timezone'],
  ])('are refused with %s', async (_what, given, key) => {
    await expectInvalid(update(given), key);
    await expectInvalid(create(given), key);
  });

  it.each(['nope', 'a@b', 'a@x.io,b@y.io', 'a@x.io b@y.io', '"a b"@x.io', `${'a'.repeat(65)}@x.io`])(
    'are refused when %j should be one address',
    async (email) => {
      for (const send of [update, create]) {
        const refused = await refusal(send({ email }));
        expect(refused).toMatchObject({
          code: status.INVALID_ARGUMENT,
          reason: 'ERROR_INCORRECT_EMAIL_FORMAT',
        });
      }
    },
  );

  it('D-38 are left as they are by an empty one, which the wire cannot tell from none', async () => {
    await update({ name: 'Kept' });
    expect((await update({ name: '', email: '', timezone: '' })).name).toBe('Kept');
  });
});

describe('messages', () => {
  it.each<[string, Buffer]>([
    ['a field that ends too early', Buffer.from([10, 200, 1, 2])],
    ['a group that never ends', Buffer.from([11, 8, 1])],
    ['an endless varint', Buffer.alloc(20, 255)],
    ['a tag that cannot be', Buffer.from([0, 0, 0])],
    ['text that is no UTF-8', Buffer.from([10, 2, 0xc3, 0x28])],
    ['half a character', Buffer.from([10, 3, 0xed, 0xa0, 0x80])],
    ['a string where a struct should be', field(5, Buffer.from('just text'))],
  ])('with %s are refused', async (_what, bytes) => {
    await expectInvalid(client.callWithBytes('UserProfile.update', bytes, token), 'request');
  });

  it('with unknown fields are taken', async () => {
    const bytes = Buffer.concat([field(1, Buffer.from('Known')), field(999, Buffer.from('unknown'))]);
    expect((await client.callWithBytes('UserProfile.update', bytes, token)).name).toBe('Known');
  });

  it('are looked at only after their caller', async () => {
    const refused = await refusal(client.callWithBytes('UserProfile.update', Buffer.from([10, 200, 1])));
    expect(refused.code).toBe(status.UNAUTHENTICATED);
  });
});
