import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';

/** How hard a password is to guess; all that is kept of the estimate. */
export type PasswordStrength = 'Low' | 'Middle' | 'High';

/** The estimate stops the event loop for longer the longer the text is, and this much is hardly ever less than High. */
const LOOKED_AT = 32;
const CLASSES: readonly PasswordStrength[] = ['Low', 'Low', 'Middle', 'High', 'High'];

const estimator = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });

/** Estimates how hard a password is to guess; the owner's own names count as known to whoever guesses. */
export function passwordStrength(password: string, names: readonly string[]): PasswordStrength {
  const { score } = estimator.check(password.slice(0, LOOKED_AT), [...names]);
  return CLASSES[score] ?? 'Low';
}
