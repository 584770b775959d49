import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { callerDrills } from './callers.js';
import { clockDrills } from './clock.js';
import { databaseDrills } from './database-faults.js';
import { loadDrills } from './load.js';
import { mailDrills } from './mail-faults.js';
import { NotPossible, isPassed, report } from './outcome.js';
import type { Line, Outcome } from './outcome.js';
import { serviceDrills } from './service-faults.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '5' }, seconds: { type: 'string', default: '60' } },
});

const drills: Record<string, () => Promise<Outcome>> = {
  ...databaseDrills,
  ...mailDrills,
  ...serviceDrills,
  ...clockDrills,
  ...callerDrills(Number(values.minutes)),
  ...loadDrills(Number(values.seconds)),
};

async function main(names: readonly string[]): Promise<void> {
  const lines: Line[] = [];
  for (const name of names) {
    process.stderr.write(`${name} …\n`);
    const started = Date.now();
    const outcome = await drills[name]!().catch((error: Error) => error);
    if (outcome instanceof Error && !(outcome instanceof NotPossible))
      process.stderr.write(`${outcome.stack}\n`);
    lines.push({ name, outcome, seconds: (Date.now() - started) / 1000 });
    mkdirSync('.data', { recursive: true });
    writeFileSync('.data/drill.md', `${report(lines)}\n`);
    process.stderr.write(`${report(lines.slice(-1)).split('\n').at(-1)}\n`);
  }
  process.stdout.write(`\n${report(lines)}\n\n(also in .data/drill.md; logs in .data/drill)\n`);
  process.exitCode = lines.every(isPassed) ? 0 : 1;
}

const wanted = positionals.includes('all') ? Object.keys(drills) : positionals;
const unknown = wanted.filter((name) => !drills[name]);
if (wanted.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) process.stderr.write(`There is no drill ${unknown.join(', ')}.\n`);
  process.stdout.write(`npm run drill -- <name…|all> [--minutes 5 (soak)] [--seconds 60 (load)]\n`);
  process.stdout.write(`${['', ...Object.keys(drills)].join('\n  ')}\n`);
  process.exitCode = unknown.length > 0 ? 1 : 0;
} else {
  await main(wanted);
}
