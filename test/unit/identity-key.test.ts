import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identityKey } from '../../src/ids.js';

const every = Array.from({ length: 0x11_0000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));
const assigned = every.filter((character) => /[^\p{Cn}\p{Co}]/u.test(character));
const cased = assigned.filter((one) =>
  /[\p{Changes_When_Casemapped}\p{Changes_When_NFKC_Casefolded}]/u.test(one),
);
const marks = assigned.filter((character) => /\p{M}/u.test(character));

const hex = (text: string) => Array.from(text, (one) => one.codePointAt(0)!.toString(16)).join(' ');
const named = (characters: readonly string[]) => characters.map(hex);

describe('the key of ids', () => {
  it.each([
    ['straße', 'STRASSE'],
    ['straße', 'STRAẞE'],
    ['groß', 'GROSS'],
    ['οδοσ', 'ΟΔΟΣ'],
    ['λόγος', 'λόγοσ'],
    ['λόγος@x', 'ΛΌΓΟΣ@x'],
    ['ᾳ', 'ΑΙ'],
    ['ᲀasya', 'Вasya'],
    ['ıd', 'Id'],
    ['ıd', 'id'],
    ['İd', 'i\u0307d'],
    ['K', 'k'],
    ['ﬁrm', 'FIRM'],
    ['ｎｅｗ', 'new'],
    ['é', 'e\u0301'],
    ['é', 'e\u034f\u0301'],
    ['a\u200bb', 'ab'],
  ])('is one for %j and %j', (one, other) => {
    expect(identityKey(one)).toBe(identityKey(other));
  });

  it.each([
    ['a', 'á'],
    ['ss', 's'],
    ['а', 'a'],
    ['o', '0'],
    ['user-1', 'user-l'],
  ])('is not one for %j and %j', (one, other) => {
    expect(identityKey(one)).not.toBe(identityKey(other));
  });

  it('is its own key, for every character there is', () => {
    expect(named(assigned.filter((one) => identityKey(identityKey(one)) !== identityKey(one)))).toEqual([]);
  });

  it('is one for every letter and all its cases and compositions', () => {
    const forms = (one: string) => {
      const cases = [one, one.toLowerCase(), one.toUpperCase()];
      const turned = cases.flatMap((form) => [form, form.toUpperCase(), form.toLowerCase()]);
      const composed = cases.flatMap((form) => [form.normalize('NFC'), form.normalize('NFKD')]);
      return new Set([...turned, ...composed]);
    };
    const apart = assigned.filter((one) =>
      [...forms(one)].some((form) => identityKey(form) !== identityKey(one)),
    );
    expect(named(apart)).toEqual([]);
  });

  it('is one for every two letters that a regular expression takes for the same when case does not count', () => {
    const all = cased.join('');
    const alike = (one: string) => all.match(new RegExp(`\\u{${hex(one)}}`, 'giu')) ?? [];
    const pairs = cased.flatMap((one) => alike(one).map((other) => [one, other] as const));
    expect(pairs.length).toBeGreaterThan(cased.length);
    expect(pairs.filter(([one, other]) => identityKey(one) !== identityKey(other)).flatMap(named)).toEqual(
      [],
    );
  });

  it('changes nothing that Unicode leaves alone, but for i without a dot and the capitals of Cherokee', () => {
    const changed = every.filter(
      (one) => identityKey(one) !== one && !/\p{Changes_When_NFKC_Casefolded}/u.test(one),
    );
    expect(changed.filter((one) => !/\p{Script=Cherokee}/u.test(one))).toEqual(['ı']);
  });

  it('is its own key and that of the other cases, whatever stands beside a letter', () => {
    const unit = fc.oneof(
      fc.constantFrom(...cased),
      fc.constantFrom(...marks),
      fc.constantFrom('\u034f', '\u200d'),
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), (text) => {
        const key = identityKey(text);
        const plain = text.replace(/[\u034f\u200d]/g, '').normalize('NFKC');
        for (const form of [key, plain, text.normalize('NFD'), plain.toUpperCase()]) {
          expect(identityKey(form)).toBe(key);
        }
      }),
      { seed: 36, numRuns: 3000 },
    );
  });
});
