import { z } from 'zod';
import { invalidParameter } from '../../errors.js';
import { EXPIRY_OPERATORS } from '../../managers/user-directory.js';
import type { ExpiryBound } from '../../managers/user-directory.js';
import * as field from '../../rpc/fields.js';

/**
 * A filter of OpenStack Identity that is not served, by its name in an address. It is refused, not ignored: whoever asks
 * for some users must not take all for them.
 */
const unserved = (name: string) =>
  z
    .string()
    .transform((): undefined => {
      throw invalidParameter(name, 'is no filter that can be used here');
    })
    .optional();

/** An operator, if there is one, and a time in UTC unless it says its zone. */
const EXPIRY = /^(?:([a-z]+):)?(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?$/;

const expiry = field.text(64).transform((text, context): { text: string; bound: ExpiryBound } => {
  const [, named = 'eq', time = '', zone = 'Z'] = EXPIRY.exec(text) ?? [];
  const at = new Date(`${time}${zone}`);
  const operator = EXPIRY_OPERATORS.find((one) => one === named);
  if (operator && !Number.isNaN(at.getTime())) return { text, bound: { operator, at } };
  context.addIssue('must be a time such as lt:2016-11-06T15:32:17Z, with lt, lte, gt, gte, eq or neq');
  return z.NEVER;
});

/** What chooses users for a list. */
export const userFilters = {
  domain_id: field.id.optional(),
  name: field.text(128).optional(),
  enabled: field.anyBoolean.optional(),
  password_expires_at: expiry.optional(),
  name_contains: unserved('name__contains'),
  name_icontains: unserved('name__icontains'),
  name_startswith: unserved('name__startswith'),
  name_istartswith: unserved('name__istartswith'),
  name_endswith: unserved('name__endswith'),
  name_iendswith: unserved('name__iendswith'),
  unique_id: unserved('unique_id'),
  idp_id: unserved('idp_id'),
  protocol_id: unserved('protocol_id'),
};
