import { createHash } from 'node:crypto';
import type { CatalogEntry } from '../../gen/iam/v3/catalog.js';
import type { Addresses } from './addresses.js';

const INTERFACES = ['public', 'internal', 'admin'];

/**
 * The services that a token opens. The calls under /v3.0 are a service type of their own, because clients fail when a
 * type has several endpoints to choose from.
 */
export function catalogOf({ publicUrl, region }: Addresses): CatalogEntry[] {
  const entry = (type: string, name: string, path: string): CatalogEntry => ({
    id: stableId(type),
    type,
    name,
    endpoints: INTERFACES.map((one) => ({
      id: stableId(`${type}/${one}/${region}`),
      interface: one,
      region,
      region_id: region,
      url: `${publicUrl}${path}`,
    })),
  });
  return [entry('identity', 'keystone', '/v3'), entry('iam', 'iam', '/v3.0')];
}

/** The same 32 hex digits on every instance and at every start. */
function stableId(what: string): string {
  return createHash('sha256').update(what).digest('hex').slice(0, 32);
}
