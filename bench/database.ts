import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Children } from '../scripts/launch/children.mjs';
import { freePort } from '../scripts/launch/ports.mjs';
import { findProgram, serverTools } from '../scripts/launch/tools.mjs';
import { startDatabase } from '../scripts/launch/database.mjs';
import { accepts, until } from '../scripts/launch/wait.mjs';

/** A database for the benchmark and what it is called in the report. */
export interface BenchDatabase {
  uri: string;
  name: string;
  /** Of the server, to read its processor time; absent when it is not ours. */
  pid?: number;
}

/** MONGODB_URI, else a mongod or secantusd-rs of the PATH, else the SecantusDB wheel. */
export async function benchDatabase(children: Children): Promise<BenchDatabase> {
  const given = process.env['MONGODB_URI'];
  if (given) return { uri: given, name: 'MONGODB_URI' };
  const folder = mkdtempSync(join(tmpdir(), 'identity-bench-'));
  const port = await freePort();
  const log = join(folder, 'database.log');
  const rust = findProgram('secantusd-rs');
  if (rust && !findProgram('mongod')) {
    const command = [
      rust,
      '--port',
      String(port),
      '--storage-path',
      join(folder, 'data'),
      '--log-level',
      'ERROR',
    ];
    const child = children.start({ name: 'database', command, log });
    await until(
      () => accepts(port),
      60_000,
      () => child.ended,
    );
    const uri = `mongodb://127.0.0.1:${port}/bench?directConnection=true`;
    return { uri, name: 'secantusd-rs', pid: child.process.pid };
  }
  const tools = await serverTools({ ownDatabase: true });
  const uri = await startDatabase(children, { tools, port, folder, log, name: 'bench' });
  const own = children.processes[0];
  return { uri, name: own?.program ?? 'database', pid: own?.pid };
}
