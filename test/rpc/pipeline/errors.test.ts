import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorDetail, errorDetails } from '../../error-details.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { WireClient } from '../../wire-client.js';

let service: Service;
let tenant: Tenant;
let owner: string;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
  owner = await tokenOf(service, tenant, user_id, 'WORKSPACE', tenant.alpha);
});
afterAll(() => service.close());

describe('a refused call', () => {
  it('says its reason first, and the same with its parameters in the details', async () => {
    const refused = await refusal(service.call('WorkspaceUser.get', { user_id: 'nobody@x.io' }, owner));
    expect(errorDetails(refused)).toEqual({
      code: status.NOT_FOUND,
      message: `ERROR_NOT_FOUND: ${refused.text}`,
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'ERROR_NOT_FOUND',
          domain: 'identity.spaceone.api',
          metadata: { key: 'user_id', value: 'nobody@x.io' },
        },
        {
          '@type': 'type.googleapis.com/google.rpc.RequestInfo',
          requestId: expect.stringMatching(/^[\w-]{36}$/),
        },
      ],
    });
  });

  it('names every field that breaks a rule, the first one as its reason', async () => {
    const request = { user_id: 'a b', email: 'nope', name: 'n'.repeat(129), timezone: 'Mars/Base' };
    const refused = await refusal(service.call('WorkspaceUser.create', request, owner));
    expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
    const { fieldViolations } = errorDetail(refused, 'BadRequest');
    expect(fieldViolations.map((one: { field: string }) => one.field)).toEqual([
      'user_id',
      'name',
      'email',
      'auth_type',
      'timezone',
      'role_id',
    ]);
    expect(fieldViolations[3]).toMatchObject({ field: 'auth_type', description: 'is required' });
  });

  it('never repeats a secret of the request', async () => {
    const request = { user_id: 'a@x.io', auth_type: 'LOCAL', role_id: 'r', password: 'short-Secret' };
    const refused = await refusal(service.call('WorkspaceUser.create', request, owner));
    expect(refused.reason).toBe('ERROR_INCORRECT_PASSWORD_FORMAT');
    expect(JSON.stringify(errorDetails(refused))).not.toContain('short-Secret');
    expect(service.logs.join('')).not.toContain('short-Secret');
  });

  it.each([
    ['the key of a tag', 'UserProfile.update', (long: string) => ({ tags: { [`${long}.`]: 'x' } })],
    ['the id of a user', 'iam.v3.UserService.GetUser', (long: string) => ({ user_id: long })],
    [
      'a query',
      'WorkspaceUser.list',
      (long: string) => ({ query: { filter: [{ k: 'name', v: 'x', o: long }] } }),
    ],
  ])('repeats %s without cutting a character in two', async (_what, method, request) => {
    const admin = (await signIn(service, tenant, tenant.admin)).access_token;
    const token = method === 'WorkspaceUser.list' ? owner : admin;
    // Whatever the length to which it is cut is: one of these two is cut within the character.
    for (const ascii of ['a', 'ab']) {
      const refused = await refusal(service.call(method, request(ascii + '\u{1f600}'.repeat(200)), token));
      expect(refused.text).toContain('\u{1f600}');
      expect(refused.text.isWellFormed()).toBe(true);
    }
  });

  it('D-04 tells nothing but a reference when something breaks inside, and the log tells the rest', async () => {
    const broken = await aTenant(service);
    const user_id = await aUser(service, broken);
    const keys = service.app.rooms.mongo.connection.collection('domain_secret');
    const spoilt = { $set: { 'access.private_jwk': 'v1.spoilt', 'refresh.private_jwk': 'v1.spoilt' } };
    await keys.updateOne({ domain_id: broken.domain_id }, spoilt);
    const another = await service.another();
    const credentials = { user_id, password: PASSWORD };
    const request = { credentials, auth_type: 'LOCAL', domain_id: broken.domain_id };
    const refused = await refusal(another.call('Token.issue', request));
    expect(refused).toMatchObject({ code: status.INTERNAL, reason: 'ERROR_UNKNOWN' });
    const { requestId } = errorDetail(refused, 'RequestInfo');
    expect(refused.text).toBe(`An internal error occurred. (reference = ${requestId})`);
    expect(errorDetail(refused, 'ErrorInfo').metadata).toEqual({ reference: requestId });
    expect(errorDetails(refused).details).toHaveLength(2);
    const line = another.logs.map((text) => JSON.parse(text)).find((one) => one.request_id === requestId);
    expect(line).toMatchObject({ level: 50, msg: 'failed', reason: 'ERROR_UNKNOWN', code: 'INTERNAL' });
    expect(line.cause.stack).toContain('.ts');
    await another.close();
  });

  it('is answered by the server for a method that there is not', async () => {
    const client = new WireClient(service.address);
    const refused = await refusal(
      client.callPath('/spaceone.api.identity.v2.Token/refresh', Buffer.alloc(0)),
    );
    expect(refused.code).toBe(status.UNIMPLEMENTED);
    client.close();
  });
});
