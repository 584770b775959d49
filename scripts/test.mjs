// `npm test`: sets up what the tests need, on a fresh clone too, and runs them. Arguments go to vitest.
import { spawn } from 'node:child_process';
import { checkMachine, generateCode, installPackages } from './launch/packages.mjs';
import { inRoot, root } from './launch/places.mjs';
import { reportFailure } from './launch/problem.mjs';
import { clientPython, grpcurl, serverTools } from './launch/tools.mjs';

async function main() {
  checkMachine();
  await installPackages();
  await generateCode();
  await serverTools({ ownDatabase: !process.env.MONGODB_URI });
  await grpcurl();
  await clientPython();
  process.exitCode = await runTests(process.argv.slice(2));
}

function runTests(args) {
  const vitest = inRoot('node_modules/vitest/vitest.mjs');
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [vitest, 'run', ...args], { cwd: root, stdio: 'inherit' });
    // Ctrl-C reaches vitest as well; this process stays until it has cleaned up.
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

main().catch(reportFailure);
