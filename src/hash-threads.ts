import { Worker } from 'node:worker_threads';

type Job = { password: string; cost: number } | { password: string; hash: string };

const worker = new URL('hash-worker.mjs', import.meta.url);
/** Threads that wait for work; as many as were ever needed at a time. */
const idle: Worker[] = [];

/** bcrypt hash of a password, made in a thread that gives way to the event loop. */
export function hashInThread(password: string, cost: number): Promise<string> {
  return run<string>({ password, cost });
}

/** True when the password is that of the bcrypt hash; found out in such a thread. */
export function compareInThread(password: string, hash: string): Promise<boolean> {
  return run<boolean>({ password, hash });
}

/** The caller bounds how many run at a time: see `HashQueue`. */
function run<T>(job: Job): Promise<T> {
  const thread = idle.pop() ?? new Worker(worker);
  // Keeps the process alive for as long as somebody waits for the hash.
  thread.ref();
  return new Promise<T>((resolve, reject) => {
    const failed = (error: Error) => reject(error);
    thread.once('error', failed);
    thread.once('message', (done: T) => {
      thread.off('error', failed);
      thread.unref();
      idle.push(thread);
      resolve(done);
    });
    thread.postMessage(job);
  });
}
