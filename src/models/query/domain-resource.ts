import type { QueryResource } from './resource.js';

/** What Domain.list and stat may name. Only living domains are found, so their names tell them apart. */
export const domainResource: QueryResource = {
  fields: new Map([
    ['domain_id', 'string'],
    ['name', 'string'],
    ['state', 'string'],
    ['tags', 'dynamic'],
    ['created_at', 'date'],
  ]),
  keyword: ['domain_id', 'name'],
  minimal: ['domain_id', 'name', 'state'],
  order: ['name'],
  unique: 'name',
};
