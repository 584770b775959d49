// `npm run drill [-- name…]`: breaks what the service stands on and compares what callers were told with what is stored
// (docs/drills.md). Without a name it lists the drills.
import { spawnSync } from 'node:child_process';
import { checkMachine, generateCode, installPackages } from './launch/packages.mjs';
import { inRoot, root } from './launch/places.mjs';
import { reportFailure } from './launch/problem.mjs';

async function main() {
  checkMachine();
  await installPackages();
  await generateCode();
  const names = process.argv.slice(2);
  if (names.length > 0) run('npm', ['run', '--silent', 'build']);
  if (!process.exitCode) run(inRoot('node_modules/.bin/tsx'), ['drill/main.ts', ...names]);
}

function run(program, args) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}

main().catch(reportFailure);
