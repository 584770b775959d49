import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableOtp, nextStep } from '../authenticator.js';
import type { Tenant } from '../fixtures.js';
import { aTenant, aUser, signIn, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { ask, byName, iamToken, refused, withCode, withPassword, withToken } from '../iam/tokens.js';
import { ROOT_ADMIN } from '../system.js';
import { actions, recorder, tally } from './recorded.js';

let service: Service;
let tenant: Tenant;
let systemToken: string;
let recordsOf: ReturnType<typeof recorder>;

beforeAll(async () => {
  service = await startService({ USER_CACHE_MS: '0', DOMAIN_CACHE_MS: '0' });
  systemToken = (await service.call('System.init', { admin: ROOT_ADMIN })).system_token;
  tenant = await aTenant(service);
  recordsOf = recorder(service, systemToken);
});
afterAll(() => service.close());

const WRONG = 'Wrong0pass';
const RECEIPT = 'openstack-auth-receipt';
const create = (request: object, headers?: Record<string, string>) =>
  ask(service, 'CreateToken', request, headers);
const denied = (request: object, headers?: Record<string, string>) =>
  refused(service, 'CreateToken', request, headers);
const project = () => ({ project: { id: tenant.alpha } });

describe('CreateToken', () => {
  it('is recorded as the sign-in that it is, and a scope as a grant', async () => {
    const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const user = byName(tenant, user_id);
    const records = await recordsOf(async () => {
      await iamToken(service, withPassword(user));
      await iamToken(service, withPassword(user, project()));
    });
    const common = {
      outcome: 'OUTCOME_SUCCESS',
      actor_type: 'ACTOR_TYPE_USER',
      actor_id: user_id,
      actor_domain_id: tenant.domain_id,
      domain_id: tenant.domain_id,
      target_id: user_id,
      method: 'iam.v3.AuthService/CreateToken',
      peer: '127.0.0.1',
    };
    expect(records).toMatchObject([
      { ...common, action: 'user.sign_in' },
      { ...common, action: 'user.sign_in', request_id: records[2].request_id },
      {
        ...common,
        action: 'token.grant',
        workspace_id: tenant.alpha,
        detail: { scope: 'WORKSPACE', role_type: 'WORKSPACE_OWNER', audit_id: expect.any(String) },
      },
    ]);
    const scopeless = await recordsOf(() => denied(withPassword(user, { domain: { id: tenant.domain_id } })));
    expect(actions(scopeless)).toEqual(['user.sign_in']);
  });

  it('tells the true reasons of what callers are told one thing for', async () => {
    const user_id = await aUser(service, tenant);
    const disabled = await aUser(service, tenant, { state: 'DISABLED' });
    const other = await aTenant(service);
    await service.call('Domain.disable', { domain_id: other.domain_id }, systemToken);
    const records = await recordsOf(async () => {
      await denied(withPassword(byName(tenant, user_id), undefined, WRONG));
      await denied(withPassword(byName(tenant, disabled)));
      await denied(withPassword(byName(other, other.admin)));
      await denied(withPassword(byName(tenant, 'Mistyped-Passw0rd')));
      await denied(withPassword({ name: user_id, domain: { name: 'Mistyped-domain' } }));
      await denied(withPassword({ id: '0123456789abcdef0123456789abcdef' }));
    });
    expect(records).toMatchObject([
      { reason: 'ERROR_AUTHENTICATION_FAILURE', target_id: user_id, actor_type: 'ACTOR_TYPE_NOBODY' },
      { reason: 'ERROR_USER_STATE_DISABLED', target_id: disabled },
      { reason: 'ERROR_DOMAIN_STATE', target_id: other.admin, domain_id: other.domain_id },
      { reason: 'ERROR_NOT_FOUND', domain_id: tenant.domain_id },
      { reason: 'ERROR_NOT_FOUND', domain_id: 'domain-root' },
    ]);
    expect(records).toHaveLength(5);
    for (const { target_id } of records.slice(3)) expect(target_id ?? '').toBe('');
    expect(JSON.stringify(records)).not.toContain('Mistyped');
  });

  it('with a second factor is recorded step by step', async () => {
    const user_id = await aUser(service, tenant);
    const user = byName(tenant, user_id);
    const otp = await enableOtp(service, (await signIn(service, tenant, user_id)).access_token);
    nextStep(service);
    const onlyCode = (passcode: string) => ({
      auth: { identity: { methods: ['totp'], totp: { user: { ...user, passcode } } } },
    });
    let receipt = '';
    const asked = await recordsOf(async () => {
      receipt = (await create(withPassword(user))).headers[RECEIPT]!;
    });
    expect(asked).toMatchObject([{ action: 'user.challenge', actor_type: 'ACTOR_TYPE_NOBODY' }]);
    const finished = await recordsOf(async () => {
      await denied(onlyCode(otp.wrongCode()), { [RECEIPT]: receipt });
      await create(onlyCode(otp.code()), { [RECEIPT]: receipt });
    });
    expect(actions(finished)).toEqual([
      'user.sign_in ERROR_INVALID_VERIFY_CODE',
      'code.confirm',
      'user.sign_in',
    ]);
    nextStep(service);
    const atOnce = await recordsOf(() => create(withCode(user, otp.code())));
    expect(actions(atOnce)).toEqual(['code.confirm', 'user.sign_in']);
    nextStep(service);
    const wrongPassword = await recordsOf(() => denied(withCode(user, otp.code(), WRONG)));
    expect(actions(wrongPassword)).toEqual(['user.sign_in ERROR_AUTHENTICATION_FAILURE']);
    const noReceipt = await recordsOf(() => denied(onlyCode(otp.code())));
    expect(actions(noReceipt)).toEqual(['user.sign_in ERROR_INVALID_CREDENTIALS']);
    expect(JSON.stringify([asked, finished, atOnce])).not.toContain(receipt);
  });

  it('shares its guesses with Token.issue: ten failures and one lock in all', async () => {
    const user_id = await aUser(service, tenant);
    const credentials = { user_id, password: WRONG };
    const issue = { credentials, auth_type: 'LOCAL', domain_id: tenant.domain_id };
    const records = await recordsOf(async () => {
      for (let count = 0; count < 6; count += 1) {
        await denied(withPassword(byName(tenant, user_id), undefined, WRONG));
        await refusal(service.call('Token.issue', issue));
      }
    });
    expect(tally(records)).toEqual({ 'user.sign_in ERROR_AUTHENTICATION_FAILURE': 10, 'user.lock': 1 });
    expect(new Set(records.map(({ method }) => method)).size).toBe(2);
  });
});

describe('A token', () => {
  it('that is exchanged is a grant by its owner', async () => {
    const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const first = await iamToken(service, withPassword(byName(tenant, user_id)));
    const records = await recordsOf(async () => {
      await create(withToken(first, project()));
      await create(withToken(first, 'unscoped'));
    });
    expect(records).toMatchObject([
      {
        action: 'token.grant',
        actor_id: user_id,
        target_id: user_id,
        workspace_id: tenant.alpha,
        detail: { scope: 'WORKSPACE' },
      },
      { action: 'token.grant', actor_id: user_id, detail: { scope: 'USER' } },
    ]);
    const refusedScope = withToken(first, { domain: { id: tenant.domain_id } });
    expect(await recordsOf(() => denied(refusedScope))).toEqual([]);
    expect(JSON.stringify(records)).not.toMatch(/eyJ/);
  });

  it('that is revoked is recorded once, under the name that its answer had', async () => {
    const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
    const { headers, body } = await create(withPassword(byName(tenant, user_id), project()));
    const token = headers['x-subject-token']!;
    const by = { 'x-auth-token': await tokenOf(service, tenant, tenant.admin, 'DOMAIN') };
    const second = await service.another();
    const records = await recordsOf(() =>
      Promise.allSettled(
        [service, second, service, second].map((at) =>
          ask(at, 'RevokeToken', {}, { ...by, 'x-subject-token': token }),
        ),
      ),
    );
    await second.close();
    expect(records).toMatchObject([
      {
        action: 'token.revoke',
        actor_id: tenant.admin,
        target_id: user_id,
        workspace_id: tenant.alpha,
        detail: { audit_id: body.token.audit_ids[0] },
      },
    ]);
    expect(records).toHaveLength(1);
  });
});

it('A token for a scope leaves one record, through whatever door it was asked for', async () => {
  const detailsOf = async (where: Tenant, user_id: string, scope: object, iam?: object) => {
    const { refresh_token } = await signIn(service, where, user_id);
    const proof = await iamToken(service, withPassword(byName(where, user_id), 'unscoped'));
    const records = await recordsOf(async () => {
      const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token, ...scope };
      await service.call('Token.grant', grant);
      if (iam) await iamToken(service, withPassword(byName(where, user_id), iam));
      await iamToken(service, withToken(proof, iam ?? 'unscoped'));
    });
    const grants = records.filter(({ action }) => action === 'token.grant');
    return grants.map(({ workspace_id, detail }) => ({
      workspace_id,
      ...detail,
      audit_id: typeof detail.audit_id,
    }));
  };
  const root = { ...tenant, domain_id: 'domain-root' };
  const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
  const workspace = { scope: 'WORKSPACE', workspace_id: tenant.alpha };
  for (const [records, count] of [
    [await detailsOf(tenant, user_id, workspace, project()), 3],
    [await detailsOf(tenant, tenant.admin, workspace, project()), 3],
    [await detailsOf(tenant, tenant.admin, { scope: 'DOMAIN' }, { domain: { id: tenant.domain_id } }), 3],
    [await detailsOf(root, ROOT_ADMIN.user_id, { scope: 'SYSTEM' }, { system: { all: true } }), 3],
    [await detailsOf(root, ROOT_ADMIN.user_id, { scope: 'SYSTEM' }, { domain: { name: 'root' } }), 3],
    [await detailsOf(tenant, tenant.admin, { scope: 'USER' }), 2],
    [await detailsOf(tenant, user_id, { scope: 'USER' }), 2],
  ] as const) {
    expect(records).toHaveLength(count);
    for (const one of records) expect(one).toEqual(records[0]);
  }
});

it('Token.grant is recorded with the scope and the role that counts, and leaves nothing when refused', async () => {
  const user_id = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
  const { refresh_token } = await signIn(service, tenant, user_id);
  const grant = (more: object) =>
    service.call('Token.grant', { grant_type: 'REFRESH_TOKEN', token: refresh_token, ...more });
  const records = await recordsOf(async () => {
    await grant({ scope: 'WORKSPACE', workspace_id: tenant.alpha });
    await refusal(grant({ scope: 'WORKSPACE', workspace_id: tenant.beta }));
    await refusal(grant({ scope: 'DOMAIN' }));
  });
  expect(records).toMatchObject([
    {
      action: 'token.grant',
      actor_type: 'ACTOR_TYPE_USER',
      actor_id: user_id,
      target_id: user_id,
      workspace_id: tenant.alpha,
      method: 'spaceone.api.identity.v2.Token/grant',
      detail: {
        scope: 'WORKSPACE',
        role_type: 'WORKSPACE_MEMBER',
        role_id: 'managed-workspace-member',
        audit_id: expect.stringMatching(/^[\w-]{22}$/),
      },
    },
  ]);
  expect(records).toHaveLength(1);
});
