import { queryError, shown } from './mistakes.js';
import type { Fields, FieldType } from './resource.js';
import { knownField } from './resource.js';

/** A stage of an aggregation pipeline, made of checked parts only. */
export type Stage = Record<string, unknown>;

/** What a stage finds: the fields that it may name, and how rows with equal sort keys are told apart. */
export interface Scope {
  fields: Fields;
  /** Fields that together are different in every row; empty when none are known. */
  ties: readonly string[];
  /** Names of the group keys, which stay in the rows unless a project stage excludes them. */
  keys: readonly string[];
  /** Rows hold nothing but named results, so no field can leave that was not asked for. */
  shaped: boolean;
}

/** The stages of the database for one stage of the query, and what the next one finds. */
export interface Compiled {
  stages: Stage[];
  scope: Scope;
}

const NAME = /^[\p{L}_][\p{L}\p{M}\p{N}_ -]{0,63}$/u;
const RESERVED = new Set(['_id', '__proto__']);

/**
 * The path of a field inside an expression.
 * @throws IdentityError ERROR_DB_QUERY when there is no key or the stage may not name it.
 */
export function fieldPath(
  fields: Fields,
  key: string | undefined,
  where: string,
): { path: string; type: FieldType } {
  if (!key) throw queryError(`${where} has no key`);
  return { type: knownField(fields, key, where), path: `$${key}` };
}

/**
 * The name of a result, which becomes a field of the row.
 * @throws IdentityError ERROR_DB_QUERY when it is missing or not a plain name.
 */
export function resultName(name: string | undefined, where: string): string {
  if (!name) throw queryError(`${where} has no name`);
  if (NAME.test(name) && !RESERVED.has(name)) return name;
  throw queryError(`${where} has a name that is not allowed: ${shown(name)}`);
}

/**
 * Refuses two results of one name.
 * @throws IdentityError ERROR_DB_QUERY.
 */
export function distinctNames(names: readonly string[], where: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw queryError(`${where} names two results ${shown(twice)}`);
}

/** A value that the database takes as it is, whatever it looks like. */
export const literal = (value: unknown) => ({ $literal: value });
