import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { HealthClient } from '../../src/gen/health/v1/health.js';
import { freePort } from '../../scripts/launch/ports.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The service as a process of its own. */
export interface RunningService {
  address: string;
  process: ChildProcess;
  /** Its exit code and what it wrote to standard error, once it has ended. */
  ended: Promise<{ code: number | null; said: string }>;
  /** Sends the signal and answers the exit code once the process has ended, with the time that took. */
  stop(signal: 'SIGTERM' | 'SIGINT'): Promise<{ code: number | null; milliseconds: number }>;
}

/** Starts `src/main.ts`, on a free port unless one is set; settings are the environment's. Answers when it is open. */
export async function startProcess(settings: Record<string, string>): Promise<RunningService> {
  const port = settings['GRPC_PORT'] ?? String(await freePort());
  const env = { PATH: process.env['PATH'], GRPC_PORT: port, LOG_LEVEL: 'warn', ...settings };
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exit = once(child, 'exit') as Promise<[number | null]>;
  const address = `127.0.0.1:${port}`;
  const service = {
    address,
    process: child,
    ended: (once(child, 'close') as Promise<[number | null]>).then(([code]) => ({ code, said })),
    stop: async (signal: 'SIGTERM' | 'SIGINT') => {
      const started = Date.now();
      child.kill(signal);
      const [code] = await exit;
      return { code, milliseconds: Date.now() - started };
    },
  };
  const failed = exit.then(([code]) => {
    throw new Error(`the service ended with code ${code} before it listened:\n${said}`);
  });
  // Only while we wait for it.
  failed.catch(() => undefined);
  await Promise.race([failed, answering(address)]);
  return service;
}

/** Waits until somebody answers health checks there. */
async function answering(address: string): Promise<void> {
  const client = new HealthClient(address, credentials.createInsecure());
  try {
    while ((await servingState(client)) === undefined) await new Promise((next) => setTimeout(next, 50));
  } finally {
    client.close();
  }
}

/** SERVING or NOT_SERVING, undefined when nobody answers. */
export function servingState(client: HealthClient): Promise<string | undefined> {
  return new Promise((resolve) => {
    client.check({ service: '' }, (error, answer) => resolve(error ? undefined : answer.status));
  });
}
