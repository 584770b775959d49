import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PASSWORD, aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Tenant } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';

const run = promisify(execFile);
const walk = fileURLToPath(new URL('walk.py', import.meta.url));
const reflected = fileURLToPath(new URL('reflected.py', import.meta.url));

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

describe('a Python client with the stubs of spaceone-api', () => {
  it('signs in, reads its profile, and creates, reads, lists and counts users of a workspace', async () => {
    const { domain_id, admin, alpha } = tenant;
    const args = [walk, service.address, domain_id, admin, PASSWORD, alpha];
    const { stdout } = await run(inject('tools').clientPython, args);
    expect(JSON.parse(stdout)).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      profile: { user_id: admin, role_type: 'DOMAIN_ADMIN', domain_id },
      role_type: 'DOMAIN_ADMIN',
      created: {
        user_id: 'from-python@example.com',
        name: '파이썬 Python',
        state: 'PENDING',
        tags: { nested: { list: [1, true, null, 'text'] } },
        role_binding_info: { role_type: 'WORKSPACE_MEMBER', workspace_id: alpha },
      },
      again: {
        status: 'ALREADY_EXISTS',
        code: 'ERROR_SAVE_UNIQUE_VALUES',
        text: expect.stringContaining("(keys = ['user_id', 'domain_id'])"),
      },
      got: { user_id: 'from-python@example.com', auth_type: 'LOCAL' },
      listed: ['from-python@example.com'],
      total_count: 1,
      stat: { results: [{ state: 'PENDING', users: 1 }] },
      found: [admin],
      denied: { status: 'PERMISSION_DENIED', code: 'ERROR_PERMISSION_DENIED' },
      without_token: { status: 'UNAUTHENTICATED', code: 'ERROR_AUTHENTICATE_FAILURE' },
    });
  });
});

describe('a Python client that knows only what reflection v1alpha tells it', () => {
  it('finds every service, and gets and lists with messages made from descriptors', async () => {
    const token = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.beta);
    await aUser(service, tenant, { user_id: 'beta@x.io', roles: { [tenant.beta]: 'WORKSPACE_OWNER' } });
    const asked = [
      { method: 'UserProfile.get', request: {}, token },
      { method: 'WorkspaceUser.get', request: { user_id: 'beta@x.io' }, token },
      { method: 'WorkspaceUser.list', request: { query: { only: ['user_id'], page: { limit: 5 } } }, token },
      { method: 'ServerInfo.get_version', request: {} },
      { method: 'Health.Check', request: { service: 'identity' } },
    ];
    const child = run(inject('tools').clientPython, [reflected, service.address]);
    child.child.stdin!.end(asked.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const lines = (await child).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      expect.arrayContaining([
        'Domain',
        'Health',
        'ServerInfo',
        'System',
        'Token',
        'UserProfile',
        'WorkspaceUser',
      ]),
      { user_id: tenant.admin, role_type: 'DOMAIN_ADMIN' },
      { user_id: 'beta@x.io', role_binding_info: { role_type: 'WORKSPACE_OWNER' } },
      { results: [{ user_id: 'beta@x.io' }], total_count: 1 },
      { version: expect.any(String) },
      { status: 'SERVING' },
    ]);
  });
});
