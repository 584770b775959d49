import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import type { Service } from '../harness.js';
import type { Edge } from '../rest/edge.js';
import { startStack } from '../rest/edge.js';
import { codeBlocks } from './pages.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const SEPARATOR = '=== next block ===';

/** What `npm start` makes, without its mailbox: the accounts of the demo in `.data/accounts.json` of a folder. */
export interface Installation {
  service: Service;
  edge: Edge;
  folder: string;
  /** Runs commands of a page, one after the other in one shell; answers what each printed. */
  shell(commands: readonly string[]): Promise<string[]>;
  close(): Promise<void>;
}

/** A command of a page, and the answer that stands below it, if one does. */
export interface Command {
  code: string;
  answer: string;
}

/** The commands of a text. */
export function commandsOf(text: string): Command[] {
  const blocks = codeBlocks(text);
  return blocks.flatMap(({ language, code }, index) => {
    const next = blocks[index + 1];
    if (language !== 'sh') return [];
    return [{ code, answer: next && next.language !== 'sh' ? next.code.trim() : '' }];
  });
}

/** Starts service and edge over a database that the demo is in. */
export async function startInstallation(): Promise<Installation> {
  const SERVICE_KEY = randomBytes(32).toString('base64');
  const stack = await startStack({ SERVICE_KEY });
  const { service, edge } = stack;
  const folder = await mkdtemp(join(tmpdir(), 'identity-pages-'));
  await mkdir(join(folder, '.data'));
  const environment = {
    MONGODB_URI: service.databaseUri,
    ACCOUNTS_FILE: join(folder, '.data/accounts.json'),
    BCRYPT_COST: '4',
    SERVICE_KEY,
  };
  await run(join(root, 'node_modules/.bin/tsx'), ['src/seed.ts'], {
    cwd: root,
    env: { ...process.env, ...environment },
  });
  const shell = async (commands: readonly string[]) => {
    const script = commands
      .join(`\necho '${SEPARATOR}'\n`)
      .replaceAll('127.0.0.1:8080', edge.address)
      .replaceAll('127.0.0.1:50051', service.address);
    const PATH = [dirname(inject('tools').grpcurl), process.env['PATH']].join(delimiter);
    const { stdout } = await run('bash', ['-eu', '-c', `TOKEN=\n${script}`], {
      cwd: folder,
      env: { ...process.env, PATH },
    });
    return stdout.split(SEPARATOR).map((text) => text.trim().replaceAll(edge.address, '127.0.0.1:8080'));
  };
  return {
    service,
    edge,
    folder,
    shell,
    close: async () => {
      await stack.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A JSON answer with what differs between two runs made equal. */
export function steady(text: string): unknown {
  const plain = text
    .replace(/"eyJ[\w.…-]+"/g, '"<token>"')
    .replace(/\b(domain|workspace|rb)-[0-9a-f]{12}\b/g, '<$1>')
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<request>')
    .replace(/\b[0-9a-f]{32}\b/g, '<id>')
    .replace(/"[\w-]{22}"/g, '"<audit id>"')
    .replace(/\d{4}-\d\d-\d\d[T ][\d:.]+Z?/g, '<time>');
  return JSON.parse(plain);
}
