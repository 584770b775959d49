import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import type { Edge, RestAnswer } from './edge.js';
import { startEdge } from './edge.js';

let service: Service;
let tenant: Tenant;
let edge: Edge;

const PROFILE = '/identity/v2/user-profile';

beforeAll(async () => {
  service = await startService({ MAIL_LIMIT_PER_HOUR: '1' });
  tenant = await aTenant(service);
  edge = await startEdge(service.address);
});
afterAll(async () => {
  await edge.close();
  await service.close();
});

/** Every error has this body: the message is split at its first colon into `detail`. */
function expectError(answer: RestAnswer, httpStatus: number, code: number, reason: string): void {
  expect(answer.status).toBe(httpStatus);
  expect(answer.headers.get('content-type')).toBe('application/json');
  expect(answer.body).toMatchObject({ code, detail: { code: reason } });
  expect(answer.body.message).toBe(`${reason}: ${answer.body.detail.message}`);
  expect(Array.isArray(answer.body.details)).toBe(true);
  expect(Object.keys(answer.body).sort()).toEqual(['code', 'detail', 'details', 'message']);
  expect(JSON.stringify(answer.body)).not.toMatch(/upstream|envoy|127\.0\.0\.1|connection/i);
}

describe('errors of the service over REST', () => {
  it('answers 400 with the reason, its parameters and the field at fault', async () => {
    const token = await tokenOf(service, tenant, tenant.admin);
    const answer = await edge.post(`${PROFILE}/update`, { timezone: 'Mars/Olympus' }, token);
    expectError(answer, 400, 3, 'ERROR_INVALID_PARAMETER');
    expect(answer.body.details).toContainEqual(
      expect.objectContaining({
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'ERROR_INVALID_PARAMETER',
      }),
    );
    expect(answer.body.details).toContainEqual(
      expect.objectContaining({ '@type': 'type.googleapis.com/google.rpc.BadRequest' }),
    );
  });

  it('answers 401 with the true code and the word Authenticate', async () => {
    const answer = await edge.post(`${PROFILE}/get`, {});
    expectError(answer, 401, 16, 'ERROR_AUTHENTICATE_FAILURE');
    expect(answer.body.detail.message).toContain('Authenticate');
  });

  it('keeps the true code of a wrong password', async () => {
    const credentials = { user_id: tenant.admin, password: 'Wrong0000' };
    const request = { credentials, auth_type: 'LOCAL', domain_id: tenant.domain_id };
    const answer = await edge.post('/identity/v2/token/issue', request);
    expectError(answer, 401, 16, 'ERROR_AUTHENTICATION_FAILURE');
    expect(answer.body.detail.message).toContain('Authenticate');
  });

  it('answers 403 with the true code', async () => {
    const member = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const token = await tokenOf(service, tenant, member, 'WORKSPACE', tenant.alpha);
    const user = { user_id: 'new@example.com', auth_type: 'LOCAL', password: PASSWORD };
    const request = { ...user, role_id: 'managed-workspace-member' };
    expectError(
      await edge.post('/identity/v2/workspace-user/create', request, token),
      403,
      7,
      'ERROR_PERMISSION_DENIED',
    );
  });

  it('answers 404 for an unknown resource', async () => {
    const token = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.alpha);
    const answer = await edge.post('/identity/v2/workspace-user/get', { user_id: 'nobody' }, token);
    expectError(answer, 404, 5, 'ERROR_NOT_FOUND');
  });

  it('answers 409 for a taken user id', async () => {
    const user_id = await aUser(service, tenant);
    const owner = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const token = await tokenOf(service, tenant, owner, 'WORKSPACE', tenant.alpha);
    const request = { user_id, auth_type: 'LOCAL', password: PASSWORD, role_id: 'managed-workspace-member' };
    const answer = await edge.post('/identity/v2/workspace-user/create', request, token);
    expectError(answer, 409, 6, 'ERROR_SAVE_UNIQUE_VALUES');
  });

  it('answers 429 for a flood', async () => {
    const token = await tokenOf(service, tenant, await aUser(service, tenant));
    expect((await edge.post(`${PROFILE}/verify-email`, {}, token)).status).toBe(200);
    const answer = await edge.post(`${PROFILE}/verify-email`, {}, token);
    expectError(answer, 429, 8, 'ERROR_TOO_MANY_REQUESTS');
  });

  it('keeps quotes, backslashes, colons and other scripts of the message', async () => {
    const token = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.alpha);
    const user_id = 'a"b\\c: {한국} </script>';
    const answer = await edge.post('/identity/v2/workspace-user/get', { user_id }, token);
    expectError(answer, 404, 5, 'ERROR_NOT_FOUND');
    expect(answer.body.detail.message).toContain(user_id);
  });
});

