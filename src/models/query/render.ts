/**
 * Result rows as they go out: times in ISO 8601 with milliseconds and Z, null and missing values left out
 * (contract/behaviour.md 1, "Times" and "Responses").
 */
export function renderRows(rows: readonly unknown[]): unknown[] {
  return rows.map(render).filter((row) => row !== undefined);
}

/** Undefined for null, and for what is no value of a result, such as bytes. */
function render(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return renderRows(value);
  if (typeof value !== 'object' || value === null) return value ?? undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const entries = Object.entries(value).map(([key, item]) => [key, render(item)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}
