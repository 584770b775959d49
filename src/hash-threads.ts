import { Worker } from 'node:worker_threads';

type Job = { password: string; cost: number } | { password: string; hash: string };

const worker = new URL('hash-worker.mjs', import.meta.url);
/** Threads that wait for work; as many as were ever needed at a time. */
const idle = new Set<Worker>();

/**
 * bcrypt hash of a password, made in a thread that gives way to the event loop. Not piscina: no faster here, and a job
 * whose thread dies while it starts never ends there.
 * @throws Error when the thread dies.
 */
export function hashInThread(password: string, cost: number): Promise<string> {
  return run<string>({ password, cost });
}

/**
 * True when the password is that of the bcrypt hash; found out in such a thread.
 * @throws Error when the thread dies.
 */
export function compareInThread(password: string, hash: string): Promise<boolean> {
  return run<boolean>({ password, hash });
}

/** The caller bounds how many run at a time: see `HashQueue`. */
function run<T>(job: Job): Promise<T> {
  const [thread = started()] = idle;
  idle.delete(thread);
  // Keeps the process alive for as long as somebody waits for the hash.
  thread.ref();
  return new Promise<T>((resolve, reject) => {
    // A thread that is ended without an error only exits.
    const died = (cause: unknown) => reject(new Error('the thread of a hash died', { cause }));
    thread.once('error', died).once('exit', died);
    thread.once('message', (done: T) => {
      thread.off('error', died).off('exit', died).unref();
      idle.add(thread);
      resolve(done);
    });
    thread.postMessage(job);
  });
}

/** A thread that takes itself away when it dies; while it is idle nobody has to hear why. */
function started(): Worker {
  const thread = new Worker(worker);
  return thread.on('error', () => undefined).on('exit', () => idle.delete(thread));
}
