import { describe, expect, it } from 'vitest';
import { IdentityError } from '../../src/errors.js';
import { Turns } from '../../src/turns.js';

const settings = { atATime: 2, waiting: 3, waitingInAll: 4 };
const busy = expect.objectContaining({ reason: 'ERROR_TOO_BUSY' });

/** Work that lasts until it is told to end. */
function held() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { work: () => ended, end };
}

describe('Turns', () => {
  it('lets so many work at a time for a key, the first come first', async () => {
    const turns = new Turns(settings);
    const works = [held(), held(), held(), held()];
    const begun: number[] = [];
    const all = works.map(({ work }, index) =>
      turns.run({}, 'key', () => {
        begun.push(index);
        return work();
      }),
    );
    await turns.run({}, 'another key', async () => {});
    expect(begun).toEqual([0, 1]);
    works[1]!.end();
    await all[1];
    await turns.run({}, 'another key', async () => {});
    expect(begun).toEqual([0, 1, 2]);
    for (const { end } of works) end();
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3]);
    expect(turns.size).toBe(0);
  });

  it('refuses at once when too many wait, for a key or for all together, and takes them again afterwards', async () => {
    const turns = new Turns(settings);
    const { work, end } = held();
    const first = Array.from({ length: 5 }, () => turns.run({}, 'one', work));
    await expect(turns.run({}, 'one', work)).rejects.toEqual(busy);
    const second = Array.from({ length: 3 }, () => turns.run({}, 'two', work));
    await expect(turns.run({}, 'two', work)).rejects.toEqual(busy);
    end();
    await Promise.all([...first, ...second]);
    await turns.run({}, 'one', work);
    expect(turns.size).toBe(0);
  });

  it('hands the turn on after work that fails', async () => {
    const turns = new Turns({ ...settings, atATime: 1 });
    const failing = () => Promise.reject(new IdentityError('ERROR_LOGIN_BLOCKED'));
    const outcomes = await Promise.allSettled(Array.from({ length: 3 }, () => turns.run({}, 'key', failing)));
    expect(outcomes.map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    expect(turns.size).toBe(0);
  });

  it('gives the place of a call away only while it waits', async () => {
    const turns = new Turns({ ...settings, atATime: 1 });
    let aside = 0;
    const patient = {
      aside: async <T>(wait: Promise<T>) => {
        aside += 1;
        return wait.finally(() => (aside -= 1));
      },
    };
    const { work, end } = held();
    const seen: number[] = [];
    const first = turns.run(patient, 'key', work);
    const second = turns.run(patient, 'key', () => Promise.resolve(seen.push(aside)));
    expect(aside).toBe(1);
    end();
    await Promise.all([first, second]);
    expect(aside).toBe(0);
    expect(seen).toEqual([0]);
  });
});
