import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { startService } from '../../harness.js';

const WRONG = 'Wrong0pass';
let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  // The level of a service whose settings say nothing.
  service = await startService({ LOG_LEVEL: '' });
  tenant = await aTenant(service);
});
afterAll(() => service.close());

/** The one line that a sign-in leaves. */
async function lineOf(user_id: unknown, password: string, given: object = {}) {
  const requestId = randomUUID();
  const request = {
    credentials: { user_id, password },
    auth_type: 'LOCAL',
    domain_id: tenant.domain_id,
    ...given,
  };
  await service.call('Token.issue', request, undefined, { 'x-request-id': requestId }).catch(() => {});
  const lines = service.logs.filter((line) => line.includes(requestId));
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain(password);
  expect(lines[0]).not.toContain('eyJ');
  return JSON.parse(lines[0]!);
}

describe('The log line of a sign-in', () => {
  it('tells who signed in, from where and when', async () => {
    const user = await aUser(service, tenant);
    expect(await lineOf(user, PASSWORD)).toMatchObject({
      level: 30,
      time: expect.any(Number),
      msg: 'answered',
      code: 'OK',
      peer: '127.0.0.1',
      domain_id: tenant.domain_id,
      user_id: user,
    });
  });

  it.each([
    ['a wrong password', 'ERROR_AUTHENTICATION_FAILURE', {}],
    ['another way', 'ERROR_AUTHENTICATION_FAILURE', { auth_type: 'EXTERNAL' }],
    ['no challenge', 'ERROR_INVALID_CREDENTIALS', { auth_type: 'MFA', verify_code: '824913' }],
    ['an unknown domain', 'ERROR_NOT_FOUND', { domain_id: 'domain-000000000000' }],
  ])('tells who did not, and why: %s', async (_what, reason, given) => {
    const user_id = 'stranger@example.com';
    const { domain_id } = { domain_id: tenant.domain_id, ...given };
    const line = await lineOf(` ${user_id} `, WRONG, given);
    expect(line).toMatchObject({ level: 30, msg: 'refused', reason, peer: '127.0.0.1', domain_id, user_id });
    expect(JSON.stringify(line)).not.toContain('824913');
  });

  it('tells who is blocked, whatever kind of id they have', async () => {
    const user_id = await aUser(service, tenant, { user_id: 'plain.name', email: '' });
    for (let index = 0; index < 10; index++) await lineOf(user_id, WRONG);
    expect(await lineOf(user_id, PASSWORD)).toMatchObject({
      level: 30,
      reason: 'ERROR_LOGIN_BLOCKED',
      user_id,
    });
  });

  it.each([['Mistyped-Passw0rd'], ['P@ssw0rd'], ['line\nbreak'], ['x'.repeat(5000)], [{ $gt: '' }], [7]])(
    'holds nothing that is no id: %j',
    async (user_id) => {
      const line = await lineOf(user_id, WRONG);
      expect(line).toMatchObject({ msg: 'refused', domain_id: tenant.domain_id });
      expect(line).not.toHaveProperty('user_id');
    },
  );
});
