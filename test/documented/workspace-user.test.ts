import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Tenant } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import { startEdge } from '../rest/edge.js';
import type { Edge } from '../rest/edge.js';
import { DOCUMENTED_USER, workspaceUserRequests as printed } from './requests.js';
import type { DocumentedRequest } from './requests.js';
import { TRANSPORTS, sender } from './transports.js';

let service: Service;
let tenant: Tenant;
let edge: Edge;
let token: string;

beforeAll(async () => {
  service = await startService();
  edge = await startEdge(service.address);
});
afterAll(async () => {
  await edge.close();
  await service.close();
});

/** A tenant of its own for each transport, because the requests create the same user. */
async function begin(): Promise<void> {
  tenant = await aTenant(service);
  const owner = await aUser(service, tenant, {
    language: 'ko',
    roles: { [tenant.alpha]: 'WORKSPACE_OWNER' },
  });
  token = await tokenOf(service, tenant, owner, 'WORKSPACE', tenant.alpha);
}

describe.each(TRANSPORTS)(
  'The documented requests of WorkspaceUser over %s, one after the other',
  (transport) => {
    beforeAll(begin);
    const send = (request: DocumentedRequest) => sender(transport, service, edge)(request, token);

    it('create', async () => {
      const { password: _, reset_password: __, role_id, ...shown } = printed.create.message;
      expect(await send(printed.create)).toMatchObject({
        ...shown,
        state: 'PENDING',
        role_type: 'USER',
        role_binding_info: { role_id, role_type: 'WORKSPACE_MEMBER', workspace_id: tenant.alpha },
      });
    });

    it('get, whatever workspace id an owner sends', async () => {
      expect(await send(printed.get)).toMatchObject({ user_id: DOCUMENTED_USER, name: 'Wonny' });
    });

    it('find', async () => {
      await aUser(service, tenant, { user_id: 'belty@cloudforet.io', name: 'Belty' });
      await aUser(service, tenant, { user_id: 'bolby@cloudforet.io', state: 'PENDING' });
      expect(await send(printed.find)).toEqual({
        results: [{ user_id: 'belty@cloudforet.io', name: 'Belty', state: 'ENABLED', auth_type: 'LOCAL' }],
        total_count: 1,
      });
    });

    it('list', async () => {
      const { results, total_count } = await send(printed.list);
      expect(results).toMatchObject([{ user_id: DOCUMENTED_USER, language: 'en' }]);
      expect(total_count).toBe(1);
    });
  },
);
