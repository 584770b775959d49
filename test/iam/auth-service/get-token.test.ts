import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedLink } from '../../mailed.js';
import { initialise } from '../../system.js';
import { ask, byName, iamToken, refused, withPassword } from '../tokens.js';

let service: Service;
let tenant: Tenant;
let user: string;
let systemAdmin: string;
let systemToken: string;

beforeAll(async () => {
  service = await startService({ USER_CACHE_MS: '0', DOMAIN_CACHE_MS: '0' });
  ({ systemAdmin, systemToken } = await initialise(service));
  tenant = await aTenant(service);
  user = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
});
afterAll(() => service.close());

const scoped = (of = user) => withPassword(byName(tenant, of), { project: { id: tenant.alpha } });
const get = (by: string, subject: string, request: object = {}) =>
  ask(service, 'GetToken', request, { 'x-auth-token': by, 'x-subject-token': subject });
const denied = (method: string, by: string, subject?: string) =>
  refused(service, method, {}, { 'x-auth-token': by, ...(subject ? { 'x-subject-token': subject } : {}) });
const NOT_FOUND = { status: '404', text: 'Could not find token.' };

describe('iam.v3.AuthService.GetToken', () => {
  it('answers as at creation', async () => {
    const { body, headers } = await ask(service, 'CreateToken', scoped());
    const token = headers['x-subject-token']!;
    const answer = await get(token, token);
    expect(answer).toMatchObject({ status: undefined, body, headers: { 'x-subject-token': token } });
    const bare = await get(token, token, { nocatalog: 'true' });
    expect(bare.body.token).not.toHaveProperty('catalog');
  });

  it('answers the administrator of the domain and of the system, and nobody else', async () => {
    const token = await iamToken(service, scoped());
    const { access_token: admin } = await signIn(service, tenant, tenant.admin);
    for (const by of [admin, systemAdmin, systemToken])
      expect((await get(by, token)).body.token.user.name).toBe(user);
    const other = await iamToken(service, withPassword(byName(tenant, await aUser(service, tenant))));
    expect(await denied('GetToken', other, token)).toMatchObject({
      status: '403',
      text: 'You are not authorized to perform the requested action: identity:get_token.',
    });
    const foreign = await aTenant(service);
    const { access_token: stranger } = await signIn(service, foreign, foreign.admin);
    const unknown = { status: '404', text: 'Could not find token.' };
    expect(await denied('GetToken', stranger, token)).toMatchObject(unknown);
    expect(await denied('RevokeToken', stranger, token)).toMatchObject(unknown);
    expect((await get(admin, token)).body.token.user.name).toBe(user);
  });

  it('is not for tokens that nobody signed in with: a mailed link, and the set-up of a second factor', async () => {
    const someone = await aUser(service, tenant);
    const { access_token: session } = await signIn(service, tenant, someone);
    const { access_token: admin } = await signIn(service, tenant, tenant.admin);
    await service.call('UserProfile.reset_password', { user_id: someone, domain_id: tenant.domain_id });
    const { token: link } = await mailedLink(service, someone);
    const enforced = await aUser(service, tenant, { required_actions: ['ENFORCE_MFA'] });
    const { text } = await refusal(signIn(service, tenant, enforced));
    const enrolment = /access_token = (\S+)\)/.exec(text)![1]!;
    for (const token of [link, enrolment]) {
      for (const method of ['GetToken', 'RevokeToken']) {
        expect(await denied(method, token, token)).toMatchObject({ status: '403' });
        expect(await denied(method, admin, token)).toMatchObject(NOT_FOUND);
      }
    }
    expect(await denied('RevokeToken', link, session)).toMatchObject({ status: '403' });
    expect((await get(session, session)).body.token.user.name).toBe(someone);
  });

  it('takes any token of the user, however narrow, and tokens of Token.grant', async () => {
    const pending = await aUser(service, tenant, { required_actions: ['UPDATE_PASSWORD'] });
    for (const token of [
      await iamToken(service, withPassword(byName(tenant, pending))),
      await tokenOf(service, tenant, user),
      await tokenOf(service, tenant, user, 'WORKSPACE', tenant.alpha),
    ])
      expect((await get(token, token)).body.token.methods).toEqual(['password']);
  });

  it('knows no token that is good no more, and needs one', async () => {
    const { access_token: admin, refresh_token } = await signIn(service, tenant, tenant.admin);
    const victim = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const ended = await iamToken(service, scoped(victim));
    const key = { domain_id: tenant.domain_id, user_id: victim };
    const reach = { deadline: Date.now() + 9000 };
    await service.app.rooms.models.users.update(reach, key, { $inc: { generation: 1 } });
    const changed = `${admin.slice(0, -3)}abc`;
    for (const subject of [ended, changed, 'nonsense', refresh_token, systemToken]) {
      const answer = await denied('GetToken', admin, subject);
      expect(answer).toMatchObject(NOT_FOUND);
      expect(answer.text + answer.metadata.get('grpc-status-details-bin').toString()).not.toContain(subject);
    }
    expect(await denied('GetToken', admin)).toMatchObject({
      status: '400',
      text: "'X-Subject-Token' is a required property",
    });
    expect(await denied('GetToken', ended, admin)).toMatchObject({ status: '401' });
    expect(await denied('GetToken', '', admin)).toMatchObject({ status: '401' });
    service.clock.advance(1900);
    const { access_token: later } = await signIn(service, tenant, tenant.admin);
    expect(await denied('GetToken', later, admin)).toMatchObject(NOT_FOUND);
  });
});
