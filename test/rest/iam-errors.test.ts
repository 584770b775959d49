import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../fixtures.js';
import { aTenant, aUser, signIn } from '../fixtures.js';
import type { RestAnswer, Stack } from './edge.js';
import { startStack } from './edge.js';

const KEYSTONE = '/v3/users/somebody';
const OS_USER = '/v3.0/OS-USER/users/somebody';
const CSMS = '/v1/csms/users/somebody';

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Request Entity Too Large',
};

let stack: Stack;
let tenant: Tenant;
let admin: string;
let member: string;

beforeAll(async () => {
  stack = await startStack();
  tenant = await aTenant(stack.service);
  ({ access_token: admin } = await signIn(stack.service, tenant, tenant.admin));
  ({ access_token: member } = await signIn(stack.service, tenant, await aUser(stack.service, tenant)));
});
afterAll(() => stack.close());

/** The text of the error, after its body was found to be the one of the system. */
function textOf(answer: RestAnswer, path: string, status: number, code?: string): string {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json');
  for (const name of ['edge-status', 'edge-code', 'x-edge-request', 'grpc-status']) {
    expect(answer.headers.get(name)).toBeNull();
  }
  expect(JSON.stringify(answer.body)).not.toMatch(/ERROR_|upstream|[Ee]nvoy/);
  if (code !== undefined) {
    expect(answer.body).toEqual({ error_code: code, error_msg: expect.any(String) });
    return answer.body.error_msg;
  }
  expect(path).toMatch(/^\/(v3(\/|$)|$)/);
  expect(answer.headers.get('vary')).toBe('X-Auth-Token');
  expect(answer.headers.get('x-openstack-request-id')).toBe(`req-${answer.headers.get('x-request-id')}`);
  const error = { code: status, message: expect.any(String), title: TITLES[status] };
  expect(answer.body).toEqual({ error });
  return answer.body.error.message;
}

/** The verbs that a path takes. */
const TAKEN: Record<string, string> = {
  [KEYSTONE]: 'DELETE, GET, HEAD, PATCH, POST',
  [OS_USER]: 'GET, HEAD, PUT',
  [CSMS]: 'GET, HEAD',
};

function send(verb: string, path: string, body?: unknown, token = admin): Promise<RestAnswer> {
  return stack.edge.send(verb, path, body, { 'x-auth-token': token });
}

