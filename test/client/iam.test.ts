import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Authenticator } from '../authenticator.js';
import { enableOtp, nextStep } from '../authenticator.js';
import { PASSWORD, aTenant, aUser, tokenOf } from '../fixtures.js';
import type { Tenant } from '../fixtures.js';
import type { Stack } from '../rest/edge.js';
import { startStack } from '../rest/edge.js';

const run = promisify(execFile);
const OPAQUE = /^[0-9a-f]{32}$/;
const NEW_PASSWORD = 'N3w-Passw0rd!';
const UNAUTHORIZED = 'The request you have made requires authentication.';
const forbidden = (what: string) =>
  `You are not authorized to perform the requested action: identity:${what}.`;

let stack: Stack;
let tenant: Tenant;
let admin_id: string;
let member: string;
let member_id: string;

beforeAll(async () => {
  stack = await startStack();
  tenant = await aTenant(stack.service);
  member = await aUser(stack.service, tenant, {
    user_id: 'max@example.com',
    roles: { [tenant.alpha]: 'WORKSPACE_MEMBER', [tenant.beta]: 'WORKSPACE_OWNER' },
  });
  admin_id = await opaqueId(tenant.admin);
  member_id = await opaqueId(member);
});
afterAll(() => stack.close());

async function opaqueId(user_id: string): Promise<string> {
  const token = await tokenOf(stack.service, tenant, user_id);
  return (await stack.service.call('iam.v3.UserService.GetUser', { user_id }, token)).user.id;
}

/** Runs one function of a Python client in front of the stack, and answers what it has seen. */
function seenBy(client: 'keystone' | 'openstacksdk') {
  const program = fileURLToPath(new URL(`${client}.py`, import.meta.url));
  return async (scenario: string, given: object): Promise<unknown> => {
    const common = { url: stack.edge.url, domain_id: tenant.domain_id };
    const args = [program, scenario, JSON.stringify({ ...common, ...given })];
    return JSON.parse((await run(inject('tools').clientPython, args)).stdout);
  };
}

/** Puts many users like the administrator into a domain: quicker than making each. */
async function addUsers({ domain_id }: Tenant, count: number): Promise<void> {
  const users = stack.service.app.rooms.mongo.connection.collection('user');
  const { _id, ...like } = (await users.findOne({ domain_id }))!;
  const made = Array.from({ length: count }, (_, at) => {
    const user_id = `many-${at}@example.com`;
    return {
      ...like,
      id: randomBytes(16).toString('hex'),
      user_id,
      username: user_id,
      login_keys: [user_id],
    };
  });
  await users.insertMany(made);
}

