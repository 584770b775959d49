// Hashes for the rest of the process (src/hash-threads.ts), one at a time.
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import bcrypt from 'bcrypt';

/** Enough to let the event loop run first, and not so much that nobody could sign in while others read. */
const NICE = 5;

// Only there it is a matter of the thread alone.
if (process.platform === 'linux') setPriority(NICE);

parentPort.on('message', ({ password, cost, hash }) => {
  const done = hash === undefined ? bcrypt.hashSync(password, cost) : bcrypt.compareSync(password, hash);
  parentPort.postMessage(done);
});
