// Writes src/gen: the TypeScript of proto/ and descriptor.binpb, the one descriptor set that reflection, Envoy
// and the contract test read. Does nothing when no input has changed; `--force` writes it anyway.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'src/gen');
const stamp = '.inputs.sha256';

/** Everything that decides what is generated. */
function inputs() {
  const protos = readdirSync(join(root, 'proto'), { recursive: true })
    .filter((name) => name.endsWith('.proto'))
    .map((name) => join('proto', name));
  return [...protos.sort(), 'buf.yaml', 'buf.gen.yaml', 'package-lock.json', 'scripts/generate.mjs'];
}

function inputsHash() {
  const hash = createHash('sha256');
  for (const name of inputs())
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(root, name)))
      .update('\0');
  return hash.digest('hex');
}

function writtenHash() {
  try {
    readFileSync(join(target, 'descriptor.binpb'));
    return readFileSync(join(target, stamp), 'utf8');
  } catch {
    return undefined;
  }
}

function buf(...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, 'node_modules/.bin/buf'), args, { cwd: root, stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`buf ${args[0]} failed`))));
  });
}

/**
 * Leaves an empty key out of every google.protobuf.Struct that is answered: Envoy 1.40 dies of one. No call stores one,
 * but an import into the database may.
 */
function answerNoEmptyKey(file) {
  const before = readFileSync(file, 'utf8');
  const set = 'struct.fields[key] = object[key];';
  if (before.split(set).length !== 2) throw new Error(`${file} is not as expected: has ts-proto changed?`);
  writeFileSync(file, before.replace(set, `if (key !== '') ${set}`));
}

/**
 * Gives the objects that stand for google.protobuf.Struct no prototype. In an ordinary object the key `__proto__`
 * would replace the prototype and vanish from the keys, so that no rule could see and refuse it.
 */
function keepEveryStructKey(file) {
  const before = readFileSync(file, 'utf8');
  const empty = 'globalThis.Object.create(null)';
  const after = before
    .replace('return { fields: {} };', `return { fields: ${empty} };`)
    .replace(
      'const object: { [key: string]: any } = {};',
      `const object: { [key: string]: any } = ${empty};`,
    );
  if (after.split(empty).length !== 3) throw new Error(`${file} is not as expected: has ts-proto changed?`);
  writeFileSync(file, after);
}

/** Puts the finished folder in place; another run may be doing the same. */
function swapIn(fresh, spare) {
  for (let attempt = 0; ; attempt++) {
    rmSync(spare, { recursive: true, force: true });
    try {
      renameSync(target, spare);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    try {
      renameSync(fresh, target);
      return;
    } catch (error) {
      if (attempt === 5 || !['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
    }
  }
}

async function generate(hash) {
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'generate-'));
  const fresh = join(work, 'src/gen');
  try {
    mkdirSync(fresh, { recursive: true });
    await Promise.all([buf('generate', '-o', work), buf('build', '-o', join(fresh, 'descriptor.binpb'))]);
    keepEveryStructKey(join(fresh, 'google/protobuf/struct.ts'));
    answerNoEmptyKey(join(fresh, 'google/protobuf/struct.ts'));
    writeFileSync(join(fresh, stamp), hash);
    swapIn(fresh, join(work, 'previous'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const hash = inputsHash();
if (process.argv.includes('--force') || writtenHash() !== hash) {
  try {
    await generate(hash);
    console.log('generated src/gen');
  } catch (error) {
    console.error(`generate: ${error.message}`);
    process.exitCode = 1;
  }
}
