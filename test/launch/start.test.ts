import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../scripts/launch/ports.mjs';
import { accepts } from '../../scripts/launch/wait.mjs';

const script = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url));
const READY = 'Ctrl-C stops everything';
/** A first start compiles the service. */
const START_MS = 180_000;

let folder: string;
let settings: Record<string, string>;

interface Start {
  process: ChildProcess;
  output(): string;
  ended: Promise<number | null>;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'identity-start-'));
  settings = { DATA_DIR: folder };
  for (const name of ['GRPC_PORT', 'REST_PORT', 'SMTP_PORT', 'MAILBOX_PORT', 'DB_PORT']) {
    settings[name] = String(await freePort());
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function start(more: Record<string, string> = {}): Start {
  const path = [dirname(inject('tools').grpcurl), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH: path, MONGODB_URI: '', SMTP_URL: '', ...settings, ...more };
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  return {
    process: child,
    output: () => output,
    ended: new Promise((resolve) => child.on('exit', (code) => resolve(code))),
  };
}

async function ready(one: Start): Promise<void> {
  const seen = () => one.output().includes(READY) || one.process.exitCode !== null;
  await expect.poll(seen, { timeout: START_MS, interval: 100 }).toBe(true);
  expect(one.output()).toContain(READY);
}

async function stop(one: Start): Promise<void> {
  one.process.kill('SIGINT');
  expect(await one.ended).toBe(0);
  expect(one.output()).toContain('Everything is stopped.');
  for (const port of Object.values(settings).filter((value) => /^\d+$/.test(value))) {
    expect(await accepts(Number(port))).toBe(false);
  }
}

/** Runs the printed lines of one section in a shell, as a person would paste them. */
async function paste(output: string, from: string): Promise<string> {
  const section = output.slice(output.indexOf(from)).split('\n\n')[1]!;
  const path = [dirname(inject('tools').grpcurl), process.env['PATH']].join(delimiter);
  const run = promisify(execFile);
  const { stdout } = await run('bash', ['-euc', section], { env: { ...process.env, PATH: path } });
  return stdout;
}

describe('npm start', () => {
  it(
    'makes accounts, prints calls that work as printed, and finds its data again',
    async () => {
      const first = start();
      await ready(first);
      const accounts = await readFile(join(folder, 'accounts.json'), 'utf8');
      expect((await stat(join(folder, 'accounts.json'))).mode & 0o777).toBe(0o600);
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
      for (const { user_id, password } of JSON.parse(accounts) as { user_id: string; password: string }[]) {
        expect(first.output()).toMatch(new RegExp(`${user_id} +${password}`));
      }
      const overRest = await paste(first.output(), 'The first calls over REST');
      expect(overRest).toContain('"role_type":"DOMAIN_ADMIN"');
      expect(overRest).toContain('"total_count"');
      const overGrpc = await paste(first.output(), 'The same over gRPC');
      expect(overGrpc).toContain('"roleType": "DOMAIN_ADMIN"');
      expect(overGrpc).toContain('"totalCount"');
      const atIam = await paste(first.output(), 'The same person at the IAM systems');
      const self = `"self":"http://127.0.0.1:${settings['REST_PORT']}/v3.0/OS-USER/users/`;
      expect(atIam).toContain(self);
      await stop(first);

      const second = start();
      await ready(second);
      expect(await readFile(join(folder, 'accounts.json'), 'utf8')).toBe(accounts);
      expect(await paste(second.output(), 'The first calls over REST')).toContain('"total_count"');
      const third = start();
      expect(await third.ended).toBe(1);
      expect(third.output()).toContain(`It runs already, as process ${second.process.pid}`);
      await stop(second);
    },
    START_MS * 2,
  );
});

describe('npm start that cannot', () => {
  it('names every busy port and the setting of each', async () => {
    const holders = await Promise.all(
      ['REST_PORT', 'SMTP_PORT'].map(async (name) => {
        const server = createServer();
        await new Promise<void>((done) => server.listen(Number(settings[name]), '127.0.0.1', done));
        return server;
      }),
    );
    const one = start();
    expect(await one.ended).toBe(1);
    for (const holder of holders) holder.close();
    expect(one.output()).toMatch(
      new RegExp(`port ${settings['REST_PORT']} .*REST_PORT.*port ${settings['SMTP_PORT']} .*SMTP_PORT`),
    );
  });

  it('names the settings that are no port', async () => {
    const one = start({ GRPC_PORT: '0x1', DB_PORT: '70000' });
    expect(await one.ended).toBe(1);
    expect(one.output()).toContain('GRPC_PORT, DB_PORT must be a port');
  });

  it.each(['/proc/nothing', 'package.json'])(
    'names a folder of data that cannot be: %s',
    async (DATA_DIR) => {
      const one = start({ DATA_DIR });
      expect(await one.ended).toBe(1);
      expect(one.output()).toMatch(/DATA_DIR: the folder \S+ cannot be made or used \(E[A-Z]+\)/);
      expect(one.output()).not.toContain('    at ');
    },
  );

  it('says that nobody answers at MONGODB_URI', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const one = start({ MONGODB_URI: `mongodb://${address}/identity` });
    expect(await one.ended).toBe(1);
    expect(one.output()).toMatch(new RegExp(`No database answers at ${address}: .*MONGODB_URI`));
  });
});
