import { describe, expect, test } from 'vitest';
import { anyLiterally, compileRegex, literally } from '../../../src/models/query/regex.js';
import { refusal } from './refusal.js';

describe('expressions that are taken', () => {
  test.each([
    ['^ann', '^ann'],
    ['ann$', 'ann\\z'],
    ['kim|lee|park', 'kim|lee|park'],
    ['^(admin|owner)@', '^(?:admin|owner)@'],
    ['.*foo.*', 'foo'],
    ['^a.*b.*c', '^a[^\\n]*b[^\\n]*c'],
    ['foo.*bar', 'foo[^\\n]*bar'],
    ['\\d{4}-\\d+', '[0-9]{4}-[0-9]+'],
    ['[\\w.+-]+@\\S+', '[A-Za-z0-9_.+\\-]+@[^\\t-\\r ]+'],
    ['[\\s\\S]', '(?s:.)'],
    ['[^\\D]', '[\\x30\\x31\\x32\\x33\\x34\\x35\\x36\\x37\\x38\\x39]'],
    ['[\\S\\t]', '[^\\x0a\\x0b\\x0c\\x0d\\x20]'],
    ['^([a-z]+\\.)+io$', '^(?:[a-z]+\\.)+io\\z'],
    ['^[^@]+@[^@]+\\.[^@]+$', '^[^@]+@[^@]+\\.[^@]+\\z'],
    ['(\\d{1,3}\\.){3}\\d{1,3}', '(?:[0-9]{1,3}\\.){3}[0-9]{1,3}'],
    ['a{2,}?b??', 'a{2,}?b??'],
    ['\\bann\\b', '\\bann\\b'],
    ['\\x41\\u0042\\/\\-', 'AB\\/-'],
    ['[a&&b~|]', '[a\\&\\&b\\~\\|]'],
    ['[^a-f]', '[^a-f]'],
    ['한+글', '한+글'],
    ['', ''],
  ])('%s', (source, expected) => {
    expect(compileRegex(source, false).expression).toEqual({ $regex: expected, $options: 'i' });
  });

  test('below a dynamic field, where values have no bound, time may only grow as the value does', () => {
    for (const source of ['b.c$', 'kim|lee|park', '^a.*b', '^([a-z]+\\.)+io$', '[ab]{2,9}c']) {
      expect(compileRegex(source, true).expression).toEqual(compileRegex(source, false).expression);
    }
    for (const source of ['a.*b', '^a.*b.*c', '[^@]+@x']) {
      refusal(() => compileRegex(source, true), 'ERROR_DB_QUERY', 'may take too long');
    }
  });
});

describe('D-26: expressions that are refused', () => {
  const invalid = [
    '([',
    '(',
    ')',
    'a{2,1}',
    '*a',
    'a{,5}',
    'a{',
    '[b-a]',
    '\\Qa\\E',
    '\\1',
    '\\z',
    '[[:alpha:]]',
  ];
  const foreign = ['(?i)a', '(?>a)', 'a++', '(*UTF8)a', '(?#x)', '(?P<n>a)', '\\p{L}', '(?R)', '\\'];
  test.each([...invalid, ...foreign])('%s is not valid', (source) => {
    refusal(() => compileRegex(source, false), 'ERROR_DB_QUERY', 'is not valid');
  });

  test.each(['(?=a)b', '(?!a)b', '(?<=a)b', '(?<!a)b', '(a)\\1', '(?<n>a)', '(?<n>a)\\k<n>'])(
    '%s is not offered',
    (source) => {
      refusal(() => compileRegex(source, false), 'ERROR_DB_QUERY', 'not offered');
    },
  );

  test.each([
    '(a+)+$',
    '(a|a)*$',
    '(a|ab)*c',
    '(a*)*',
    '(x+x+)+y',
    '^(\\w+\\s?)*$',
    '(?:[a-z0-9]+-?)+$',
    '(.*)*',
    '(a|b|ab)+$',
  ])('%s repeats what can match in several ways', (source) => {
    refusal(() => compileRegex(source, false), 'ERROR_DB_QUERY', 'in several ways');
  });

  test.each([
    'a*a*a*a*b',
    'a.*b.*c',
    '^a.*b.*c.*d',
    '(.*a){12}',
    '(a?){30}a{30}',
    '(a|a){30}',
    '(a|b|ab){20}c',
  ])('%s may take too long', (source) => {
    refusal(() => compileRegex(source, false), 'ERROR_DB_QUERY', 'may take too long');
  });

  test.each(['a{1000}', '((a{100}){100}){100}', '(a{0,50}){0,50}b', 'a{2,100000}'])(
    '%s is too large',
    (source) => {
      refusal(() => compileRegex(source, false), 'ERROR_DB_QUERY', 'is too large');
    },
  );

  test.each(['\0', '\\0', '😀+', '\\cA', '[\\cJ]'])('a character that is not offered: %j', (source) => {
    refusal(() => compileRegex(source, false), 'ERROR_DB_QUERY', 'character');
  });
});

test.each(['[]', '[^]', 'a[]', '[^\\s\\S]'])('%s is an empty class', (source) => {
  refusal(() => compileRegex(source, false), 'ERROR_DB_QUERY', 'empty class');
});

test('many texts are few expressions, none of them too long for an engine', () => {
  expect(anyLiterally([])).toEqual([]);
  expect(anyLiterally(['a.b', 'c', 'a.b'])).toEqual([{ $regex: 'a\\.b|c', $options: 'i' }]);
  const many = anyLiterally(Array.from({ length: 10 }, (_, index) => `${index}`.repeat(256)));
  expect(many).toHaveLength(4);
  expect(Math.max(...many.map(({ $regex }) => $regex.length))).toBeLessThan(1000);
});

test('literal text stands for itself, whatever it looks like', () => {
  const text = '\\^$.*+?()[]{}|/-#&~ a\n';
  const { $regex, $options } = literally(text);
  expect(new RegExp(`^${$regex}$`, $options).test(text.toUpperCase())).toBe(true);
});
