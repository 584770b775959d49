// `npm run fuzz -- --minutes 10 --seed 1 --only Token/issue`: random calls of every method, for longer than `npm test`.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { inRoot, root } from './launch/places.mjs';
import { Problem, reportFailure } from './launch/problem.mjs';

const options = { seed: { type: 'string' }, minutes: { type: 'string' }, only: { type: 'string' } };

function main() {
  const values = given();
  const seed = number('seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 31)));
  const minutes = number('minutes', values.minutes ?? '2');
  console.log(`Seed ${seed}, ${minutes} minutes.`);
  // Names are taken as they are, not as patterns.
  const only = values.only ? ['-t', values.only.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')] : [];
  const { status } = spawnSync(process.execPath, [inRoot('scripts/test.mjs'), 'test/fuzz', ...only], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      FUZZ_SEED: String(seed),
      FUZZ_MINUTES: String(minutes),
      FUZZ_ALONE: values.only ? '1' : '',
    },
  });
  process.exitCode = status ?? 1;
}

function given() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new Problem(error.message);
  }
}

function number(name, given) {
  const value = Number(given);
  if (!Number.isFinite(value) || value < 0) throw new Problem(`--${name} must be a number, not ${given}.`);
  return value;
}

try {
  main();
} catch (error) {
  reportFailure(error);
}
