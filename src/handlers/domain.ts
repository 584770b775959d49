import { DomainAuthInfo } from '../gen/spaceone/api/identity/v2/domain.js';
import type { DomainService } from '../gen/spaceone/api/identity/v2/domain.js';
import type { Query, StatisticsQuery } from '../gen/spaceone/api/core/v2/query.js';
import type { Domains } from '../managers/domains.js';
import type { Methods } from '../rpc/call.js';
import * as field from '../rpc/fields.js';
import { anonymousMethod, method } from '../rpc/method.js';
import { metadataText } from '../rpc/metadata.js';
import { toDomainInfo } from './to-message.js';

const read = {
  roleTypes: ['SYSTEM_ADMIN'],
  permissions: ['identity:Domain.read'],
  onlyReads: true,
} as const;
const write = { roleTypes: ['SYSTEM_ADMIN'], permissions: ['identity:Domain.write'] } as const;

/** Domain: the tenants of the service (contract/behaviour.md 4.8). */
export function domainMethods(domains: Domains): Methods<typeof DomainService> {
  return {
    create: method(
      { access: write, fields: { name: field.domainName, admin: field.admin, tags: field.tags.optional() } },
      async ({ name, tags, admin }, call) =>
        toDomainInfo(await domains.create(call.reach, name, tags, admin)),
    ),
    get: method({ access: read, fields: { domain_id: field.id } }, async (key, call) =>
      toDomainInfo(await domains.get(call.reach, key)),
    ),
    getAuthInfo: anonymousMethod({ name: field.domainName }, async (key, call) => {
      const { domain_id, name } = await domains.get(call.reach, key);
      return DomainAuthInfo.fromPartial({ domain_id, name, external_auth_state: 'DISABLED' });
    }),
    getPublicKey: anonymousMethod({ domain_id: field.id }, async ({ domain_id }, call) => ({
      domain_id,
      public_key: await domains.publicKey(call.reach, domain_id, metadataText(call.metadata, 'token')),
    })),
    update: method(
      {
        access: write,
        fields: { domain_id: field.id, name: field.domainName.optional(), tags: field.tags.optional() },
      },
      async ({ domain_id, ...change }, call) =>
        toDomainInfo(await domains.update(call.reach, domain_id, change)),
    ),
    delete: method({ access: write, fields: { domain_id: field.id } }, async ({ domain_id }, call) => {
      await domains.delete(call.reach, domain_id);
      return {};
    }),
    enable: method({ access: write, fields: { domain_id: field.id } }, async ({ domain_id }, call) =>
      toDomainInfo(await domains.setState(call.reach, domain_id, 'ENABLED')),
    ),
    disable: method({ access: write, fields: { domain_id: field.id } }, async ({ domain_id }, call) =>
      toDomainInfo(await domains.setState(call.reach, domain_id, 'DISABLED')),
    ),
    list: method(
      {
        access: read,
        fields: {
          query: field.message<Query>().optional(),
          domain_id: field.id.optional(),
          name: field.domainName.optional(),
          state: field.enumValue(['ENABLED', 'DISABLED']).optional(),
        },
      },
      async ({ query, ...equal }, call) => {
        const { rows, total } = await domains.list(call.reach, query, equal);
        return { results: rows.map(toDomainInfo), total_count: total };
      },
    ),
    stat: method(
      { access: read, fields: { query: field.message<StatisticsQuery>().optional() } },
      ({ query }, call) => domains.stat(call.reach, query),
    ),
  };
}
