import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { databaseServer } from '../database.js';
import { startProcess } from './running-service.js';

const settings = {
  MONGODB_URI: databaseServer(),
  SERVICE_KEY: randomBytes(32).toString('base64'),
  GRPC_HOST: '127.0.0.1',
};

it('a port that is taken ends the service with one sentence that names the settings', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const GRPC_PORT = String((other.address() as AddressInfo).port);
  try {
    await expect(ending({ GRPC_PORT })).rejects.toThrow(
      new RegExp(`^GRPC_HOST, GRPC_PORT: 127\\.0\\.0\\.1:${GRPC_PORT} cannot be listened on\\. [^\\n]+\\n$`),
    );
  } finally {
    other.close();
  }
});

it('so does an address of another machine', async () => {
  await expect(ending({ GRPC_HOST: '192.0.2.1' })).rejects.toThrow(
    /^GRPC_HOST, GRPC_PORT: 192\.0\.2\.1:\d+ cannot be listened on\. [^\n]+\n$/,
  );
});

/** Throws what the service said before it ended. */
async function ending(more: Record<string, string>): Promise<never> {
  const failure = await startProcess({ ...settings, ...more }).then(
    () => new Error('it listens'),
    (error: Error) => error,
  );
  const [, said] = /code 1 before it listened:\n([^]*)/.exec(failure.message) ?? [];
  throw new Error(said ?? failure.message);
}
