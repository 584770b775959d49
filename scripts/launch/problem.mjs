/** Something the person at the keyboard can set right: the message is one sentence that names the remedy. */
export class Problem extends Error {}

/** Prints why a command ended, without a stack when a person can set it right, and sets the exit code. */
export function reportFailure(error) {
  console.error(error instanceof Problem ? `\n✗ ${error.message}` : error);
  process.exitCode = 1;
}
