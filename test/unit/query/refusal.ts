import { expect } from 'vitest';
import type { Reason } from '../../../src/errors.js';
import { IdentityError } from '../../../src/errors.js';

/** Expects the work to be refused with that reason, and gives the error for a closer look. */
export function refusal(work: () => unknown, reason: Reason, text?: string | RegExp): IdentityError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(IdentityError);
    const refused = error as IdentityError;
    expect(refused.reason).toBe(reason);
    if (text !== undefined) expect(refused.message).toMatch(text);
    return refused;
  }
  throw new Error(`was not refused with ${reason}`);
}
