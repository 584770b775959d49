import { DomainAuthInfo } from '../gen/spaceone/api/identity/v2/domain.js';
import type { DomainService } from '../gen/spaceone/api/identity/v2/domain.js';
import { IdentityError } from '../errors.js';
import type { Domains } from '../managers/domains.js';
import type { Methods } from '../rpc/call.js';
import * as field from '../rpc/fields.js';
import { anonymousMethod, method } from '../rpc/method.js';
import { metadataText } from '../rpc/metadata.js';
import { toDomainInfo } from './to-message.js';

const read = { roleTypes: ['SYSTEM_ADMIN'], permissions: ['identity:Domain.read'] } as const;
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
      { access: write, fields: { domain_id: field.id, name: field.ignored, tags: field.ignored } },
      notInThisVersion,
    ),
    delete: method({ access: write, fields: { domain_id: field.id } }, notInThisVersion),
    enable: method({ access: write, fields: { domain_id: field.id } }, notInThisVersion),
    disable: method({ access: write, fields: { domain_id: field.id } }, notInThisVersion),
    list: method(
      {
        access: read,
        fields: { query: field.ignored, domain_id: field.ignored, name: field.ignored, state: field.ignored },
      },
      notInThisVersion,
    ),
    stat: method({ access: read, fields: { query: field.ignored } }, notInThisVersion),
  };
}

function notInThisVersion(): never {
  throw new IdentityError('ERROR_NOT_IMPLEMENTED', { reason: 'not offered in this version' });
}
