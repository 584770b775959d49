import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lastWords } from './children.mjs';
import { Problem } from './problem.mjs';
import { accepts, until } from './wait.mjs';

const START_MS = 60_000;
const REPLICA_SET = 'identity';

/**
 * Starts a database server of our own: a replica set of one node, because transactions need one.
 * @param {import('./children.mjs').Children} children
 * @param {{ tools: { mongod?: string, secantusd?: string }, port: number, folder: string, log: string, name?: string }} options
 *   folder: where the data live; a folder that one engine has filled stays with it
 *   name: of the database, for its address
 * @returns {Promise<string>} the address
 */
export async function startDatabase(children, { tools, port, folder, log, name = '' }) {
  const own = { mongod: join(folder, 'mongod'), secantusd: join(folder, 'secantus') };
  const useMongod = tools.mongod && !(tools.secantusd && existsSync(own.secantusd));
  const command = useMongod
    ? mongodCommand(tools.mongod, own.mongod, port)
    : secantusCommand(tools.secantusd, own.secantusd, port);
  mkdirSync(useMongod ? own.mongod : folder, { recursive: true, mode: 0o700 });
  const child = children.start({ name: 'database', command, log });
  const ready = await until(
    () => accepts(port),
    START_MS,
    () => child.ended,
  );
  if (!ready) throw lastWords(child);
  if (useMongod) await initiateReplicaSet(port);
  return databaseAddress(port, name);
}

/** A server whose data are gone when it stops, for tests. */
export async function startPassingDatabase(children, { tools, port, folder, log }) {
  if (tools.mongod) return startDatabase(children, { tools: { mongod: tools.mongod }, port, folder, log });
  const command = [
    tools.secantusd,
    '--port',
    String(port),
    '--storage-path',
    ':memory:',
    '--log-level',
    'WARNING',
  ];
  const child = children.start({ name: 'database', command, log });
  if (
    !(await until(
      () => accepts(port),
      START_MS,
      () => child.ended,
    ))
  )
    throw lastWords(child);
  return databaseAddress(port);
}

function mongodCommand(program, folder, port) {
  return [
    program,
    '--dbpath',
    folder,
    '--port',
    String(port),
    '--bind_ip',
    '127.0.0.1',
    '--replSet',
    'identity',
  ];
}

/** Every commit reaches the disk before it is acknowledged, as MongoDB does for w: majority. */
function secantusCommand(program, folder, port) {
  return [
    program,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--storage-path',
    folder,
    '--sync-on-commit',
  ];
}

function databaseAddress(port, name = '') {
  return `mongodb://127.0.0.1:${port}/${name}?directConnection=true`;
}

async function initiateReplicaSet(port) {
  const { MongoClient } = await import('mongodb');
  const client = await MongoClient.connect(databaseAddress(port));
  const host = `127.0.0.1:${port}`;
  try {
    const admin = client.db('admin');
    const isPrimary = async () => (await admin.command({ hello: 1 })).isWritablePrimary === true;
    const members = [{ _id: 0, host }];
    await admin.command({ replSetInitiate: { _id: REPLICA_SET, members } }).catch(async (error) => {
      if (error.codeName !== 'AlreadyInitialized') throw error;
      await moveReplicaSet(admin, host);
    });
    if (await until(isPrimary, START_MS)) return;
    throw new Problem('mongod did not become primary: see the log of the database.');
  } finally {
    await client.close();
  }
}

/** The set of an earlier start knows its node by the port of that time, which DB_PORT may have changed. */
async function moveReplicaSet(admin, host) {
  const { config } = await admin.command({ replSetGetConfig: 1 });
  const [member] = config.members;
  if (member.host === host) return;
  const moved = { ...config, version: config.version + 1, members: [{ ...member, host }] };
  await admin.command({ replSetReconfig: moved, force: true });
}

/**
 * Checks that somebody listens at a given database address. Names that only DNS can resolve are left to the service.
 * @throws {Problem} when nobody does
 */
export async function checkReachable(uri) {
  const hosts = /^mongodb:\/\/(?:[^@/]*@)?([^/?]+)/.exec(uri)?.[1].split(',');
  if (!hosts) return;
  const answers = await Promise.all(hosts.map(reach));
  if (answers.some(Boolean)) return;
  throw new Problem(
    `No database answers at ${hosts.join(', ')}: start it, correct MONGODB_URI, or unset MONGODB_URI to use one of our own.`,
  );
}

function reach(host) {
  const { hostname, port } = new URL(`tcp://${host}`);
  return accepts(Number(port || 27017), hostname.replace(/^\[|\]$/g, ''));
}
