import { expect, test } from 'vitest';
import { parseTime, parseTimediff } from '../../../src/models/query/time.js';
import { NOW } from './people.js';

test.each([
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['2024-02', '2024-02-01T00:00:00.000Z'],
  ['2024-02-29T10:20', '2024-02-29T10:20:00.000Z'],
  ['2024-02-29 10:20:30', '2024-02-29T10:20:30.000Z'],
  ['2024-02-29T10:20:30.4', '2024-02-29T10:20:30.400Z'],
  ['2024-02-29T10:20:30.123456789Z', '2024-02-29T10:20:30.123Z'],
  ['2024-02-29T10:20:30+09:00', '2024-02-29T01:20:30.000Z'],
  ['2024-02-29T10:20:30-0130', '2024-02-29T11:50:30.000Z'],
  ['2024-02-29T10:20:30+09', '2024-02-29T01:20:30.000Z'],
  ['0099-01-01', '0099-01-01T00:00:00.000Z'],
  ['0001-01-01', '0001-01-01T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999', '9999-12-31T23:59:59.999Z'],
])('the time %s is %s', (text, expected) => {
  expect(parseTime(text)?.toISOString()).toBe(expected);
});

test.each([
  '',
  'yesterday',
  '2023-02-29',
  '2024-13-01',
  '2024-00-10',
  '2024-01-01T24:00',
  '2024-01-01T10:60',
  '2024-01-01T10:20:60',
  '2024-01-01T10:20+24:00',
  '2024-1-1',
  '2024-01-01T10:20Zx',
  '1700000000',
  '0000-01-01',
  '0000-12-31T23:59:59Z',
  '0001-01-01T00:00+09:00',
  '9999-12-31T23:59-01:00',
])('%j is no time', (text) => {
  expect(parseTime(text)).toBeUndefined();
});

test.each([
  ['now', '2026-11-25T10:20:30.400Z'],
  ['now/d', '2026-11-25T00:00:00.000Z'],
  ['now/w', '2026-11-23T00:00:00.000Z'],
  ['now/m', '2026-11-01T00:00:00.000Z'],
  ['now - 30d', '2026-10-26T10:20:30.400Z'],
  ['now-30d', '2026-10-26T10:20:30.400Z'],
  ['now +1h', '2026-11-25T11:20:30.400Z'],
  ['now- 90 s', '2026-11-25T10:19:00.400Z'],
  ['now - 5m', '2026-11-25T10:15:30.400Z'],
  ['now/m - 1d', '2026-10-31T00:00:00.000Z'],
  ['now/w + 2w', '2026-12-07T00:00:00.000Z'],
])('%s is %s', (text, expected) => {
  expect(parseTimediff(text, NOW)?.toISOString()).toBe(expected);
});

test('the week of a Sunday began on the Monday before', () => {
  const sunday = new Date('2026-03-01T23:59:59.999Z');
  expect(parseTimediff('now/w', sunday)?.toISOString()).toBe('2026-02-23T00:00:00.000Z');
});

test.each([
  '',
  'NOW',
  'now/y',
  'now -  1d',
  'now 1d',
  'now - 1',
  'now - d',
  'now - 1y',
  'now - 1.5d',
  'now--1d',
])('%j is no relative time', (text) => {
  expect(parseTimediff(text, NOW)).toBeUndefined();
});

test.each(['now + 9999999999w', 'now + 500000w', 'now - 110000w'])(
  '%s is beyond what can be told',
  (text) => {
    expect(parseTimediff(text, NOW)).toBeUndefined();
  },
);
