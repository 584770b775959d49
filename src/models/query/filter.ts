/** A filter as the database takes it, made of checked parts only. */
export type Filter = Record<string, unknown>;

/** All filters must hold; no filter is met by everything. */
export function allOf(filters: readonly Filter[]): Filter {
  const narrowing = filters.filter((filter) => !isUnbounded(filter));
  return narrowing.length > 1 ? { $and: narrowing } : (narrowing[0] ?? {});
}

/** One filter must hold; when there is none, nothing is asked and everything meets it. */
export function anyOf(filters: readonly Filter[]): Filter {
  return filters.length > 1 ? { $or: filters } : (filters[0] ?? {});
}

/** Everything meets the filter. */
export function isUnbounded(filter: Filter): boolean {
  return Object.keys(filter).length === 0;
}
