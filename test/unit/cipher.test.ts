import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Cipher, UnsealError } from '../../src/cipher.js';

const cipher = new Cipher(randomBytes(32));

describe('sealing', () => {
  test('opens what was sealed, text and bytes', () => {
    expect(cipher.open(cipher.seal('{"한글": 1}', 'mail:1'), 'mail:1')).toBe('{"한글": 1}');
    expect(cipher.openBytes(cipher.seal(Buffer.from([0, 255, 1]), 'otp:1'), 'otp:1')).toEqual(
      Buffer.from([0, 255, 1]),
    );
    expect(cipher.open(cipher.seal('', 'mail:1'), 'mail:1')).toBe('');
  });

  test('never seals the same way twice, and shows nothing', () => {
    const [one, two] = [cipher.seal('482913', 'mail:1'), cipher.seal('482913', 'mail:1')];
    expect(one).not.toBe(two);
    expect(one).toMatch(/^v1\.[\w-]+$/);
    expect(Buffer.from(one.slice(3), 'base64url').toString('latin1')).not.toContain('482913');
  });

  test('D-17 refuses another context, another key and a changed value', () => {
    const sealed = cipher.seal('secret', 'mail:1');
    const last = sealed.at(-2) === 'A' ? 'B' : 'A';
    expect(() => cipher.open(sealed, 'mail:2')).toThrow(UnsealError);
    expect(() => new Cipher(randomBytes(32)).open(sealed, 'mail:1')).toThrow(UnsealError);
    expect(() => cipher.open(sealed.slice(0, -2) + last + sealed.at(-1)!, 'mail:1')).toThrow(UnsealError);
    for (const broken of ['', 'v1.', 'v1.AAAA', sealed.slice(3), sealed.slice(0, 30)]) {
      expect(() => cipher.open(broken, 'mail:1')).toThrow(UnsealError);
    }
  });
});

test('keyed hashes depend on key, context and text', () => {
  const mac = cipher.mac('code:1', '482913');
  expect(cipher.mac('code:1', '482913')).toBe(mac);
  const others = [cipher.mac('code:2', '482913'), cipher.mac('code:1', '482914')];
  expect(others).not.toContain(mac);
  expect(new Cipher(randomBytes(32)).mac('code:1', '482913')).not.toBe(mac);
});

test('compares texts of any length', () => {
  expect(cipher.equal('482913', '482913')).toBe(true);
  expect(cipher.equal('', '')).toBe(true);
  expect(cipher.equal('482913', '482914')).toBe(false);
  expect(cipher.equal('482913', '4829130')).toBe(false);
  expect(cipher.equal('', '4')).toBe(false);
});
