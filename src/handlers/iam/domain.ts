import type { DomainServiceService } from '../../gen/iam/v3/domain.js';
import type { DomainDirectory } from '../../managers/domain-directory.js';
import type { Methods } from '../../rpc/call.js';
import * as field from '../../rpc/fields.js';
import { method } from '../../rpc/method.js';
import { readsDomains as access } from './access.js';
import type { Addresses } from './addresses.js';
import { pageFields, pageLinks } from './pages.js';
import { toDomain } from './to-message.js';

/** Domains of OpenStack Identity: /v3/domains (docs/iam-users.md). */
export function iamDomainMethods(
  domains: DomainDirectory,
  addresses: Addresses,
): Methods<typeof DomainServiceService> {
  return {
    getDomain: method(
      { access, fields: { domain_id: field.ref } },
      async ({ domain_id }, { reach, caller }) => ({
        domain: toDomain(await domains.get(reach, caller, domain_id), addresses),
      }),
    ),
    listDomains: method(
      {
        access,
        fields: { name: field.text(255).optional(), enabled: field.anyBoolean.optional(), ...pageFields },
      },
      async (asked, { reach, caller }) => {
        const { name, enabled } = asked;
        const { rows, next } = await domains.list(reach, caller, { name, enabled }, asked);
        return {
          domains: rows.map((one) => toDomain(one, addresses)),
          ...pageLinks(addresses, 'domains', asked, next),
        };
      },
    ),
  };
}