describe('errors of the edge itself', () => {
  it.each([
    ['is cut off', '{"name"'],
    ['is a list', '[]'],
    ['has a value of the wrong type', '{"tags": "text"}'],
    ['goes on after its end', '{} {}'],
    ['is a form', 'name=Uma'],
    ['is nested too deeply', `{"tags":${'{"a":'.repeat(200)}1${'}'.repeat(200)}}`],
  ])('answers 400 for a body that %s', async (_, body) => {
    const answer = await edge.send('POST', `${PROFILE}/update`, body);
    expectError(answer, 400, 3, 'ERROR_INVALID_ARGUMENT');
  });

  it.each([
    ['[]', 'It cannot be read.'],
    ['{"name"', 'It cannot be read.'],
    ['{"tags": "text"}', 'tags: The value does not fit the field.'],
    ['{"name": {"a": 1}}', 'name: The value does not fit the field.'],
    ['{"name": ["secret"]}', 'It cannot be read.'],
    ['{"tags": {"a": "\\ud800"}}', 'It cannot be read.'],
  ])('says of %s what is wrong, in words of its own', async (body, reason) => {
    const answer = await edge.send('POST', `${PROFILE}/update`, body);
    expectError(answer, 400, 3, 'ERROR_INVALID_ARGUMENT');
    const text = `The request body is not valid JSON for this method. (reason = ${reason})`;
    expect(answer.body.detail.message).toBe(text);
  });

  it.each([
    '{"auth_type": "se\\ncret"}',
    '{"timeout": "se\\ncret: x"}',
    '{"auth_type": {"secret": "secret"}}',
  ])('names neither the value nor inner types for %s', async (body) => {
    const answer = await edge.send('POST', '/identity/v2/token/issue', body);
    expectError(answer, 400, 3, 'ERROR_INVALID_ARGUMENT');
    expect(answer.body.detail.message).toMatch(
      /\(reason = (auth_type|timeout): The value does not fit the field\.\)$/,
    );
  });

  it('names the field of a wrong type, never its value', async () => {
    const body = '{"new_password": 12345678}';
    const answer = await edge.send('POST', `${PROFILE}/update-password`, body);
    expectError(answer, 400, 3, 'ERROR_INVALID_ARGUMENT');
    expect(answer.body.detail.message).toContain('new_password');
    expect(JSON.stringify(answer.body)).not.toContain('12345678');
  });

  it.each([
    '/nowhere',
    '/identity',
    '/identity/v2/user-profile',
    '/identity/v2/user-profile/get/',
    '/identity/v9/x',
  ])('answers 404 for the unknown path %s', async (path) => {
    expectError(await edge.post(path, {}), 404, 5, 'ERROR_UNSUPPORTED_API');
  });

  it('does not take a gRPC path for a REST one', async () => {
    const answer = await edge.post('/spaceone.api.identity.v2.UserProfile/get', {});
    expectError(answer, 404, 5, 'ERROR_UNSUPPORTED_API');
  });

  it.each(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('answers 405 for %s and names POST', async (verb) => {
    const answer = await edge.send(verb, `${PROFILE}/get`);
    expectError(answer, 405, 12, 'ERROR_UNSUPPORTED_API');
    expect(answer.headers.get('allow')).toBe('POST');
  });

  it.each(['FOO', 'PROPFIND', 'get', 'M-SEARCH'])('answers 405 for the verb %s as well', async (verb) => {
    const answer = await edge.raw(
      `${verb} ${PROFILE}/get HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 405 [^]*\r\nallow: POST\r\n/);
  });

  it('answers 413 for a body over 1 MiB', async () => {
    const answer = await edge.post(`${PROFILE}/update`, { name: 'x'.repeat(1024 * 1024) }, 'none');
    expectError(answer, 413, 8, 'ERROR_MESSAGE_TOO_LARGE');
  });

  it('refuses header names with underscores, which would pass for metadata of other services', async () => {
    const answer = await edge.send('POST', `${PROFILE}/get`, {}, { x_domain_id: tenant.domain_id });
    expectError(answer, 400, 3, 'ERROR_INVALID_ARGUMENT');
  });

  it('answers 431 for headers that are too large', async () => {
    const answer = await edge.send('POST', `${PROFILE}/get`, {}, { 'x-large': 'x'.repeat(40_000) });
    expectError(answer, 431, 3, 'ERROR_INVALID_ARGUMENT');
  });

  it.each(['-profile%2Fget', '-profile/..%2Fuser-profile%2Fget', '%2F..%2Fuser-profile/get'])(
    'takes an escaped slash for a part of a name, not for a way elsewhere: /identity/v2/user%s',
    async (rest) => {
      expectError(await edge.post(`/identity/v2/user${rest}`, {}), 404, 5, 'ERROR_UNSUPPORTED_API');
    },
  );
});
