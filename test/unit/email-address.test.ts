import { expect, test } from 'vitest';
import { isEmailAddress, mailboxKey, parseMailbox } from '../../src/email-address.js';

test.each([
  'a@b.co',
  'first.last+tag@mail.example.com',
  "o'brien_x@example.org",
  'USER@EXAMPLE.COM',
  'user@bücher.example',
  'user@한국.kr',
  'user@xn--bcher-kva.example',
  `${'a'.repeat(64)}@example.com`,
])('takes %s', (address) => {
  expect(isEmailAddress(address)).toBe(true);
});

test.each([
  '',
  '@',
  'a',
  'a@b',
  'a@',
  '@b.co',
  'a@b..co',
  'a@.b.co',
  'a@b.co.',
  'a@-b.co',
  'a@b-.co',
  '.a@b.co',
  'a.@b.co',
  'a..b@c.co',
  'a@b.co,c@d.co',
  'a@b.co;c@d.co',
  'a@b.co c@d.co',
  ' a@b.co',
  'a@b.co ',
  'a@b.co\n',
  'a@b.co\r\nBcc: c@d.co',
  'a\u0000@b.co',
  'a@b@c.co',
  '"a b"@c.co',
  '"a@evil.example"@c.co',
  '<a@b.co>',
  'Eve <a@b.co>',
  'a(comment)@b.co',
  'a@[127.0.0.1]',
  'a@127.0.0.1',
  'a@b.co%00',
  'a@ｂ.co',
  'a@ﬁrm.example',
  'a@b。co',
  'ä@b.co',
  'a\u202e@b.co',
  'a@ex\ufe0fample.com',
  'a@ex\u034fample.com',
  'a@b_c.co',
  `${'a'.repeat(65)}@example.com`,
  `a@${'b'.repeat(64)}.co`,
  `a@${'b.'.repeat(130)}co`,
])('D-21 refuses %j', (address) => {
  expect(isEmailAddress(address)).toBe(false);
});

test('reads a sender with and without a name', () => {
  expect(parseMailbox('Identity <no-reply@example.com>')).toEqual({
    name: 'Identity',
    address: 'no-reply@example.com',
  });
  expect(parseMailbox('"Acme, Inc." <a@b.co>')).toEqual({ name: 'Acme, Inc.', address: 'a@b.co' });
  expect(parseMailbox('a@b.co')).toEqual({ name: '', address: 'a@b.co' });
  expect(parseMailbox('a@b.co, c@d.co')).toBeUndefined();
  expect(parseMailbox('A <a@b.co> <c@d.co>')).toBeUndefined();
  expect(parseMailbox('A\r\nBcc: x@y.co <a@b.co>')).toBeUndefined();
});

test('counts every spelling of an address as one mailbox', () => {
  for (const [spelling, ...others] of [
    ['user@bücher.example', 'USER@Bücher.Example', 'user@BÜCHER.example', 'User@XN--BCHER-KVA.example'],
    ['user@한국.kr', 'user@xn--3e0b707e.KR'],
    ['a.b+c@example.com', 'A.B+C@EXAMPLE.COM'],
  ] as const) {
    const all = [spelling, ...others];
    expect(all.filter((one) => !isEmailAddress(one))).toEqual([]);
    expect(new Set(all.map(mailboxKey)).size).toBe(1);
  }
  expect(mailboxKey('user@bücher.example')).not.toBe(mailboxKey('user@bucher.example'));
  expect(mailboxKey('user1@example.com')).not.toBe(mailboxKey('user2@example.com'));
});
