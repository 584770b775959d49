import { status } from '@grpc/grpc-js';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storedCounts } from '../../database.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedLink, mailedPassword } from '../../mailed.js';
import { initialise } from '../../system.js';

let service: Service;
let systemAdmin: string;
let systemToken: string;

beforeAll(async () => {
  service = await startService();
  ({ systemAdmin, systemToken } = await initialise(service));
});
afterAll(() => service.close());

let count = 0;
const newName = () => `new-domain-${++count}`;
const admin = (given: object = {}) => ({
  user_id: 'boss@example.com',
  name: 'Bea Boss',
  password: PASSWORD,
  ...given,
});
const create = (given: object = {}, token: string | undefined = systemAdmin, at = service) =>
  at.call('Domain.create', { name: newName(), admin: admin(), ...given }, token);
const tenantOf = ({ domain_id, name }: { domain_id: string; name: string }): Tenant => ({
  domain_id,
  name,
  admin: 'boss@example.com',
  alpha: '',
  beta: '',
});

describe('Domain.create', () => {
  it('makes a domain with an administrator who can sign in', async () => {
    const name = newName();
    const created = await create({ name, tags: { region: 'eu' } });
    expect(created).toEqual({
      domain_id: expect.stringMatching(/^domain-[0-9a-f]{12}$/),
      name,
      state: 'ENABLED',
      tags: { region: 'eu' },
      created_at: expect.stringMatching(/Z$/),
    });
    const token = await tokenOf(service, tenantOf(created), 'boss@example.com', 'DOMAIN');
    expect(await service.call('UserProfile.get', {}, token)).toMatchObject({
      name: 'Bea Boss',
      email: 'boss@example.com',
      role_type: 'DOMAIN_ADMIN',
      role_id: 'managed-domain-admin',
      domain_id: created.domain_id,
    });
  });

  it('may be called with the system token', async () => {
    expect(await create({}, systemToken)).toHaveProperty('domain_id');
  });

  it('gives every domain keys of its own', async () => {
    const [one, two] = [await create(), await create()];
    const tokens = await signIn(service, tenantOf(one), 'boss@example.com');
    const other = await signIn(service, tenantOf(two), 'boss@example.com');
    expect(decodeJwt(tokens.access_token)['did']).toBe(one.domain_id);
    expect(tokens.access_token.split('.')[0]).not.toBe(other.access_token.split('.')[0]);
  });

  it('D-33: writes the binding of the administrator with every part', async () => {
    const { domain_id } = await create();
    const bindings = service.app.rooms.mongo.connection.collection('role_binding');
    expect(await bindings.find({ domain_id }).toArray()).toMatchObject([
      { role_type: 'DOMAIN_ADMIN', resource_group: 'DOMAIN', workspace_id: '*', user_id: 'boss@example.com' },
    ]);
  });

  it('takes an administrator whose id is no address without one', async () => {
    const created = await create({ admin: admin({ user_id: 'boss' }) });
    const token = await tokenOf(service, tenantOf(created), 'boss');
    expect(await service.call('UserProfile.get', {}, token)).not.toHaveProperty('email');
  });

  it('D-37: mails a link instead of taking a password when reset_password is set', async () => {
    const created = await create({
      admin: admin({ password: '', reset_password: true, email: 'link@example.com' }),
    });
    const mail = mailedLink(service, 'link@example.com');
    const { link, token } = await mail;
    expect(link.hostname).toBe(`${created.name}.console.example.com`);
    const { iat, exp, permissions } = decodeJwt<{ permissions: string[] }>(token);
    expect(exp! - iat!).toBe(259_200);
    expect(permissions).toEqual(['identity:UserProfile.get', 'identity:UserProfile.update_password']);
    expect((await service.call('UserProfile.get', {}, token)).required_actions).toEqual(['UPDATE_PASSWORD']);
    await service.call('UserProfile.update_password', { new_password: 'Chosen12' }, token);
    expect(await signIn(service, tenantOf(created), 'boss@example.com', 'Chosen12')).toHaveProperty(
      'refresh_token',
    );
  });

  it('D-37: needs a password when reset_password is not set', async () => {
    expect(await refusal(create({ admin: admin({ password: '' }) }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: 'Required parameter. (key = admin.password)',
    });
  });

  it('D-44: mails a password that has to be changed, and dies after three days, in the other mode', async () => {
    const mailing = await service.another({ RESET_PASSWORD_TYPE: 'PASSWORD' });
    const account = (email: string) => admin({ password: '', reset_password: true, email });
    const created = await create({ admin: account('temp@example.com') }, systemAdmin, mailing);
    const temporary = await mailedPassword(service, 'temp@example.com');
    const { access_token } = await signIn(service, tenantOf(created), 'boss@example.com', temporary);
    expect(decodeJwt(access_token)['permissions']).toEqual(['identity:UserProfile']);
    const late = await create({ admin: account('late@example.com') }, systemAdmin, mailing);
    const expired = await mailedPassword(service, 'late@example.com');
    service.clock.advance(259_201);
    expect((await refusal(signIn(service, tenantOf(late), 'boss@example.com', expired))).reason).toBe(
      'ERROR_AUTHENTICATION_FAILURE',
    );
    await mailing.close();
    systemAdmin = await renewed();
  });

  it.each([
    ['name', { name: '' }],
    ['name', { name: '   ' }],
    ['admin', { admin: undefined }],
    ['admin.user_id', { admin: { name: 'x', password: PASSWORD } }],
    ['admin.name', { admin: { user_id: 'x', password: PASSWORD } }],
  ])('asks for %s', async (key, given) => {
    const request = JSON.parse(JSON.stringify({ name: newName(), admin: admin(), ...given })) as object;
    expect(await refusal(service.call('Domain.create', request, systemAdmin))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'ERROR_REQUIRED_PARAMETER',
      text: `Required parameter. (key = ${key})`,
    });
  });

  it('writes nothing when anything is wrong', async () => {
    const before = await storedCounts(service);
    for (const given of [
      { admin: admin({ password: 'short' }) },
      { admin: admin({ email: 'a@x.io,b@y.io' }) },
      { admin: admin({ timezone: 'Mars/Base' }) },
      { admin: admin({ user_id: 'u'.repeat(61) }) },
      { name: 'n'.repeat(256) },
      { tags: { 'a.b': 1 } },
    ]) {
      expect((await refusal(create(given))).code).toBe(status.INVALID_ARGUMENT);
    }
    expect(await storedCounts(service)).toEqual(before);
  });

  it('takes a name once of three at once, and refuses one that a living domain has', async () => {
    const name = newName();
    const outcomes = await Promise.allSettled(Array.from({ length: 3 }, () => create({ name })));
    expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    expect(await refusal(create({ name }))).toMatchObject({
      code: status.ALREADY_EXISTS,
      reason: 'ERROR_NOT_UNIQUE',
      text: `The value is taken. (name = ${name})`,
    });
  });

  it('is for system administrators', async () => {
    const tenant = await aTenant(service);
    const token = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
    expect(await refusal(create({}, token))).toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: 'ERROR_PERMISSION_DENIED',
    });
    const request = { name: newName(), admin: admin() };
    expect(await refusal(service.call('Domain.create', request))).toMatchObject({
      code: status.UNAUTHENTICATED,
      reason: 'ERROR_AUTHENTICATE_FAILURE',
    });
  });
});

/** A token of the system's administrator after the clock was moved. */
function renewed(): Promise<string> {
  const root = { domain_id: 'domain-root', name: 'root', admin: 'root@example.com', alpha: '', beta: '' };
  return tokenOf(service, root, root.admin, 'SYSTEM');
}