describe.each<[string, string, Record<number, string> | undefined]>([
  ['OpenStack Identity', KEYSTONE, undefined],
  [
    'OS-USER',
    OS_USER,
    {
      400: 'IAM.0011',
      401: 'IAM.0001',
      403: 'IAM.0003',
      404: 'IAM.0004',
      405: 'APIGW.0101',
      413: 'APIGW.0201',
    },
  ],
  [
    'CSMS',
    CSMS,
    {
      400: 'APIGW.0201',
      401: 'APIGW.0301',
      403: 'APIGW.0302',
      404: 'APIGW.0101',
      405: 'APIGW.0101',
      413: 'APIGW.0201',
    },
  ],
])('errors of %s', (_, path, codes) => {
  it('answers 401 without a token and with a wrong one, and says where to sign in', async () => {
    const answers = [await stack.edge.send('GET', path), await send('GET', path, undefined, 'nonsense')];
    for (const answer of answers) {
      expect(textOf(answer, path, 401, codes?.[401])).toBe(
        'The request you have made requires authentication.',
      );
      const realm = `Keystone uri="${stack.edge.url}/v3"`;
      expect(answer.headers.get('www-authenticate')).toBe(realm);
    }
  });

  it('answers 403 for another person', async () => {
    const other = path.replace('somebody', tenant.admin);
    const text = textOf(await send('GET', other, undefined, member), path, 403, codes?.[403]);
    expect(text).toMatch(/^You are not authorized to perform the requested action: identity:\w+_user\.$/);
  });

  it('answers 404 for a path that there is not', async () => {
    const text = textOf(await send('GET', path.replace('users', 'people')), path, 404, codes?.[404]);
    expect(text).toBe('There is no such path.');
  });

  it('answers 405 for a verb that the path does not take, and lists those that it takes', async () => {
    const answer = await send(path === OS_USER ? 'PATCH' : 'PUT', path, {});
    expect(textOf(answer, path, 405, codes?.[405])).toBe('The path does not take this HTTP method.');
    expect(answer.headers.get('allow')).toBe(TAKEN[path]);
  });

  it('answers 405 so for a verb that there is not', async () => {
    const lines = `FOO ${path} HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n`;
    const answer = await stack.edge.raw(lines);
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect(answer).toContain(`allow: ${TAKEN[path]}\r\n`);
    expect(answer).toContain(codes ? `"error_code":"${codes[405]}"` : `"title":"${TITLES[405]}"`);
  });

  it('answers 400 for a path that nothing can be made of', async () => {
    textOf(await send('GET', `${path}%00`), path, 400, codes?.[400]);
  });

  it('takes an escaped slash for a part of a name, not for a way elsewhere', async () => {
    for (const other of ['users%2Fsomebody', 'x/..%2Fusers/somebody', 'users/x/%2e%2e%2fsomebody']) {
      const answer = await send('GET', path.replace('users/somebody', other));
      expect(textOf(answer, path, 404, codes?.[404])).toBe('There is no such path.');
    }
  });

  it('answers 413 for a body over 1 MiB, be it one that it would not read', async () => {
    const length = 1024 * 1024 + 1;
    const answer = await stack.edge.raw(
      `GET ${path} HTTP/1.1\r\nHost: edge\r\nContent-Length: ${length}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain(codes ? `"error_code":"${codes[413]}"` : `"title":"${TITLES[413]}"`);
  });
});

describe('an unknown user', () => {
  it.each([
    [KEYSTONE, 404, undefined],
    [OS_USER, 404, 'IAM.0004'],
    // CSMS has no other status for it.
    [CSMS, 400, 'CSMS.0005'],
  ])('is named as it was asked for: GET %s', async (path, status, code) => {
    const user_id = 'a"b: {한국} <script>';
    const answer = await send('GET', path.replace('somebody', encodeURIComponent(user_id)));
    expect(textOf(answer, path, status, code)).toBe(`Could not find user: ${user_id}.`);
  });

  it.each([' ', '\n', ' a ', '/', 'a/b', '/..', 'a/../b', '../../v3', 'a%2Fb', '..\\..', 'password/'])(
    'may be asked for by what is no id: %j',
    async (name) => {
      const paths: [string, number, string | undefined][] = [
        [KEYSTONE, 404, undefined],
        [OS_USER, 404, 'IAM.0004'],
        [CSMS, 400, 'CSMS.0005'],
      ];
      for (const [path, status, code] of paths) {
        const answer = await send('GET', path.replace('somebody', encodeURIComponent(name)));
        expect(textOf(answer, path, status, code)).toBe(`Could not find user: ${name}.`);
      }
    },
  );
});

describe('a user whose id holds a slash', () => {
  it.each(['a/b', 'team/../lead', '//x', 'c%2Fd'])(
    'is found and changed through every system: %s',
    async (id) => {
      const user_id = await aUser(stack.service, tenant, { user_id: id });
      const name = encodeURIComponent(user_id);
      expect((await send('GET', `/v3/users/${name}`)).body.user.name).toBe(user_id);
      expect((await send('GET', `/v3.0/OS-USER/users/${name}`)).body.user.name).toBe(user_id);
      expect((await send('GET', `/v1/csms/users/${name}`)).body.user_name).toBe(user_id);
      const change = { user: { description: 'changed' } };
      expect((await send('PATCH', `/v3/users/${name}`, change)).body.user.description).toBe('changed');
    },
  );
});

describe('an unknown token', () => {
  it('is not found, and not named', async () => {
    const asked = { 'x-auth-token': admin, 'x-subject-token': 'somebody-elses' };
    const answer = await stack.edge.send('GET', '/v3/auth/tokens', undefined, asked);
    expect(textOf(answer, '/v3/auth/tokens', 404)).toBe('Could not find token.');
  });
});

describe('modifying a user, each status of the document', () => {
  const change = (path: string, user: object, token?: string, verb = 'PATCH') =>
    send(verb, path, { user }, token);

  it.each(['PATCH', 'POST'])('answers %s with 200', async (verb) => {
    const path = `/v3/users/${await aUser(stack.service, tenant)}`;
    const answer = await change(path, { description: 'changed' }, admin, verb);
    expect(answer.status).toBe(200);
    expect(answer.body.user).toMatchObject({ description: 'changed', decription: 'changed' });
    expect(answer.headers.get('vary')).toBe('X-Auth-Token');
  });

  it('answers 400 for a name that breaks a rule', async () => {
    const path = `/v3/users/${await aUser(stack.service, tenant)}`;
    expect(textOf(await change(path, { name: '1' }), path, 400)).toContain("'name'");
    expect(textOf(await send('PATCH', path, {}), path, 400)).toBe("'user' is a required property");
  });

  it('answers 401, 403 and 404', async () => {
    textOf(await change(KEYSTONE, {}, 'nonsense'), KEYSTONE, 401);
    const other = `/v3/users/${tenant.admin}`;
    textOf(await change(other, { description: 'x' }, member), other, 403);
    textOf(await change(KEYSTONE, { description: 'x' }), KEYSTONE, 404);
  });

  it('answers 405 for PUT', async () => {
    textOf(await change(KEYSTONE, {}, admin, 'PUT'), KEYSTONE, 405);
  });

  it('answers 409 for a name that is taken', async () => {
    const path = `/v3/users/${await aUser(stack.service, tenant)}`;
    await aUser(stack.service, tenant, { user_id: 'taken-name' });
    expect(textOf(await change(path, { name: 'Taken-Name' }), path, 409)).toMatch(/^Conflict occurred/);
  });

  it('answers 400 for a body that is too large a message, though it is not too large a body', async () => {
    const tokens = '/v3/auth/tokens';
    const signingIn = await send('POST', tokens, { auth: { scope: 'x'.repeat(300 * 1024) } });
    expect(textOf(signingIn, tokens, 400)).toMatch(/ must be at most 262144 bytes as a message$/);
    const answer = await change(KEYSTONE, { description: 'x'.repeat(600 * 1024) });
    expect(textOf(answer, KEYSTONE, 400)).toMatch(/ must be at most 524288 bytes as a message$/);
  });

  it('answers 413 for a body over 1 MiB', async () => {
    const answer = await change(KEYSTONE, { description: 'x'.repeat(1024 * 1024) });
    expect(textOf(answer, KEYSTONE, 413)).toBe('The request is too large.');
  });
});

describe('what a caller sends wrongly', () => {
  it.each([
    ['{"user"', /^Malformed request body: It cannot be read\.$/],
    ['[]', /^Malformed request body: It cannot be read\.$/],
    ['{"user": "secret"}', /^Invalid input for field 'user': The value does not fit the field\.$/],
    ['{"user": {"name": {"secret": 1}}}', /^Invalid input for field 'name': must be a text$/],
    [
      '{"user": {"options": "secret"}}',
      /^(?:Malformed request body: It cannot|Invalid input for field 'options': The value)/,
    ],
  ])('is answered with 400 and what is wrong: %s', async (body, text) => {
    const answer = await send('PATCH', KEYSTONE, body);
    expect(textOf(answer, KEYSTONE, 400)).toMatch(text);
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });

  it('is answered so in a parameter of the address as well', async () => {
    const text = textOf(await send('GET', '/v3/users?limit=many'), KEYSTONE, 400);
    expect(text).toBe("Invalid input for field 'limit': The value does not fit the field.");
  });
});

describe('paths of no system', () => {
  it.each(['/v2/users', '/v30/users', '/v1/users', '/v1/csmsx', '/v3x', '/identity/v3'])(
    'have the body of all others: %s',
    async (path) => {
      const answer = await send('GET', path);
      expect(answer.status).toBe(404);
      expect(answer.body).toMatchObject({ code: 5, detail: { code: 'ERROR_UNSUPPORTED_API' } });
      expect(answer.headers.get('vary')).toBeNull();
    },
  );
});
