import type { PageBounds } from '../models/page.js';

/** What a page of OpenStack Identity has at most, and unless less is asked for. */
export const MAX_PAGE = 1000;

/** Which page of a list is asked for. */
export interface AskedPage {
  /** Id of the last one of the page before. */
  marker?: string;
  limit?: number;
}

/** Where the page begins, and how much it has. */
export function boundsOf({ marker, limit = MAX_PAGE }: AskedPage): PageBounds {
  return { after: marker, limit: Math.min(limit, MAX_PAGE) };
}
