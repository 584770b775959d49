// `npm run bench`: measures the service with ghz; needs ghz on the PATH (README.md, "How fast it is").
import { spawnSync } from 'node:child_process';
import { checkMachine, generateCode, installPackages } from './launch/packages.mjs';
import { inRoot, root } from './launch/places.mjs';
import { reportFailure } from './launch/problem.mjs';

async function main() {
  checkMachine();
  await installPackages();
  await generateCode();
  const { status } = spawnSync(inRoot('node_modules/.bin/tsx'), ['bench/main.ts'], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}

main().catch(reportFailure);
