import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import type { TestProject } from 'vitest/node';
import { Children } from '../scripts/launch/children.mjs';
import { startPassingDatabase } from '../scripts/launch/database.mjs';
import { freePort } from '../scripts/launch/ports.mjs';
import { clientPython, grpcurl, serverTools } from '../scripts/launch/tools.mjs';
import type { KeyPair } from './tenant-keys.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Addresses of the database servers of this run: the workers take one each. */
    databaseServers: string[];
    /** Full paths of the programs that tests run. */
    tools: { envoy: string; grpcurl: string; clientPython: string };
    /** RSA key pairs for the domains that tests write by themselves. */
    keyPairs: KeyPair[];
  }
}

/** So many that the domains of one test have different ones. */
const KEY_PAIRS = 8;

/** Starts the databases of the run and finds the programs that tests call. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['MONGODB_URI'] || undefined;
  const tools = await serverTools({ ownDatabase: !given });
  project.provide('tools', {
    envoy: tools.envoy,
    grpcurl: await grpcurl(),
    clientPython: await clientPython(),
  });
  project.provide('keyPairs', await Promise.all(Array.from({ length: KEY_PAIRS }, newKeyPair)));
  const folder = await mkdtemp(join(tmpdir(), 'identity-test-'));
  const children = new Children();
  // One core each is all that the engine of the wheels uses: workers that share one wait for each other.
  const databases = Array.from({ length: project.config.maxWorkers }, (_, index) => `database-${index}`);
  const start = async (name: string) => {
    const options = {
      tools,
      port: await freePort(),
      folder: join(folder, name),
      log: join(folder, `${name}.log`),
    };
    return startPassingDatabase(children, options);
  };
  project.provide('databaseServers', given ? [given] : await Promise.all(databases.map(start)));
  return async () => {
    await children.stop();
    await rm(folder, { recursive: true, force: true });
  };
}

async function newKeyPair(): Promise<KeyPair> {
  const pair = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
  return { public: await exportJWK(pair.publicKey), private: await exportJWK(pair.privateKey) };
}
