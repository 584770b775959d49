import { expect, it } from 'vitest';
import { HashQueue } from '../../src/hash-queue.js';

/** Work that ends when it is told to. */
function work(order: string[], name: string): { run: () => Promise<void>; end: () => void } {
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  return {
    run: () => {
      order.push(name);
      return ended;
    },
    end: () => end(),
  };
}

const reasonOf = (refused: Promise<unknown>) =>
  refused.then(
    () => 'ran',
    (error: { reason: string }) => error.reason,
  );

it('runs as many at a time as it may, then lets checks and new passwords take turns', async () => {
  const queue = new HashQueue({ concurrency: 1, maxWaitMs: 60_000 });
  const order: string[] = [];
  const first = work(order, 'first');
  const done = [queue.run('CHECK', first.run)];
  for (const name of ['check 1', 'check 2', 'check 3']) {
    const { run, end } = work(order, name);
    end();
    done.push(queue.run('CHECK', run));
  }
  for (const name of ['new 1', 'new 2']) {
    const { run, end } = work(order, name);
    end();
    done.push(queue.run('NEW', run));
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(['first']);
  first.end();
  await Promise.all(done);
  expect(order.slice(1)).toEqual(['check 1', 'new 1', 'check 2', 'new 2', 'check 3']);
});

it('goes on after work that failed', async () => {
  const queue = new HashQueue({ concurrency: 1, maxWaitMs: 0 });
  await expect(queue.run('CHECK', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await queue.run('CHECK', () => Promise.resolve('yes'))).toBe('yes');
});

it('refuses a check that would have to wait too long, with the time to wait, and takes a new password', async () => {
  const queue = new HashQueue({ concurrency: 1, maxWaitMs: 0 });
  const order: string[] = [];
  const first = work(order, 'first');
  const running = queue.run('CHECK', first.run);
  const early = queue.promise({ deadline: Infinity }, () => Promise.resolve());
  await expect(early).rejects.toThrow('ERROR_TOO_BUSY');
  const refused = queue.run('CHECK', () => Promise.resolve());
  await expect(refused).rejects.toMatchObject({ reason: 'ERROR_TOO_BUSY', retryAfterMs: 1 });
  const fresh = queue.run('NEW', () => Promise.resolve('stored'));
  first.end();
  await running;
  expect(await fresh).toBe('stored');
});

it('refuses what its caller would not wait for, and does not run what its caller no longer waits for', async () => {
  const queue = new HashQueue({ concurrency: 1, maxWaitMs: 60_000 });
  const order: string[] = [];
  const first = work(order, 'first');
  const running = queue.run('CHECK', first.run);
  expect(await reasonOf(queue.run('NEW', () => Promise.resolve(), { deadline: Date.now() }))).toBe(
    'ERROR_TOO_BUSY',
  );
  const late = queue.run('NEW', work(order, 'late').run, { deadline: Date.now() + 50 });
  await new Promise((resolve) => setTimeout(resolve, 60));
  first.end();
  expect(await reasonOf(late)).toBe('ERROR_REQUEST_TIMEOUT');
  expect(order).toEqual(['first']);
  await running;
});

it('keeps a promised turn, and gives it up when the work ends without it', async () => {
  const queue = new HashQueue({ concurrency: 1, maxWaitMs: 0 });
  const call = { deadline: Infinity };
  const other = { deadline: Infinity };
  const order: string[] = [];
  await queue.promise(call, async () => {
    expect(await reasonOf(queue.promise(other, () => Promise.resolve()))).toBe('ERROR_TOO_BUSY');
    expect(await reasonOf(queue.run('CHECK', () => Promise.resolve()))).toBe('ERROR_TOO_BUSY');
    expect(await reasonOf(queue.run('CHECK', () => Promise.resolve(order.push('promised')), call))).toBe(
      'ran',
    );
  });
  await queue.promise(other, () => Promise.resolve());
  expect(await reasonOf(queue.run('CHECK', () => Promise.resolve()))).toBe('ran');
  expect(order).toEqual(['promised']);
});

it('counts nobody who has hung up among those who wait', async () => {
  const queue = new HashQueue({ concurrency: 1, maxWaitMs: 0 });
  // Something to measure.
  await queue.run('NEW', () => new Promise((resolve) => setTimeout(resolve, 20)));
  const order: string[] = [];
  const first = work(order, 'first');
  const running = queue.run('CHECK', first.run);
  const retryAfterMs = () =>
    queue
      .run('CHECK', () => Promise.resolve())
      .catch((error: { retryAfterMs: number }) => error.retryAfterMs);
  const alone = await retryAfterMs();
  const caller = { deadline: Infinity };
  const gone = reasonOf(queue.run('NEW', work(order, 'gone').run, caller));
  expect(await retryAfterMs()).toBe(2 * alone!);
  caller.deadline = 0;
  expect(await retryAfterMs()).toBe(alone);
  first.end();
  await running;
  expect(await gone).toBe('ERROR_REQUEST_TIMEOUT');
  expect(order).toEqual(['first']);
});
