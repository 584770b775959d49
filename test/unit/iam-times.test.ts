import { describe, expect, it } from 'vitest';
import { csmsTime, osUserTime, tokenTime, userTime } from '../../src/handlers/iam/times.js';

const at = (text: string) => new Date(text);

describe('times of the IAM systems', () => {
  it.each([
    ['2020-07-08T02:19:03.000Z', '2020-07-08 02:19:03.0'],
    ['2020-07-08T02:19:03.100Z', '2020-07-08 02:19:03.1'],
    ['2020-07-08T02:19:03.120Z', '2020-07-08 02:19:03.12'],
    ['2020-07-08T02:19:03.123Z', '2020-07-08 02:19:03.123'],
    ['2020-07-08T02:19:03.010Z', '2020-07-08 02:19:03.01'],
    ['2020-07-08T02:19:03.001Z', '2020-07-08 02:19:03.001'],
    // Another zone is UTC here.
    ['2020-07-08T00:30:00+02:00', '2020-07-07 22:30:00.0'],
  ])('%s is %s for OS-USER', (given, shown) => {
    expect(osUserTime(at(given))).toBe(shown);
  });

  it('CSMS has milliseconds, always three digits', () => {
    expect(csmsTime(at('2022-04-13T16:57:36.532Z'))).toBe('2022-04-13 16:57:36.532');
    expect(csmsTime(at('2022-04-13T16:57:36Z'))).toBe('2022-04-13 16:57:36.000');
  });

  it('tokens have microseconds and Z', () => {
    expect(tokenTime(at('2016-12-07T00:00:00.250Z'))).toBe('2016-12-07T00:00:00.250000Z');
  });

  it('users have microseconds, and Z only where it is asked for', () => {
    expect(userTime(at('2016-12-07T00:00:00Z'), false)).toBe('2016-12-07T00:00:00.000000');
    expect(userTime(at('2016-12-07T00:00:00Z'), true)).toBe('2016-12-07T00:00:00.000000Z');
  });

  it('what never was is null', () => {
    expect([osUserTime(undefined), csmsTime(undefined), userTime(undefined, true)]).toEqual([
      null,
      null,
      null,
    ]);
  });
});
