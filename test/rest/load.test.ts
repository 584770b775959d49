import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aTenant } from '../fixtures.js';
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
