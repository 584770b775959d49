import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseProxy } from '../database-proxy.js';
import { databaseServer } from '../database.js';
import type { Tenant } from '../fixtures.js';
import { aTenant, signIn } from '../fixtures.js';
import type { RestAnswer, Stack } from './edge.js';
import { startStack } from './edge.js';

let stack: Stack;
let tenant: Tenant;

beforeAll(async () => {
  // None may wait for a hash, and a hash takes far longer than it takes all calls of a test to arrive.
  stack = await startStack({ HASH_QUEUE_MS: '0', BCRYPT_COST: '12' });
  tenant = await aTenant(stack.service);
});
afterAll(() => stack.close());

/** The first answer with this status among those to so many wrong sign-ins at once. */
async function flooded(path: string, body: (index: number) => object, status: number): Promise<RestAnswer> {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => stack.edge.post(path, body(index))),
  );
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([401, status]));
  return answers.find((answer) => answer.status === status)!;
}

it('F02: answers 429 with Retry-After to sign-ins that cannot be checked in time', async () => {
  const request = (index: number) => ({
    credentials: { user_id: `nobody${index}`, password: 'Wrong0pass' },
    auth_type: 'LOCAL',
    domain_id: tenant.domain_id,
  });
  const answer = await flooded('/identity/v2/token/issue', request, 429);
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9][0-9]*$/);
  expect(answer.body.detail.code).toBe('ERROR_TOO_BUSY');
  const types = answer.body.details.map((detail: { '@type': string }) => detail['@type'].split('.').at(-1));
  expect(types).toEqual(['ErrorInfo', 'RequestInfo', 'RetryInfo']);
});

it('answers 503 with Retry-After in the words of OpenStack Identity', async () => {
  const request = (index: number) => ({
    auth: {
      identity: {
        methods: ['password'],
        password: {
          user: { name: `nobody${index}`, domain: { id: tenant.domain_id }, password: 'Wrong0pass' },
        },
      },
    },
  });
  const answer = await flooded('/v3/auth/tokens', request, 503);
  expect(answer.headers.get('retry-after')).toMatch(/^[1-9][0-9]*$/);
  expect(answer.body.error).toEqual({
    code: 503,
    title: 'Service Unavailable',
    message: 'The service is not available now. Try again later.',
  });
});

describe('a call that is one too many', () => {
  const MAX = 10;
  let proxy: DatabaseProxy;
  let full: Stack;
  let headers: Record<string, string>;

  beforeAll(async () => {
    proxy = new DatabaseProxy(databaseServer());
    await proxy.up();
    full = await startStack({
      MONGODB_URI: proxy.uri(`test-${randomUUID()}`),
      MAX_CALLS: String(MAX),
      LOOP_DELAY_MS: '60000',
      CALL_TIME_MS: '60000',
      REQUEST_TIMEOUT_MS: '3000',
      USER_CACHE_MS: '0',
      DOMAIN_CACHE_MS: '0',
    });
    const own = await aTenant(full.service);
    const { access_token } = await signIn(full.service, own, own.admin);
    headers = { 'x-auth-token': access_token };
  });
  afterAll(async () => {
    proxy.resume();
    await full.close();
    await proxy.down();
  });

  it('is answered at each system with the status that its document has, and when to come again', async () => {
    proxy.stall();
    const send = (path: string) => full.edge.send('GET', path, undefined, headers);
    const inWork = Array.from({ length: MAX }, () => send('/v3/users/somebody'));
    await expect.poll(() => send('/v3').then(({ status }) => status)).toBe(503);
    const answers = await Promise.all(
      ['/v3/users/a', '/v3.0/OS-USER/users/a', '/v1/csms/users/a', '/identity/v2/user-profile/get'].map(
        (path) => (path.startsWith('/identity') ? full.edge.send('POST', path, {}, headers) : send(path)),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([503, 500, 500, 429]);
    for (const answer of answers) expect(answer.headers.get('retry-after')).toBe('1');
    const text = 'The service is not available now. Try again later.';
    expect(answers.slice(0, 3).map(({ body }) => body)).toEqual([
      { error: { code: 503, title: 'Service Unavailable', message: text } },
      { error_code: 'IAM.0006', error_msg: text },
      { error_code: 'APIGW.0201', error_msg: text },
    ]);
    await Promise.all(inWork);
  });
});
