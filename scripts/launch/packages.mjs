import { createHash } from 'node:crypto';
// Not by name: a Node that lacks one of these is to be told its version, not a missing export.
import fs from 'node:fs';
import { inRoot, root, toolsFolder } from './places.mjs';
import { Problem } from './problem.mjs';
import { runStep } from './steps.mjs';

const OLDEST_NODE = [20, 19];
const MEGABYTES_TO_INSTALL = 1500;
const MEGABYTES_TO_RUN = 200;

/** @throws {Problem} when Node is too old or the disk too full to begin. */
export function checkMachine() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new Problem(
      `Node ${process.versions.node} is too old: install Node ${OLDEST_NODE.join('.')} or newer.`,
    );
  }
  const { bavail, bsize } = fs.statfsSync(root);
  const free = Math.floor((bavail * bsize) / 1e6);
  const needed = fs.existsSync(inRoot('node_modules')) ? MEGABYTES_TO_RUN : MEGABYTES_TO_INSTALL;
  if (free < needed) {
    throw new Problem(
      `Only ${free} MB are free on the disk of ${root}: free at least ${needed} MB and start again.`,
    );
  }
}

/** Installs the Node packages of package-lock.json unless they are there. */
export async function installPackages() {
  if (packagesMatchLock()) return;
  await runStep(
    'Installing Node packages',
    ['npm', 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      remedy: 'Is the npm registry reachable from here?',
    },
  );
}

/** By content rather than by time: npm writes the lock file and its record of what is installed in either order. */
function packagesMatchLock() {
  const record = inRoot('node_modules/.package-lock.json');
  if (!fs.existsSync(record)) return false;
  const installed = JSON.parse(fs.readFileSync(record, 'utf8')).packages;
  const { packages } = JSON.parse(fs.readFileSync(inRoot('package-lock.json'), 'utf8'));
  return Object.entries(packages).every(
    ([path, { version, optional }]) =>
      path === '' || (installed[path] ? installed[path].version === version : optional === true),
  );
}

/** Writes src/gen from proto/; the generator itself knows when nothing has changed. */
export async function generateCode() {
  await runStep('Generating code from proto/', [process.execPath, 'scripts/generate.mjs'], { brief: true });
}

/** Compiles src to dist unless dist was made from the same sources. */
export async function build() {
  const stamp = inRoot('.tools/build.sha256');
  const current = sourcesHash();
  if (
    fs.existsSync(inRoot('dist/main.js')) &&
    fs.existsSync(stamp) &&
    fs.readFileSync(stamp, 'utf8') === current
  )
    return;
  await runStep('Building the service', ['npm', 'run', '--silent', 'build']);
  fs.mkdirSync(toolsFolder, { recursive: true });
  fs.writeFileSync(stamp, current);
}

function sourcesHash() {
  const hash = createHash('sha256');
  const loose = [
    'package-lock.json',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'buf.yaml',
    'buf.gen.yaml',
  ];
  for (const name of [...loose, ...filesUnder('src'), ...filesUnder('proto'), 'scripts/copy-assets.mjs']) {
    hash.update(`${name}\0`).update(fs.readFileSync(inRoot(name)));
  }
  return hash.digest('hex');
}

function filesUnder(folder) {
  return fs
    .readdirSync(inRoot(folder), { recursive: true })
    .map((name) => `${folder}/${name}`)
    .filter((name) => !name.startsWith('src/gen/') && fs.statSync(inRoot(name)).isFile())
    .sort();
}