/** A user with an authenticator whose code of now is unused. */
async function withAuthenticator(user_id: string): Promise<Authenticator> {
  await aUser(stack.service, tenant, { user_id, roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
  const authenticator = await enableOtp(stack.service, await tokenOf(stack.service, tenant, user_id));
  nextStep(stack.service);
  return authenticator;
}

describe('python-keystoneclient', () => {
  const seen = seenBy('keystone');

  it('signs in by id and by name, for no scope, a domain and a project, and finds its endpoints', async () => {
    const given = {
      domain_name: tenant.name,
      user_id: admin_id,
      username: tenant.admin,
      password: PASSWORD,
      project_id: tenant.alpha,
      project_name: 'beta',
    };
    const endpoint = `${stack.edge.url}/v3`;
    const access = { user_id: admin_id, username: tenant.admin, user_domain: tenant.name, expires: 'UTC' };
    const nothing = { domain_id: null, project_id: null };
    const domain = { ...access, ...nothing, domain_id: tenant.domain_id, methods: ['password'], endpoint };
    expect(await seen('scopes', given)).toMatchObject({
      unscoped: { ...access, ...nothing, roles: [], methods: ['password'], endpoint: null },
      domain: { ...domain, roles: [expect.any(String)] },
      domain_by_name: domain,
      project: { ...access, domain_id: null, project_id: tenant.alpha, project_name: 'alpha', endpoint },
      project_by_token: { ...access, project_id: tenant.beta, project_name: 'beta', endpoint },
      own_projects: ['alpha', 'beta'],
      own_domains: [tenant.name],
      versions: [{ version: '3.14', status: 'CURRENT', url: `${endpoint}/` }],
    });
  });

  it('gets, creates, finds, changes, lists page by page and deletes users', async () => {
    const given = {
      admin: tenant.admin,
      password: PASSWORD,
      another_id: member_id,
      project_id: tenant.alpha,
    };
    const link = (id: unknown) => `${stack.edge.url}/v3/users/${String(id)}`;
    const shown = { domain_id: tenant.domain_id, enabled: true, password_expires_at: null, options: {} };
    const created = {
      ...shown,
      id: expect.stringMatching(OPAQUE),
      name: 'james1234',
      email: 'james@example.com',
      description: 'From keystoneclient',
      default_project_id: tenant.alpha,
    };
    expect(await seen('users', given)).toMatchObject({
      self: { ...shown, id: admin_id, name: tenant.admin, link: link(admin_id) },
      another: { ...shown, id: member_id, name: member, link: link(member_id) },
      created,
      taken: { error: 'Conflict', status: 409 },
      found: true,
      changed: { ...created, name: 'james5678', description: 'Renamed', decription: 'Renamed' },
      taken_by_change: { error: 'Conflict', status: 409 },
      invalid: { error: 'BadRequest', status: 400 },
      old_password: { error: 'Unauthorized', status: 401 },
      new_password: 'james5678',
      pages: [2, 2, 0],
      all: [tenant.admin, 'james5678', member, 'other-user'],
      disabled: ['other-user'],
      deleted: 204,
      gone: {
        error: 'NotFound',
        status: 404,
        message: expect.stringMatching(/^Could not find user: .*\(Request-ID: req-[\da-f-]{36}\)$/),
      },
    });
  });

  it('gets, finds and lists projects and domains', async () => {
    const other = await aTenant(stack.service);
    const given = {
      admin: tenant.admin,
      username: member,
      user_id: member_id,
      password: PASSWORD,
      project_id: tenant.alpha,
      domain_name: tenant.name,
      other_id: other.domain_id,
    };
    const denied = (what: string) => ({
      error: 'Forbidden',
      message: expect.stringContaining(forbidden(what)),
    });
    const shown = { enabled: true, description: '', tags: [], options: {} };
    expect(await seen('projects', given)).toMatchObject({
      project: { ...shown, id: tenant.alpha, name: 'alpha', parent_id: tenant.domain_id, is_domain: false },
      all: ['alpha', 'beta'],
      of_domain: ['alpha', 'beta'],
      of_user: ['alpha', 'beta'],
      found: tenant.alpha,
      disabled: [],
      pages: ['alpha', 'beta'],
      domain: { ...shown, id: tenant.domain_id, name: tenant.name },
      domains: [tenant.name],
      domain_by_name: tenant.domain_id,
      other_domain: denied('get_domain'),
      unknown: { error: 'NotFound', status: 404 },
      member: {
        project: 'alpha',
        domain: tenant.name,
        own: ['alpha', 'beta'],
        unknown: denied('get_project'),
        all: denied('list_projects'),
        domains: denied('list_domains'),
      },
    });
  });

  it('tells what is refused: rights, unknown users, wrong credentials, ended tokens', async () => {
    const given = {
      project_id: tenant.alpha,
      username: member,
      password: PASSWORD,
      own_id: member_id,
      another_id: admin_id,
    };
    const denied = (what: string) => ({
      error: 'Forbidden',
      status: 403,
      message: expect.stringContaining(forbidden(what)),
    });
    const unauthorized = {
      error: 'Unauthorized',
      status: 401,
      message: expect.stringContaining(UNAUTHORIZED),
    };
    expect(await seen('refusals', given)).toMatchObject({
      self: member,
      another: denied('get_user'),
      change: denied('update_user'),
      list: denied('list_users'),
      create: denied('create_user'),
      delete: denied('delete_user'),
      unknown: { status: expect.any(Number) },
      wrong_password: unauthorized,
      unknown_user: unauthorized,
      unknown_domain: unauthorized,
      domain_scope: { error: 'Unauthorized', status: 401 },
      unknown_project: { error: 'Unauthorized', status: 401 },
      broken_token: unauthorized,
      before: null,
      after: { error: 'Unauthorized', status: 401 },
    });
  });

  it('lets an administrator look at and end the token of somebody else', async () => {
    const given = { admin: tenant.admin, username: member, password: PASSWORD };
    expect(await seen('tokens', given)).toEqual({
      user: member,
      data: ['audit_ids', 'expires_at', 'issued_at', 'methods', 'user'],
      again: expect.objectContaining({ error: 'NotFound', status: 404 }),
      own: tenant.admin,
    });
  });

  it('changes the own password, after which nothing old is good', async () => {
    const username = await aUser(stack.service, tenant);
    const given = { username, password: PASSWORD, new_password: NEW_PASSWORD };
    expect(await seen('own_password', given)).toMatchObject({
      wrong: { error: 'Unauthorized', status: 401 },
      weak: { error: 'BadRequest', status: 400 },
      token_from_before: { error: 'Unauthorized', status: 401 },
      old: { error: 'Unauthorized', status: 401, message: expect.stringContaining(UNAUTHORIZED) },
      new: username,
    });
  });

  it('gets no token of a user with MFA by password alone, one with a receipt and a code, one with both', async () => {
    const username = 'otto@example.com';
    const authenticator = await withAuthenticator(username);
    const codes = [authenticator.code(), authenticator.wrongCode()];
    const own = { username, password: PASSWORD };
    expect(await seen('second_factor', { ...own, codes })).toMatchObject({
      missing: { methods: ['password'], required: [['password', 'totp']] },
      with_receipt: expect.arrayContaining(['password', 'totp']),
      wrong_code: { error: 'Unauthorized', status: 401 },
      used_code: { error: 'Unauthorized', status: 401 },
    });
    nextStep(stack.service);
    expect(await seen('both_factors', { ...own, code: authenticator.code() })).toEqual({
      methods: ['password', 'totp'],
    });
  });
});

describe('openstacksdk', () => {
  const seen = seenBy('openstacksdk');

  it('finds the service by its address and administers users', async () => {
    const given = {
      admin: tenant.admin,
      password: PASSWORD,
      another: member,
      project_id: tenant.alpha,
      domain_name: tenant.name,
    };
    const created = {
      id: expect.stringMatching(OPAQUE),
      name: 'sdk-user',
      domain_id: tenant.domain_id,
      email: 'sdk@example.com',
      description: 'From openstacksdk',
      default_project_id: tenant.alpha,
      enabled: true,
      password_expires_at: null,
    };
    expect(await seen('walk', given)).toMatchObject({
      endpoint: expect.stringContaining(`${stack.edge.url}/v3`),
      version: [3, 14],
      self: { id: admin_id, name: tenant.admin, domain_id: tenant.domain_id, enabled: true },
      another: { id: member_id, name: member },
      created,
      taken: { error: 'ConflictException', status: 409 },
      by_name: true,
      nobody: null,
      changed: { ...created, name: 'sdk-renamed', description: 'Renamed' },
      invalid: { error: 'BadRequestException', status: 400 },
      pages: expect.arrayContaining([tenant.admin, member, 'sdk-renamed']),
      all: expect.arrayContaining([tenant.admin, member, 'sdk-renamed']),
      disabled: false,
      only_disabled: ['sdk-renamed'],
      sign_in_disabled: {
        error: 'Unauthorized',
        status: 401,
        message: expect.stringContaining(UNAUTHORIZED),
      },
      sign_in_enabled: true,
      gone: { error: 'NotFoundException', status: 404 },
      cloud: { same: true, description: 'By the cloud layer', deleted: true, left: null },
      project: { id: tenant.alpha, domain_id: tenant.domain_id, enabled: true, tags: [], options: {} },
      projects: ['alpha', 'beta'],
      own_projects: ['alpha', 'beta'],
      domain: { id: tenant.domain_id, name: tenant.name, enabled: true },
      nowhere: [null, null],
    });
  });

  it('reads a domain that is larger than one page of the service, without asking for pages', async () => {
    const large = await aTenant(stack.service);
    await addUsers(large, 1005);
    const given = { domain_id: large.domain_id, admin: large.admin, password: PASSWORD };
    expect(await seen('every_page', given)).toEqual({ found: 1006, different: 1006 });
  });

  it('shows a member only themself, and ends every token with the password', async () => {
    const username = await aUser(stack.service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
    const given = {
      username,
      password: PASSWORD,
      project_id: tenant.alpha,
      another_id: admin_id,
      new_password: NEW_PASSWORD,
    };
    const denied = (what: string) => ({
      error: 'ForbiddenException',
      status: 403,
      message: expect.stringContaining(forbidden(what)),
    });
    expect(await seen('member', given)).toMatchObject({
      self: username,
      project: tenant.alpha,
      another: denied('get_user'),
      change: denied('update_user'),
      list: denied('list_users'),
      create: denied('create_user'),
      delete: denied('delete_user'),
      wrong_password: { error: 'Unauthorized', status: 401, message: expect.stringContaining(UNAUTHORIZED) },
      wrong_old_password: { status: 401 },
      token_from_before: { status: 401 },
      new_password: username,
      revoked: { status: 401 },
    });
  });

  it('signs in with a password and a code together', async () => {
    const username = 'olga@example.com';
    const authenticator = await withAuthenticator(username);
    const given = { username, password: PASSWORD, project_id: tenant.alpha, code: authenticator.code() };
    expect(await seen('second_factor', given)).toEqual({ missing: [['password', 'totp']], name: username });
  });
});
