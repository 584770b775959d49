import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aTenant, aWorkspace, signIn } from '../fixtures.js';
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

const send = (path: string, verb = 'GET') =>
  stack.edge.send(verb, path, undefined, { 'x-auth-token': token });

describe('domains and projects of OpenStack Identity over HTTP', () => {
  it('are where the links of answers lead, with every field there', async () => {
    const { body: offered } = await send('/v3/auth/projects');
    const [alpha] = offered.projects;
    const { status, headers, body } = await send(new URL(alpha.links.self as string).pathname);
    expect(status).toBe(200);
    expect(headers.get('vary')).toBe('X-Auth-Token');
    expect(body).toEqual({
      project: {
        id: tenant.alpha,
        name: 'alpha',
        domain_id: tenant.domain_id,
        enabled: true,
        description: '',
        parent_id: tenant.domain_id,
        is_domain: false,
        tags: [],
        options: {},
        links: { self: `${stack.edge.url}/v3/projects/${tenant.alpha}` },
      },
    });
    expect(body.project).toEqual(alpha);
    const path = `/v3/domains/${tenant.domain_id}`;
    const domain = (await send(path)).body;
    expect(domain).toEqual({
      domain: {
        id: tenant.domain_id,
        name: tenant.name,
        enabled: true,
        description: '',
        tags: [],
        options: {},
        links: { self: `${stack.edge.url}${path}` },
      },
    });
    expect((await send('/v3/domains')).body.domains).toEqual([domain.domain]);
    expect((await send('/v3/auth/domains')).body.domains).toEqual([domain.domain]);
  });

  it.each(['/v3/projects', '/v3/users/admin@example.com/projects'])(
    'are listed page by page along the addresses that %s names',
    async (start) => {
      for (let index = 0; index < 3; index += 1)
        await aWorkspace(stack.service, tenant.domain_id, `a b&c=${index} of ${start}`);
      const seen: string[] = [];
      for (let path = `${start}?limit=2`; path;) {
        const { status, body } = await send(path);
        expect(status).toBe(200);
        expect(body.projects.length).toBeLessThanOrEqual(2);
        seen.push(...body.projects.map(({ id }: { id: string }) => id));
        path = body.links.next ? String(body.links.next).slice(stack.edge.url.length) : '';
      }
      const { body } = await send(start);
      expect(seen).toEqual(body.projects.map(({ id }: { id: string }) => id));
      expect(seen.length).toBeGreaterThan(4);
      const name = encodeURIComponent(`a b&c=1 of ${start}`);
      expect((await send(`${start}?name=${name}`)).body.projects).toHaveLength(1);
    },
  );

  it.each([
    ['/v3/projects/nothing', 404, 'Could not find project: nothing.'],
    [
      '/v3/domains/nothing',
      403,
      'You are not authorized to perform the requested action: identity:get_domain.',
    ],
    ['/v3/projects?is_domain=perhaps', 400, expect.stringContaining("field 'is_domain'")],
    ['/v3/domains?limit=x', 400, expect.stringContaining('limit')],
  ])('answer %s with %i', async (path, status, message) => {
    const answer = await send(path);
    expect(answer.status).toBe(status);
    expect(answer.body.error).toMatchObject({ code: status, message });
  });

  it('are not changed here', async () => {
    for (const [verb, path] of [
      ['POST', '/v3/projects'],
      ['PATCH', `/v3/projects/${tenant.alpha}`],
      ['DELETE', `/v3/domains/${tenant.domain_id}`],
    ] as const) {
      const { status, headers } = await send(path, verb);
      expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
  });
});
