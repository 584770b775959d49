import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { byName, withPassword } from '../../iam/tokens.js';
import { WireClient } from '../../wire-client.js';

const KIB = 1024;

let service: Service;
let tenant: Tenant;
let user_id: string;
let token: string;
let client: WireClient;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  user_id = await aUser(service, tenant);
  token = await tokenOf(service, tenant, user_id);
  client = new WireClient(service.address);
});
afterAll(async () => {
  client.close();
  await service.close();
});

/** Bytes of the length that are a message of every method: an unknown field with zeros. */
function filled(bytes: number): Buffer {
  const message = Buffer.alloc(bytes);
  const length = bytes - 5;
  // Field 100, wire type 2, and its length in three bytes.
  message.set([0xa2, 0x06, (length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14]);
  return message;
}

const sent = (method: string, bytes: number, by?: string) =>
  refusal(client.callWithBytes(method, filled(bytes), by));

function expectTooLarge(refused: Awaited<ReturnType<typeof refusal>>, bytes: number) {
  expect(refused.code).toBe(status.INVALID_ARGUMENT);
  expect(refused.text).toContain(`must be at most ${bytes} bytes`);
}

describe('a message that anybody may send', () => {
  it.each([
    'Token.issue',
    'Token.grant',
    'Domain.get_auth_info',
    'Domain.get_public_key',
    'UserProfile.reset_password',
    'System.init',
    'iam.v3.AuthService.CreateToken',
  ])('has at most 256 KiB: %s', async (method) => {
    expectTooLarge(await sent(method, 256 * KIB + 1), 256 * KIB);
    expect((await sent(method, 256 * KIB)).text).not.toContain('bytes');
  });

  it('is refused before its elements are made, and the edge is told that it is a 400', async () => {
    const scope = Object.fromEntries(Array.from({ length: 250_000 }, (_, index) => [`k${index}`, null]));
    const request = withPassword(byName(tenant, user_id), scope);
    const refused = await refusal(service.call('iam.v3.AuthService.CreateToken', request));
    expect(refused).toMatchObject({
      code: status.INVALID_ARGUMENT,
      text: "Invalid input for field 'request': must be at most 262144 bytes as a message",
    });
    expect(refused.metadata.get('edge-status')).toEqual(['400']);
  });
});

describe('a message of a known caller', () => {
  it.each([
    'UserProfile.update',
    'UserProfile.get',
    'UserProfile.confirm_email',
    'iam.v3.UserService.UpdateUser',
  ])('has at most 512 KiB: %s', async (method) => {
    expectTooLarge(await sent(method, 512 * KIB + 1, token), 512 * KIB);
  });

  it('may have as many', async () => {
    const profile = await client.callWithBytes('UserProfile.get', filled(512 * KIB), token);
    expect(profile).toMatchObject({ user_id });
  });

  it('is not looked at before the caller is known', async () => {
    expect((await sent('UserProfile.update', 512 * KIB + 1)).code).toBe(status.UNAUTHENTICATED);
    const broken = Buffer.from([0xff]);
    const stranger = await refusal(client.callWithBytes('UserProfile.update', broken));
    expect(stranger.code).toBe(status.UNAUTHENTICATED);
    expect((await refusal(client.callWithBytes('UserProfile.update', broken, token))).text).toContain(
      'no message',
    );
  });
});

describe('an object that only a manager looks into', () => {
  const keys = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, null]));
  const deep = (levels: number): object => (levels === 1 ? {} : { domain: deep(levels - 1) });

  it('has at most 100 values, and 8 levels: credentials', async () => {
    const issue = (credentials: object) =>
      service.call('Token.issue', { credentials, auth_type: 'LOCAL', domain_id: tenant.domain_id });
    const right = { user_id, password: PASSWORD };
    expect(await issue({ ...right, ...keys(98) })).toHaveProperty('access_token');
    const wide = await refusal(issue({ ...right, ...keys(99) }));
    expect(wide).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(wide.text).toContain('(key = credentials, reason = must hold at most 100 values)');
    expect((await refusal(issue({ ...right, more: deep(8) }))).text).toContain('nested at most 8 deep');
  });

  it('has at most 100 values, and 8 levels: options of the second factor', async () => {
    const refused = await refusal(
      service.call('UserProfile.enable_mfa', { mfa_type: 'EMAIL', options: keys(101) }, token),
    );
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.text).toContain('(key = options, reason = must hold at most 100 values)');
  });

  it('has at most 100 values, and 8 levels: the scope of a sign-in', async () => {
    const create = (scope: object) =>
      refusal(service.call('iam.v3.AuthService.CreateToken', withPassword(byName(tenant, user_id), scope)));
    const wide = await create(keys(101));
    expect(wide).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(wide.text).toBe("Invalid input for field 'scope': must hold at most 100 values");
    expect((await create({ project: deep(8) })).text).toBe(
      "Invalid input for field 'scope': must be nested at most 8 deep",
    );
  });
});
