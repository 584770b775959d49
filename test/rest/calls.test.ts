import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { WireClient } from '../wire-client.js';
import type { Edge } from './edge.js';
import { startEdge } from './edge.js';

let service: Service;
let tenant: Tenant;
let edge: Edge;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  edge = await startEdge(service.address);
});
afterAll(async () => {
  await edge.close();
  await service.close();
});

describe('calls over REST', () => {
  it('signs in, takes a workspace token and lists, from first to last over REST', async () => {
    const owner = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const issued = await edge.post('/identity/v2/token/issue', {
      domain_id: tenant.domain_id,
      auth_type: 'LOCAL',
      credentials: { user_id: owner, password: PASSWORD },
    });
    expect(issued.status).toBe(200);
    const granted = await edge.post('/identity/v2/token/grant', {
      grant_type: 'REFRESH_TOKEN',
      scope: 'WORKSPACE',
      workspace_id: tenant.alpha,
      token: issued.body.refresh_token,
    });
    expect(granted.body).toMatchObject({ role_type: 'WORKSPACE_OWNER', workspace_id: tenant.alpha });
    const listed = await edge.post('/identity/v2/workspace-user/list', {}, granted.body.access_token);
    expect(listed.status).toBe(200);
    expect(listed.body.results).toContainEqual(
      expect.objectContaining({ user_id: owner, auth_type: 'LOCAL' }),
    );
  });

  it('P23: answers what gRPC answers, in the names of the contract and without defaults', async () => {
    const user_id = await aUser(service, tenant, { name: '', tags: { n: 1, list: [true, null] } });
    const token = await tokenOf(service, tenant, user_id);
    const overRest = await edge.post('/identity/v2/user-profile/get', {}, token);
    const overGrpc = await service.call('UserProfile.get', {}, token);
    expect(overRest.body).toEqual(overGrpc);
    expect(overRest.body).not.toHaveProperty('name');
    expect(overRest.body).toHaveProperty('email_verified', true);
  });

  it('answers {} where there is nothing to say', async () => {
    const request = { user_id: 'nobody@example.com', domain_id: tenant.domain_id };
    const answer = await edge.post('/identity/v2/user-profile/reset-password', request);
    expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: {} });
  });

  it.each(['/identity/v1', '/identity/v2', '/identity'])(
    'serves WorkspaceUser.stat under %s',
    async (base) => {
      const token = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.alpha);
      const group = {
        keys: [{ key: 'state', name: 'state' }],
        fields: [{ name: 'count', operator: 'count' }],
      };
      const answer = await edge.post(
        `${base}/workspace-user/stat`,
        { query: { aggregate: [{ group }] } },
        token,
      );
      expect(answer.status).toBe(200);
    },
  );

  it('takes field names in camelCase and ignores unknown fields', async () => {
    const token = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.alpha);
    const user = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const request = { userId: user, surprise: { deep: [1] } };
    const answer = await edge.post('/identity/v2/workspace-user/get', request, token);
    expect(answer.body).toHaveProperty('user_id', user);
  });

  it('P23: changes nothing by fields that a method does not have, however they are called', async () => {
    const user = await aUser(service, tenant, { email_verified: false });
    const users = service.app.rooms.mongo.connection.collection('user');
    const stored = async () => {
      const { updated_at: _at, ...rest } = (await users.findOne({ user_id: user }))!;
      return rest;
    };
    const token = await tokenOf(service, tenant, user);
    const before = await stored();
    const another = { user_id: tenant.admin, domain_id: 'domain-root' };
    const wished = {
      state: 'PENDING',
      email_verified: true,
      emailVerified: true,
      role_type: 'DOMAIN_ADMIN',
      roleId: 'managed-domain-admin',
      mfa: { state: 'ENABLED', mfa_type: 'EMAIL', options: { email: user } },
      required_actions: [],
      auth_type: 'EXTERNAL',
      generation: 0,
      memberships: [{ workspace_id: '*', role_type: 'WORKSPACE_OWNER' }],
      'memberships.0.role_type': 'WORKSPACE_OWNER',
      $set: { email_verified: true },
      constructor: { prototype: { email_verified: true } },
    };
    const answer = await edge.post('/identity/v2/user-profile/update', { ...wished, ...another }, token);
    expect(answer).toMatchObject({ status: 200, body: { user_id: user } });
    const { access_token } = await signIn(service, tenant, tenant.admin);
    const path = `/v3/users/${before['id']}`;
    const patched = await edge.send('PATCH', path, { user: wished }, { 'x-auth-token': access_token });
    expect(patched).toMatchObject({ status: 200, body: { user: { id: before['id'] } } });
    expect(await stored()).toEqual(before);
  });

  it('takes a call without a body as an empty message', async () => {
    const token = await tokenOf(service, tenant, tenant.admin);
    const headers = { authorization: `Bearer ${token}` };
    expect((await edge.send('POST', '/identity/v2/user-profile/get', undefined, headers)).status).toBe(200);
  });

  it('takes the token from the header `token` as well', async () => {
    const { access_token: token } = await signIn(service, tenant, tenant.admin);
    expect((await edge.send('POST', '/identity/v2/user-profile/get', {}, { token })).status).toBe(200);
  });

  it('takes nothing from the query string of a POST', async () => {
    const token = await tokenOf(service, tenant, tenant.admin);
    const path = '/identity/v2/user-profile/update?name=FromTheAddress';
    const answer = await edge.post(path, { timezone: 'UTC' }, token);
    expect(answer.body.name).toBe('Ada Admin');
  });

  it('keeps answers out of caches and gives every one its request id', async () => {
    const sent = { 'x-request-id': 'chosen-by-the-caller' };
    const answer = await edge.send('POST', '/identity/v2/user-profile/get', {}, sent);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get('grpc-status')).toBeNull();
  });

  it('has no path for what is internal', async () => {
    for (const path of ['/identity/v2/system/init', '/identity/v2/domain/get-public-key']) {
      expect((await edge.post(path, {})).status).toBe(404);
    }
  });
});

describe('native gRPC through the same port', () => {
  it('passes calls and errors untouched', async () => {
    const client = new WireClient(edge.address);
    const { access_token } = await signIn(service, tenant, tenant.admin);
    expect(await client.call('UserProfile.get', {}, access_token)).toHaveProperty('user_id', tenant.admin);
    const refused = await refusal(client.call('UserProfile.get'));
    expect(refused).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'ERROR_AUTHENTICATE_FAILURE' });
    expect(refused.metadata.get('grpc-status-details-bin')).toHaveLength(1);
    client.close();
  });
});
