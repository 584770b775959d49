import { queryError, shown } from './mistakes.js';

/** What the values of a field are. `dynamic`: anything, with keys of the caller's own below it (tags). */
export type FieldType = 'string' | 'number' | 'boolean' | 'date' | 'list' | 'dynamic';

/** The fields that a query may name, and nothing else exists for it. */
export type Fields = ReadonlyMap<string, FieldType>;

/** How one kind of document may be queried (contract/query.md 4). Fields that are not named are never reached. */
export interface QueryResource {
  fields: Fields;
  /** Fields that a keyword is looked for in. */
  keyword: readonly string[];
  /** Fields of a `minimal` answer. */
  minimal: readonly string[];
  /** Order when none is asked for; smallest first, unless it is turned round. */
  order: readonly string[];
  largestFirst?: boolean;
  /** Field that no two documents of an answer share; it ends every order, so that pages never overlap. */
  unique: string;
}

const MAX_KEY_CHARACTERS = 256;

/** The type of a field or of a key below a dynamic one; undefined when the query may not name it. */
export function fieldType(fields: Fields, key: string): FieldType | undefined {
  const exact = fields.get(key);
  if (exact || key.length > MAX_KEY_CHARACTERS) return exact;
  const [first, ...below] = key.split('.');
  return fields.get(first!) === 'dynamic' && below.every(isPlainSegment) ? 'dynamic' : undefined;
}

/**
 * The type of a field, which must be one that the query may name.
 * @throws IdentityError ERROR_DB_QUERY for any other, a secret one included (D-04).
 */
export function knownField(fields: Fields, key: string, where: string): FieldType {
  const type = fieldType(fields, key);
  if (!type) throw queryError(`${where} names an unknown field: ${shown(key)}`);
  return type;
}

/** A key that reaches the database as a name only, never as an operator or as a property of its own. */
function isPlainSegment(segment: string): boolean {
  return segment !== '' && !segment.startsWith('$') && !segment.includes('\0') && segment !== '__proto__';
}
