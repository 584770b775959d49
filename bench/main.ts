import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import bcrypt from 'bcrypt';
import { Children } from '../scripts/launch/children.mjs';
import { freePort } from '../scripts/launch/ports.mjs';
import { findProgram } from '../scripts/launch/tools.mjs';
import { accepts, until } from '../scripts/launch/wait.mjs';
import { WireClient } from '../test/wire-client.js';
import { benchDatabase } from './database.js';
import type { BenchDatabase } from './database.js';
import type { Measured, Result } from './load.js';
import { measure, memoryMiB } from './load.js';
import { report } from './report.js';
import type { Row } from './report.js';
import type { Seeded } from './seed.js';
import { seed } from './seed.js';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 4);
const SCALES = (process.env['BENCH_USERS'] ?? '1000,10000,100000').split(',').map(Number);
const CONNECTIONS = [1, 16, 64];
const BCRYPT_COST = 12;

/** The calls of the comparison, and the empty handler that no call can beat. */
function calls(seeded: Seeded, profile: string, workspace: string): Measured[] {
  const { domain_id, member, password } = seeded;
  const states = {
    group: { keys: [{ key: 'state', name: 'state' }], fields: [{ name: 'count', operator: 'count' }] },
  };
  const user = 'spaceone.api.identity.v2.WorkspaceUser';
  return [
    { name: 'empty handler', method: 'grpc.health.v1.Health.Check', data: {} },
    { name: 'UserProfile.get', method: 'spaceone.api.identity.v2.UserProfile.get', data: {}, token: profile },
    { name: 'WorkspaceUser.get', method: `${user}.get`, data: { user_id: member }, token: workspace },
    {
      name: 'WorkspaceUser.list 20',
      method: `${user}.list`,
      data: { query: { page: { start: 1, limit: 20 } } },
      token: workspace,
    },
    {
      name: 'WorkspaceUser.find',
      method: `${user}.find`,
      data: { keyword: '123', page: { start: 1, limit: 20 } },
      token: workspace,
    },
    {
      name: 'WorkspaceUser.stat',
      method: `${user}.stat`,
      data: { query: { aggregate: [states] } },
      token: workspace,
    },
    {
      name: 'Token.issue',
      method: 'spaceone.api.identity.v2.Token.issue',
      data: { credentials: { user_id: member, password }, auth_type: 'LOCAL', domain_id },
    },
  ];
}

async function main(): Promise<void> {
  const ghz = findProgram('ghz');
  if (!ghz) throw new Error('ghz is not on the PATH: go install github.com/bojand/ghz/cmd/ghz@latest');
  const children = new Children();
  try {
    const database = await benchDatabase(children);
    const rows: Row[] = [];
    for (const users of SCALES) rows.push(...(await measureScale(children, ghz, database, users)));
    const text = report(rows, {
      database: database.name,
      bcryptPerSecond: await bcryptAlone(),
      cost: BCRYPT_COST,
    });
    mkdirSync('.data', { recursive: true });
    writeFileSync('.data/bench.md', text);
    process.stdout.write(`${text}\n(also in .data/bench.md)\n`);
  } finally {
    await children.stop();
  }
}

async function measureScale(
  children: Children,
  ghz: string,
  database: BenchDatabase,
  users: number,
): Promise<Row[]> {
  const uri = database.uri.replace(/\/([^/?]*)(\?|$)/, `/$1-${users}$2`);
  const port = await freePort();
  const environment = {
    MONGODB_URI: uri,
    SERVICE_KEY: randomBytes(32).toString('base64'),
    GRPC_PORT: String(port),
    BCRYPT_COST: String(BCRYPT_COST),
    LOG_LEVEL: 'warn',
    // The load comes from one address and signs one user in all the time.
    SIGN_IN_ATTEMPTS: '100',
    SIGN_IN_ATTEMPTS_PER_PEER: '1000000',
    // How fast it is, not how much is refused.
    HASH_QUEUE_MS: '60000',
  };
  process.stderr.write(`seeding ${users} users\n`);
  const seeded = await seed(environment, users);
  const started = performance.now();
  const service = children.start({
    name: 'service',
    command: [process.execPath, 'dist/main.js'],
    log: `.data/bench-service-${users}.log`,
    env: environment,
  });
  await until(
    () => accepts(port),
    30_000,
    () => service.ended,
  );
  const address = `127.0.0.1:${port}`;
  const startMs = await untilServing(address, started);
  await sleep(2000);
  const idleMiB = memoryMiB(service.process.pid!);
  const { profile, workspace } = await tokens(address, seeded);
  const pids = { service: service.process.pid!, database: database.pid };
  const rows: Row[] = [];
  for (const one of calls(seeded, profile, workspace)) {
    // The first calls compile the code and fill the caches.
    await measure(ghz, address, one, 16, 1, pids);
    for (const connections of CONNECTIONS) {
      const result: Result = await measure(ghz, address, one, connections, SECONDS, pids);
      process.stderr.write(`${users} users, ${one.name}, ${connections}: ${result.perSecond.toFixed(0)}/s\n`);
      rows.push({
        users,
        call: one.name,
        connections,
        result,
        idleMiB,
        loadMiB: memoryMiB(pids.service),
        startMs,
      });
    }
  }
  process.kill(service.process.pid!, 'SIGTERM');
  await service.exit;
  return rows;
}

async function untilServing(address: string, started: number): Promise<number> {
  const client = new WireClient(address);
  for (;;) {
    const answer = (await client.call('grpc.health.v1.Health.Check')) as { status?: string };
    if (answer.status === 'SERVING') break;
    await sleep(10);
  }
  client.close();
  return performance.now() - started;
}

async function tokens(address: string, { owner, password, domain_id, workspace_id }: Seeded) {
  const client = new WireClient(address);
  const issue = { credentials: { user_id: owner, password }, auth_type: 'LOCAL', domain_id, timeout: 86_400 };
  const { access_token, refresh_token } = await client.call('Token.issue', issue);
  const grant = {
    grant_type: 'REFRESH_TOKEN',
    token: refresh_token,
    scope: 'WORKSPACE',
    workspace_id,
    timeout: 86_400,
  };
  const granted = await client.call('Token.grant', grant);
  client.close();
  return { profile: access_token as string, workspace: granted.access_token as string };
}

/** What bcrypt alone reaches on all cores: the limit of Token.issue. */
async function bcryptAlone(): Promise<number> {
  const hash = await bcrypt.hash('Passw0rd!', BCRYPT_COST);
  const until = performance.now() + SECONDS * 1000;
  const started = performance.now();
  let done = 0;
  const worker = async () => {
    while (performance.now() < until) {
      await bcrypt.compare('Passw0rd!', hash);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  return (done * 1000) / (performance.now() - started);
}

execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
await main();
