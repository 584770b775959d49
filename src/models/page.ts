/** Where a page begins, and how much it has at most. */
export interface PageBounds {
  /** Id of the last one of the page before. */
  after?: string;
  limit: number;
}

/** A page, and the id after which the next one begins, if there is one. */
export interface Page<T> {
  rows: T[];
  next?: string;
}

/** The page, of what was found for it and at most one more. */
export function pageOf<T>(found: readonly T[], limit: number, idOf: (row: T) => string): Page<T> {
  const rows = found.slice(0, limit);
  return { rows, next: found.length > limit ? idOf(rows.at(-1)!) : undefined };
}

/** Which documents with a state a page is of. */
interface PageConditions {
  /** Conditions of a field each, the one with the fewest documents first. */
  equal: object[];
  /** Only those that are, or are not; without it, all that are not deleted. */
  enabled?: boolean;
  /** Bounds of the ids. */
  bounds: { $gt?: string; $in?: readonly string[] };
}

/** How a page by id is read, and one document more, which tells whether another page follows. */
export function pageStages(
  { equal, enabled, bounds }: PageConditions,
  id: string,
  limit: number,
): Record<string, unknown>[] {
  const states = enabled === undefined ? ['ENABLED', 'DISABLED'] : [enabled ? 'ENABLED' : 'DISABLED'];
  const [first, ...others] = equal;
  const range = Object.keys(bounds).length > 0 ? { [id]: bounds } : {};
  const conditions = [{ ...first, ...range }, ...others, { state: { $in: states } }];
  return [
    // Not all in one stage, and none without a condition: some engines take no index for that.
    ...conditions.filter((one) => Object.keys(one).length > 0).map((one) => ({ $match: one })),
    { $sort: { [id]: 1 } },
    { $limit: limit + 1 },
    { $project: { _id: 0 } },
  ];
}
