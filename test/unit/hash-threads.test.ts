import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { afterAll, expect, it } from 'vitest';
import type * as HashThreads from '../../src/hash-threads.js';

// Threads of its own: those of the tests before it in this process are not known here.
const itself = new URL('../../src/hash-threads.js?own', import.meta.url);
const { compareInThread, hashInThread } = (await import(itself.href)) as typeof HashThreads;

/** Long enough to be killed in the middle of it. */
const SLOW = 13;
const FAST = 4;
const DIED = 'the thread of a hash died';
const threads: Worker[] = [];
const note = (thread: Worker) => void threads.push(thread);
process.on('worker', note);
afterAll(() => process.off('worker', note));

const end = (thread: Worker) => thread.terminate();
const right = async () => compareInThread('a password', await hashInThread('a password', FAST));

it('ends the job of a thread that dies while it starts, and goes on with another', async () => {
  const started = once(process, 'worker');
  const killed = expect(hashInThread('a password', SLOW)).rejects.toThrow(DIED);
  await started;
  await end(threads.at(-1)!);
  await killed;
  expect(await right()).toBe(true);
});

it('ends the job of a thread that dies with it, and goes on with another', async () => {
  await right();
  const ended = hashInThread('a password', SLOW).then(
    () => 'hashed',
    (error: Error) => error.message,
  );
  await end(threads.at(-1)!);
  // A thread that is in the middle of a hash may still tell it.
  expect(['hashed', DIED]).toContain(await ended);
  expect(await right()).toBe(true);
});

it('gives no job to a thread that died while it waited for one', async () => {
  await Promise.all([right(), right()]);
  await Promise.all(threads.map(end));
  const before = threads.length;
  expect(await right()).toBe(true);
  expect(threads.length).toBe(before + 1);
});

it('uses a thread again', async () => {
  await right();
  const before = threads.length;
  expect(await right()).toBe(true);
  expect(threads.length).toBe(before);
});
