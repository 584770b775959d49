import fc from 'fast-check';
import type { IAsyncProperty, RunDetails } from 'fast-check';

/** The same cases every time in `npm test`; `npm run fuzz` sets others. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_122);
const MINUTES = Number(process.env['FUZZ_MINUTES'] ?? 0);
/** Set when one property alone is run: it has all the time. */
const ALONE = Boolean(process.env['FUZZ_ALONE']);

/** How long one property may take, in milliseconds. */
export const PATIENCE_MS = MINUTES > 0 ? MINUTES * 60_000 + 60_000 : 120_000;

/**
 * Tries a property and fails with the smallest case found and the seed that leads to it.
 * @param runs cases of the quick run
 * @param share part of the whole time that a long run has for it
 */
export async function attempt<Case>(
  name: string,
  property: IAsyncProperty<[Case]>,
  runs: number,
  share: number,
  show: (given: Case) => string,
): Promise<void> {
  const limits =
    MINUTES > 0
      ? {
          numRuns: 10_000_000,
          interruptAfterTimeLimit: Math.max(1000, MINUTES * 60_000 * (ALONE ? 1 : share)),
        }
      : { numRuns: runs };
  const details = await fc.check(property, { seed: seedOf(name), ...limits, markInterruptAsFailure: false });
  if (details.failed) throw new Error(report(name, details, show));
}

/** Another beginning for each property, or all would try the same callers in the same order. */
function seedOf(name: string): number {
  return [...name].reduce((seed, letter) => (Math.imul(seed, 31) + letter.charCodeAt(0)) | 0, SEED);
}

function report<Case>(name: string, details: RunDetails<[Case]>, show: (given: Case) => string): string {
  const { counterexample, errorInstance, numRuns } = details;
  const cause = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return [
    `${name}: ${cause}`,
    `  smallest case: ${counterexample ? show(counterexample[0]) : 'none'}`,
    `  case ${numRuns} of seed ${SEED}; once more: npm run fuzz -- --seed ${SEED} --only "${name}"`,
  ].join('\n');
}
