import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aTenant, aUser, opaqueId, signIn, tokenOf } from '../fixtures.js';
import { refusal } from '../harness.js';
import type { Stack } from './edge.js';
import { startStack } from './edge.js';

let stack: Stack;
let tenant: Tenant;
let token: string;

beforeAll(async () => {
  stack = await startStack();
  tenant = await aTenant(stack.service);
  ({ access_token: token } = await signIn(stack.service, tenant, tenant.admin));
});
afterAll(() => stack.close());

/** Writes into the document of a user what no call would, as an import may. */
async function store(user_id: string, set: object): Promise<void> {
  const users = stack.service.app.rooms.mongo.connection.collection('user');
  await users.updateOne({ domain_id: tenant.domain_id, user_id }, { $set: set });
}

describe('what an import has stored', () => {
  it('answers objects without their empty keys, which the edge would die of', async () => {
    const user_id = await aUser(stack.service, tenant);
    const odd = { '': 1, kept: { '': 2, deep: [{ '': 3, last: true }] } };
    await store(user_id, { extension: odd, tags: odd });
    const kept = { kept: { deep: [{ last: true }] } };
    const id = await opaqueId(stack.service, tenant, user_id);
    const shown = await stack.edge.send('GET', `/v1/csms/users/${id}`, undefined, { 'x-auth-token': token });
    expect(shown.status).toBe(200);
    expect(shown.body.extension).toEqual(kept);
    const own = await tokenOf(stack.service, tenant, user_id);
    const profile = await stack.edge.post('/identity/v2/user-profile/get', {}, own);
    expect(profile.status).toBe(200);
    expect(profile.body.tags).toEqual(kept);
  });

  it('answers null as what is not set', async () => {
    const user_id = await aUser(stack.service, tenant);
    await store(user_id, { org_id: null, phone: null, xuser_id: null, grade: null, extension: null });
    const csms = await stack.edge.send('GET', `/v1/csms/users/${user_id}`, undefined, {
      'x-auth-token': token,
    });
    expect(csms.body).toMatchObject({
      org_id: '',
      mobile: '',
      grade: 0,
      extension: {},
      user_org_relation_list: [],
    });
    const detail = await stack.edge.send('GET', `/v3.0/OS-USER/users/${user_id}`, undefined, {
      'x-auth-token': token,
    });
    expect(detail.body.user).toMatchObject({ phone: '-', xuser_id: '' });
  });
});

describe('a token with a byte that no header may hold', () => {
  it.each(['X-Auth-Token', 'X-Subject-Token', 'Authorization'])('is not printed: %s', async (name) => {
    const printed: string[] = [];
    const spies = (['error', 'warn', 'log', 'info', 'debug'] as const).map((method) =>
      vi.spyOn(console, method).mockImplementation((...args) => void printed.push(args.join(' '))),
    );
    try {
      const lines = [
        'GET /v3/auth/tokens HTTP/1.1',
        'Host: edge',
        'Connection: close',
        `${name}: ${token}\xff`,
      ];
      const answer = await stack.edge.raw(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
      expect(answer).toMatch(/^HTTP\/1\.1 40[01] /);
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
    expect([...printed, ...stack.service.logs].join('\n')).not.toContain(token);
  });
});

describe('the opaque id of a user', () => {
  it('can be nobody else’s user_id or username', async () => {
    const id = await opaqueId(stack.service, tenant, await aUser(stack.service, tenant));
    const owner = await aUser(stack.service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const asOwner = await tokenOf(stack.service, tenant, owner, 'WORKSPACE', tenant.alpha);
    for (const user_id of [id, id.toUpperCase(), 'ｆ'.repeat(32)]) {
      const request = {
        user_id,
        password: 'Passw0rd!',
        auth_type: 'LOCAL',
        role_id: 'managed-workspace-member',
      };
      const refused = await refusal(stack.service.call('WorkspaceUser.create', request, asOwner));
      expect(refused.reason).toBe('ERROR_INVALID_PARAMETER');
      expect(refused.text).toContain('must not be 32 hexadecimal digits');
    }
    const created = await stack.edge.send(
      'POST',
      '/v3/users',
      { user: { name: `a${id.slice(1)}` } },
      { 'x-auth-token': token },
    );
    expect(created.status).toBe(400);
    expect(created.body.error.message).toContain('must not be 32 hexadecimal digits');
  });
});
