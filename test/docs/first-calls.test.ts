import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import type { Edge } from '../rest/edge.js';
import { startEdge } from '../rest/edge.js';
import { codeBlocks, read, section } from './pages.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const blocks = codeBlocks(section(read('README.md'), '## The first calls'));
const SEPARATOR = '=== next block ===';

let service: Service;
let edge: Edge;
let folder: string;

/** The installation that `npm start` makes; its mailbox is replaced by what arrived here. */
beforeAll(async () => {
  const SERVICE_KEY = randomBytes(32).toString('base64');
  service = await startService({ SERVICE_KEY });
  edge = await startEdge(service.address);
  folder = await mkdtemp(join(tmpdir(), 'identity-readme-'));
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
});
afterAll(async () => {
  await edge.close();
  await service.close();
  await rm(folder, { recursive: true, force: true });
});

/** An answer with what differs between two runs made equal. */
function steady(text: string): unknown {
  const plain = text
    .replace(/"eyJ[\w.…-]+"/g, '"<token>"')
    .replace(/\b(domain|workspace|rb)-[0-9a-f]{12}\b/g, '<$1>')
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '<request>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
  return JSON.parse(plain);
}

/** Runs blocks of the README, one after the other in one shell; answers what each printed. */
async function runBlocks(commands: readonly string[]): Promise<string[]> {
  const script = commands
    .join(`\necho '${SEPARATOR}'\n`)
    .replaceAll('127.0.0.1:8080', edge.address)
    .replaceAll('127.0.0.1:50051', service.address)
    .replaceAll('curl -s http://127.0.0.1:1080/api/email', 'cat mails.json');
  const PATH = [dirname(inject('tools').grpcurl), process.env['PATH']].join(delimiter);
  const { stdout } = await run('bash', ['-eu', '-c', `TOKEN=\n${script}`], {
    cwd: folder,
    env: { ...process.env, PATH },
  });
  return stdout.split(SEPARATOR).map((text) => text.trim());
}

it('the first calls of the README are answered as it says', async () => {
  const commands = blocks.flatMap(({ language, code }, index) => {
    const next = blocks[index + 1];
    return language === 'sh' ? [{ code, answer: next?.language === 'sh' ? '' : next?.code.trim() }] : [];
  });
  const [shortcuts, mailbox] = [commands.at(0)!, commands.pop()!];
  const answers = await runBlocks(commands.map(({ code }) => code));
  const comparable = (text = '') => (text ? steady(text) : '');
  expect(answers.map(comparable)).toEqual(commands.map(({ answer }) => comparable(answer)));
  expect(answers.filter(Boolean)).toHaveLength(9);

  const { text } = await service.sink.waitFor(({ to }) => to.includes('newton@example.com'));
  await writeFile(join(folder, 'mails.json'), JSON.stringify([{ text }]));
  const [, printed] = await runBlocks([shortcuts.code, mailbox.code]);
  expect(printed).toBe(mailbox.answer);
});
