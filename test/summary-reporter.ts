import type { Reporter, TestModule } from 'vitest/node';

/** Closes the output of a run with one plain line that tools can read: `Tests: 12 passed, 0 failed`. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    // A file that cannot even be loaded has no tests of its own to fail, nor has an error outside of any test.
    const broken = modules.filter((module) => module.state() === 'failed' && !hasFailedTest(module)).length;
    const failed = count('failed') + broken + unhandled.length;
    const line = `Tests: ${count('passed')} passed, ${failed} failed`;
    process.once('exit', () => process.stdout.write(`\n${line}\n`));
  }
}

function hasFailedTest(module: TestModule): boolean {
  return [...module.children.allTests('failed')].length > 0;
}
