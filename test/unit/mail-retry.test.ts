import { describe, expect, test } from 'vitest';
import { retryDelay, ServerPause } from '../../src/managers/mail-retry.js';

const MINUTE = 60_000;

test.each([
  [1, 0, 1000],
  [2, 1000, 2000],
  [4, 7000, 8000],
  [9, MINUTE, 20_000],
  [12, 10 * MINUTE, 150_000],
  [60, 20 * 60 * MINUTE, 60 * MINUTE],
])('attempt %i of a mail of %i ms is followed by about %i ms', (attempts, age, about) => {
  for (let round = 0; round < 20; round += 1) {
    const delay = retryDelay(attempts, age);
    expect(delay).toBeGreaterThanOrEqual(about * 0.8);
    expect(delay).toBeLessThanOrEqual(about * 1.2);
  }
});

describe('a mail server that is away', () => {
  test('is left alone, then tried by one mail, for at most 15 seconds at a time', () => {
    const pause = new ServerPause();
    let now = 0;
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const wait = pause.failed(now);
      waits.push(wait);
      expect(pause.allowed(10, now + wait - 1)).toBe(0);
      now += wait;
      expect(pause.allowed(10, now)).toBe(1);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    pause.answered();
    expect(pause.allowed(10, now)).toBe(10);
  });

  test('mails that fail together count as one failure', () => {
    const pause = new ServerPause();
    expect(pause.failed(0)).toBe(500);
    expect(pause.failed(100)).toBe(400);
    expect(pause.failed(499)).toBe(1);
    expect(pause.failed(500)).toBe(1000);
  });
});
