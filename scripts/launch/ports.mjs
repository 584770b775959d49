import { createServer } from 'node:net';
import { Problem } from './problem.mjs';

/** @returns {Promise<number>} a port of loopback that nobody listens on */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * Looks at every port before anything is started, so that all busy ones are named at once.
 * @param {{ variable: string, port: number, use: string }[]} wanted each port, what it is for, and its setting
 * @throws {Problem} naming the busy ones and the variables that change them
 */
export async function checkPorts(wanted) {
  const busy = [];
  for (const entry of wanted) if (!(await isFree(entry.port))) busy.push(entry);
  const twice = wanted.filter(({ port }, index) => wanted.findIndex((other) => other.port === port) < index);
  if (twice.length > 0) throw new Problem(`${names(twice)} is given twice: every port must be another one.`);
  if (busy.length === 0) return;
  const example = busy.map(
    ({ variable, port }) => `${variable}=${port + 10_000 < 65_536 ? port + 10_000 : port - 10_000}`,
  );
  throw new Problem(
    `In use already: ${names(busy)}. Stop what listens there or choose others, for example: ${example.join(' ')} npm start`,
  );
}

const names = (entries) =>
  entries.map(({ port, use, variable }) => `port ${port} (${use}, ${variable})`).join(', ');

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
