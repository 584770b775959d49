// `npm run check`: the whole gate, as CI runs it. Leaves the tree as it found it.
import { execFileSync, spawnSync } from 'node:child_process';
import { checkMachine, installPackages } from './launch/packages.mjs';
import { inRoot, root } from './launch/places.mjs';
import { reportFailure } from './launch/problem.mjs';

const tool = (name) => inRoot(`node_modules/.bin/${name}`);

/** Name, program and arguments of every step, in order; the cheap ones first. */
const steps = [
  ['generated code', process.execPath, ['scripts/generate.mjs', '--force']],
  ['format', tool('prettier'), ['--check', '.']],
  ['types', tool('tsc'), ['-p', 'tsconfig.json', '--noEmit']],
  ['lint and import directions', tool('eslint'), ['.']],
  ['proto lint', tool('buf'), ['lint']],
  ['proto format', tool('buf'), ['format', 'proto', '-d', '--exit-code']],
  ['tests', process.execPath, ['scripts/test.mjs']],
];

function treeState() {
  return execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
}

async function main() {
  checkMachine();
  await installPackages();
  const before = treeState();
  for (const [name, program, args] of steps) {
    process.stdout.write(`\n== ${name}\n`);
    const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
    if (status !== 0) {
      process.stderr.write(`\nThe gate is closed: ${name} failed.\n`);
      process.exit(1);
    }
  }
  if (treeState() !== before) {
    process.stderr.write(`\nThe gate is closed: the run changed the tree.\n${treeState()}`);
    process.exit(1);
  }
  process.stdout.write('\nAll checks passed.\n');
}

main().catch(reportFailure);
