import { z } from 'zod';
import type { Links } from '../../gen/iam/v3/links.js';
import { MAX_PAGE } from '../../managers/asked-page.js';
import * as field from '../../rpc/fields.js';
import type { Addresses } from './addresses.js';

/** Which page of a list is asked for: how much is on one, and the id of the last of the page before. */
export const pageFields = {
  limit: z.number().min(1, 'must be at least 1').optional(),
  marker: field.text(64).optional(),
};

/** What a list is asked for; what is undefined was left out. */
interface ListQuery {
  limit?: number;
  [parameter: string]: string | number | boolean | undefined;
}

/** Addresses of a page and of the next one. */
interface PageLinks {
  links: Omit<Links, 'next'> & { next: string | null };
  /** The next one again, for clients that look beside the links. */
  next?: string;
}

/**
 * How an answer names its page and the next one.
 * @param path of the list, below `/v3/`.
 * @param next id of the last one shown, if there are more.
 */
export function pageLinks(
  { publicUrl }: Addresses,
  path: string,
  asked: ListQuery,
  next: string | undefined,
): PageLinks {
  const address = (query: ListQuery) => {
    // Not URLSearchParams: its `+` for a blank is not read as one everywhere.
    const parameters = Object.entries(query)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`);
    return [`${publicUrl}/v3/${path}`, ...(parameters.length > 0 ? [parameters.join('&')] : [])].join('?');
  };
  const { limit = MAX_PAGE } = asked;
  const following = next ? address({ ...asked, limit: Math.min(limit, MAX_PAGE), marker: next }) : undefined;
  return { links: { self: address(asked), previous: null, next: following ?? null }, next: following };
}
