import { invalidParameter } from '../../errors.js';

/**
 * Most that the texts and expressions of a whole query may cost: microseconds for one row whose values are as
 * unfavourable as they can be, on the slower of the engines. A thousand such rows stay below a second.
 */
export const MAX_COST = 600;
/** Engines compile an expression anew for each row. */
export const COST_OF_EXPRESSION = 40;
const COST_OF_TEXT = 1;
const COST_OF_TEXT_CHARACTER = 0.6;

/** What a query may still spend on looking into values, whatever list of conditions asks for it (D-26). */
export class SearchBudget {
  #spent = 0;

  /**
   * Charges one condition.
   * @param where place in the request.
   * @throws IdentityError ERROR_INVALID_PARAMETER when all of the query together costs too much.
   */
  spend(cost: number, where: string): void {
    this.#spent += cost;
    if (this.#spent <= MAX_COST) return;
    throw invalidParameter(
      where,
      'all texts and regular expressions of the query together may take too long: use fewer or shorter ones, with fewer open repeats',
    );
  }
}

/** What looking for any of these texts costs, `expressions` being the number of expressions that hold them. */
export function costOfTexts(texts: readonly string[], expressions: number): number {
  const characters = texts.reduce((sum, { length }) => sum + length, 0);
  return expressions * COST_OF_EXPRESSION + texts.length * COST_OF_TEXT + characters * COST_OF_TEXT_CHARACTER;
}
