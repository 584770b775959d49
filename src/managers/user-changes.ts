import { invalidParameter } from '../errors.js';
import type { User, UserChange, UserDetail } from '../models/user.js';
import { loginKeys } from '../models/user.js';
import { checkUsername } from '../user-name.js';

/** The details that an administrator sets. */
const DETAILS = [
  'description',
  'default_project_id',
  'areacode',
  'phone',
  'xuser_type',
  'xuser_id',
] as const satisfies readonly (keyof UserDetail)[];

/** Details of which one means nothing without the other. */
const PAIRS = [
  ['areacode', 'phone'],
  ['xuser_type', 'xuser_id'],
] as const;

type Detail = (typeof DETAILS)[number];

/** Details that somebody gives; null and an empty text are none. */
export type GivenDetails = { [Key in Detail]?: string | null };

/** Several changes in one; what they do the same way, such as ending sessions, happens once. */
export function merged(...changes: UserChange[]): UserChange {
  const all = new Map<string, object>();
  for (const change of changes)
    for (const [operator, fields] of Object.entries(change))
      all.set(operator, { ...all.get(operator), ...(fields as object) });
  return Object.fromEntries(all);
}

/** Ends every session of the user, but for the one that is named. */
export function endingSessions(kept?: string): UserChange {
  const end = { $inc: { generation: 1 } };
  return kept ? { ...end, $set: { kept_session: kept } } : { ...end, $unset: { kept_session: '' } };
}

/** A name that stays is not checked: it may be an address, which is older than the rule. */
export function renaming(user: User, name: string | undefined): UserChange {
  if (name === undefined || name === user.username) return {};
  checkUsername(name, 'name');
  return { $set: { username: name, login_keys: loginKeys(user.user_id, name) } };
}

/** Lets the user in, or keeps them out. */
export function switching(user: User, enabled: boolean | undefined): UserChange {
  if (enabled === undefined || enabled === (user.state !== 'DISABLED')) return {};
  return merged({ $set: { state: enabled ? 'ENABLED' : 'DISABLED' } }, endingSessions());
}

/**
 * Demands another password, or takes the demand back. It ends the sessions, because whoever has one may then set a
 * password without the current one.
 */
export function demanding(user: User, demanded: boolean | undefined): UserChange {
  if (demanded === undefined || demanded === isDemanded(user)) return {};
  const demand = { required_actions: 'UPDATE_PASSWORD' } as const;
  return demanded ? merged({ $addToSet: demand }, endingSessions()) : { $pull: demand };
}

/** Somebody demands another password of the user. */
export function isDemanded({ required_actions }: Pick<User, 'required_actions'>): boolean {
  return required_actions.includes('UPDATE_PASSWORD');
}

/**
 * Checks that of a pair of details both are given or none, and both are set or none.
 * @throws IdentityError ERROR_INVALID_PARAMETER naming both.
 */
export function checkPairs(given: GivenDetails): void {
  const half = PAIRS.find(
    ([one, other]) =>
      (given[one] === undefined) !== (given[other] === undefined) || !given[one] !== !given[other],
  );
  if (half) throw invalidParameter(half.join(', '), 'must be given together');
}

/** The details that are set, of those that are given. */
export function detailsOf(given: GivenDetails): UserDetail {
  return Object.fromEntries(DETAILS.filter((key) => given[key]).map((key) => [key, given[key]]));
}

/**
 * Sets and clears the details that differ from those of the user. A pair is written as one: the user may have got another
 * one since they were read, and half of each would be a third.
 */
export function detailChange(user: User, given: GivenDetails): UserChange {
  const differs = (key: Detail) => given[key] !== undefined && (given[key] ?? '') !== (user[key] ?? '');
  const changed = DETAILS.filter((key) => (PAIRS.find((pair) => isIn(pair, key)) ?? [key]).some(differs));
  const set = changed.filter((key) => given[key]);
  const unset = changed.filter((key) => !given[key]);
  return {
    ...(set.length > 0 ? { $set: Object.fromEntries(set.map((key) => [key, given[key]])) } : {}),
    ...(unset.length > 0 ? { $unset: Object.fromEntries(unset.map((key) => [key, ''])) } : {}),
  };
}

function isIn(pair: readonly Detail[], key: Detail): boolean {
  return pair.includes(key);
}

/** Names of the details that a change sets or clears. */
export function detailsIn({ $set, $unset }: UserChange): string[] {
  const changed = { ...$unset, ...$set };
  return DETAILS.filter((key) => key in changed);
}
