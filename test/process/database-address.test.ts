import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { expect, it } from 'vitest';
import { freePort } from '../../scripts/launch/ports.mjs';
import { startApp } from '../../src/app.js';
import { systemClock } from '../../src/clock.js';
import { readConfig } from '../../src/config.js';
import { Mongo } from '../../src/connectors/mongo.js';
import { databaseServer } from '../database.js';
import { startProcess } from './running-service.js';

const SERVICE_KEY = randomBytes(32).toString('base64');
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The name of the database that is used with this address. */
async function databaseOf(uri: string): Promise<string> {
  const mongo = new Mongo({ uri, poolSize: 1, timeoutMs: 5000 }, silent);
  await mongo.start();
  const { databaseName: name } = mongo.connection.db!;
  await mongo.close();
  return name;
}

it('without a name in the address the database is `identity`', async () => {
  const named = new URL(databaseServer());
  named.pathname = '/test-named';
  expect(await databaseOf(named.href)).toBe('test-named');
  named.pathname = '/';
  for (const unnamed of [named.href, named.href.replace(/\/(?=\?|$)/, '')])
    expect(await databaseOf(unnamed), unnamed).toBe('identity');
});

it('the log says which setting leads to no database, and why, and holds no password', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const MONGODB_URI = `mongodb://somebody:passing-word@${address},nobody.invalid/identity?replicaSet=one`;
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  const app = await startApp(readConfig({ GRPC_PORT: '0', MONGODB_URI, SERVICE_KEY }), systemClock, log);
  const told = () => lines.find((line) => line.includes('no database is reached at MONGODB_URI'));
  await expect
    .poll(told, { timeout: 10_000 })
    .toMatch(/ECONNREFUSED.*nobody\.invalid.*(ENOTFOUND|EAI_AGAIN)/);
  expect(told()).toContain(address);
  expect(lines.join('')).not.toContain('passing-word');
  await app.close();
});

it.each([
  'mongodb://somebody:passing-word@host/identity?nothing=1',
  'mongodb://somebody:passing-word@h:99999/',
])('an address that cannot be understood ends the service with one sentence: %s', async (MONGODB_URI) => {
  const failure = startProcess({ MONGODB_URI, SERVICE_KEY });
  await expect(failure).rejects.toThrow(/code 1 [^\n]*\nMONGODB_URI cannot be used: [^\n]+\n$/);
  await expect(failure).rejects.not.toThrow(/passing-word/);
});
