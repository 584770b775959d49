import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, aTenant, aUser, signIn } from '../fixtures.js';
import type { Tenant } from '../fixtures.js';
import { refusal } from '../harness.js';
import type { Stack } from '../rest/edge.js';
import { startStack } from '../rest/edge.js';

const run = promisify(execFile);
/** Ids that the documents print; one prints them cut off, as they cannot be here. */
const DOMAIN = '88b16b6440684467b8825d7d96e154d8';
const JAMES = '2c1c6c54e59141b889c99e6fada5f19f';
const AUTOTEST = '093f75808b8089ba1f6dc000c7cac0de';
const ZHANGSAN = '20220413165737132-3BA0-91FCA2CB7';
const HOST = 'https://sample.domain.com';

let stack: Stack;
let tenant: Tenant;
let folder: string;
let token: string;

beforeAll(async () => {
  stack = await startStack();
  tenant = await aTenant(stack.service, DOMAIN);
  folder = await mkdtemp(join(tmpdir(), 'identity-documented-'));
  token = await subjectToken(tenant.admin);
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

/** The X-Subject-Token of a sign-in with a password, as the documents ask for. */
async function subjectToken(name: string): Promise<string> {
  const user = { name, domain: { id: DOMAIN }, password: PASSWORD };
  const auth = { identity: { methods: ['password'], password: { user } } };
  const { status, headers } = await stack.edge.send('POST', '/v3/auth/tokens', { auth });
  expect(status).toBe(201);
  return headers.get('x-subject-token')!;
}

/** Runs a line in a shell, against the running edge: nothing else of it is changed. */
async function shell(line: string): Promise<string> {
  const here = line.replaceAll(HOST, stack.edge.url);
  const { stdout } = await run('bash', ['-euc', `token='${token}'; filename=modify; ${here}`], {
    cwd: folder,
  });
  return stdout;
}

/** Head and body of what `curl -i` printed. */
function split(printed: string): { head: string; body: unknown } {
  const [head = '', body = ''] = printed.split('\r\n\r\n');
  return { head, body: JSON.parse(body) };
}

describe('OS-USER, Querying User Details', () => {
  const printed = {
    user: {
      create_time: '2020-07-08 02:19:03.0',
      last_login_time: null,
      areacode: '',
      enabled: true,
      xuser_id: '',
      pwd_status: false,
      update_time: null,
      phone: '-',
      name: 'autotest1',
      xuser_type: '',
      email: '',
    },
  };

  it('answers the example', async () => {
    const created_at = new Date('2020-07-08T02:19:03.000Z');
    await aUser(stack.service, tenant, { id: AUTOTEST, user_id: 'autotest1', created_at });
    const line = `curl -s -X GET -H "X-Auth-Token:$token" ${HOST}/v3.0/OS-USER/users/${AUTOTEST}`;
    expect(JSON.parse(await shell(line))).toEqual({
      user: {
        ...printed.user,
        domain_id: DOMAIN,
        id: AUTOTEST,
        links: { next: null, previous: null, self: `${stack.edge.url}/v3.0/OS-USER/users/${AUTOTEST}` },
        // The example says "Strong", which the table does not know.
        pwd_strength: 'Low',
        // In the table alone.
        is_domain_owner: false,
        description: '',
        // Beyond the document.
        password_expires_at: null,
      },
    });
  });
});

describe('modifying a user', () => {
  const file = (password: string) =>
    JSON.stringify({
      user: { name: 'james1234', default_project_id: DOMAIN, enabled: false, password },
    });
  const LINE =
    "curl -i -k -H 'Accept:application/json' -H 'Content-Type:application/json;charset=utf8' " +
    `-H "X-Auth-Token:$token" -X POST -d @\${filename}.json ${HOST}/v3/users/${JAMES}`;

  it('answers the example, with the printed line', async () => {
    await aUser(stack.service, tenant, { id: JAMES, user_id: 'james@example.com' });
    await writeFile(join(folder, 'modify.json'), file('Brand-new7Word'));
    const { head, body } = split(await shell(LINE));
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toMatch(/^content-type: application\/json\r?$/m);
    expect(body).toEqual({
      user: {
        name: 'james1234',
        // The id of the path; the example prints another.
        id: JAMES,
        links: { self: `${stack.edge.url}/v3/users/${JAMES}` },
        // A text as in the table; the example has an empty object.
        decription: '',
        domain_id: DOMAIN,
        enabled: false,
        default_project_id: DOMAIN,
        // Passwords do not end unless the installation says so.
        password_expires_at: null,
        // Beyond the document: as Keystone answers.
        description: '',
        email: 'james@example.com',
        options: {},
        extra: { email: 'james@example.com' },
      },
    });
    const refused = await refusal(signIn(stack.service, tenant, 'james@example.com', 'Brand-new7Word'));
    expect(refused.reason).toBe('ERROR_USER_STATE_DISABLED');
  });

  it('refuses the file as it is printed, for its masked password', async () => {
    await writeFile(join(folder, 'modify.json'), file('********'));
    const { head, body } = split(await shell(LINE));
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(body).toEqual({
      error: { code: 400, title: 'Bad Request', message: expect.stringContaining('password') },
    });
  });
});

describe('a password that ends', () => {
  it.each([
    ['false', '2016-12-07T00:00:00.000000'],
    ['true', '2016-12-07T00:00:00.000000Z'],
  ])('is told with Z: %s', async (IAM_EXPIRY_WITH_Z, password_expires_at) => {
    const strict = await stack.service.another({ PASSWORD_VALID_DAYS: '90', IAM_EXPIRY_WITH_Z });
    const user_id = await aUser(stack.service, tenant, {
      password_changed_at: new Date('2016-09-08T00:00:00Z'),
    });
    const { user } = await strict.call('iam.v3.UserService.GetUser', { user_id }, token);
    await strict.close();
    expect(user.password_expires_at).toBe(password_expires_at);
  });
});

describe('CSMS, Obtaining User Details', () => {
  const ORG = '20220117125622909-9346-35755733F';

  it('answers the example', async () => {
    await aUser(stack.service, tenant, {
      user_id: ZHANGSAN,
      username: 'zhangsan',
      name: 'zhangsan',
      email: 'zhangsan@example.com',
      org_id: ORG,
      phone: '12345678901',
      grade: 1,
      required_actions: ['UPDATE_PASSWORD'],
      password_changed_at: new Date('2022-04-14T10:14:01.988Z'),
      created_at: new Date('2022-04-13T16:57:36.532Z'),
      updated_at: new Date('2022-04-14T10:14:01.979Z'),
    });
    const line = `curl -s -H "X-Auth-Token:$token" ${HOST}/v1/csms/users/${ZHANGSAN}`;
    expect(JSON.parse(await shell(line))).toEqual({
      // One opaque id for all systems.
      user_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      org_id: ORG,
      domain_id: DOMAIN,
      user_name: 'zhangsan',
      name: 'zhangsan',
      mobile: '12345678901',
      email: 'zhangsan@example.com',
      pwd_must_modify: true,
      pwd_change_at: '2022-04-14 10:14:01.988',
      created_at: '2022-04-13 16:57:36.532',
      updated_at: '2022-04-14 10:14:01.979',
      disabled: false,
      grade: 1,
      locked: false,
      extension: {},
      // Of the two in the example the one that the user belongs to.
      user_org_relation_list: [{ org_id: ORG, relation_type: 1 }],
    });
  });

  it('has every field for somebody of whom nothing is known', async () => {
    const user_id = await aUser(stack.service, tenant, { user_id: 'bare-user', auth_type: 'EXTERNAL' });
    const line = `curl -s -H "X-Auth-Token:$token" ${HOST}/v1/csms/users/${user_id}`;
    expect(JSON.parse(await shell(line))).toMatchObject({
      org_id: '',
      name: '',
      mobile: '',
      email: '',
      pwd_must_modify: false,
      pwd_change_at: null,
      grade: 0,
      extension: {},
      user_org_relation_list: [],
    });
  });

  it('answers an unknown user with 400', async () => {
    const { head, body } = split(
      await shell(`curl -s -i -H "X-Auth-Token:$token" ${HOST}/v1/csms/users/nobody`),
    );
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(body).toEqual({
      error_code: expect.stringMatching(/^[A-Z]+\.\d{4}$/),
      error_msg: 'Could not find user: nobody.',
    });
  });
});
