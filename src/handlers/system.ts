import type { ServerInfoService } from '../gen/spaceone/api/core/v1/server_info.js';
import type { SystemService } from '../gen/spaceone/api/identity/v2/system.js';
import type { System } from '../managers/system.js';
import type { Methods } from '../rpc/call.js';
import * as field from '../rpc/fields.js';
import { anonymousMethod } from '../rpc/method.js';
import { metadataText } from '../rpc/metadata.js';

/** System: setting up a new installation (contract/behaviour.md 4.2). */
export function systemMethods(system: System): Methods<typeof SystemService> {
  return {
    init: anonymousMethod({ admin: field.admin, force: field.flag }, async ({ admin, force }, call) => {
      const from = {
        local: call.local,
        bootstrapSecret: metadataText(call.metadata, 'bootstrap-secret'),
        token: metadataText(call.metadata, 'token'),
      };
      const account = { ...admin, reset_password: false };
      const { domain, system_token } = await system.init(call.reach, from, account, force);
      return { domain_id: domain.domain_id, name: domain.name, system_token };
    }),
  };
}

/** ServerInfo: what runs here. */
export function serverInfoMethods(version: string): Methods<typeof ServerInfoService> {
  return { getVersion: anonymousMethod({}, () => ({ version })) };
}
