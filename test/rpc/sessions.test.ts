import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { enableEmail, enableOtp, nextStep } from '../authenticator.js';
import type { Tenant } from '../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn, tokenOf } from '../fixtures.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { mailedCode } from '../mailed.js';

let service: Service;
/** A second instance over the same database. */
let second: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService({ USER_CACHE_MS: '300', DOMAIN_CACHE_MS: '300' });
  second = await service.another();
  tenant = await aTenant(service);
});
afterAll(async () => {
  await second.close();
  await service.close();
});

const NEW = 'Newpass1!';
const ended = { code: status.UNAUTHENTICATED, reason: 'ERROR_AUTHENTICATE_FAILURE' };
const get = (token: string, at = service) => at.call('UserProfile.get', {}, token);
const list = (token: string, at = service) => at.call('WorkspaceUser.list', {}, token);
const grant = (token: string, at = service) =>
  at.call('Token.grant', { grant_type: 'REFRESH_TOKEN', token, scope: 'USER' });
const stored = (name: string) => service.app.rooms.mongo.connection.collection(name);
const keyOf = (user_id: string) => ({ domain_id: tenant.domain_id, user_id });

interface Session {
  access_token: string;
  refresh_token: string;
  /** Access token for the workspace alpha, whose use another method than UserProfile checks. */
  workspace: string;
}

async function session(user: string, password = PASSWORD): Promise<Session> {
  const tokens = await signIn(service, tenant, user, password);
  const request = { grant_type: 'REFRESH_TOKEN', token: tokens.refresh_token, scope: 'WORKSPACE' };
  const { access_token: workspace } = await service.call('Token.grant', {
    ...request,
    workspace_id: tenant.alpha,
  });
  return { ...tokens, workspace };
}
const member = () => aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });

async function expectEnded({ access_token, refresh_token, workspace }: Session): Promise<void> {
  for (const at of [service, second]) {
    expect(await refusal(get(access_token, at))).toMatchObject(ended);
    expect(await refusal(grant(refresh_token, at))).toMatchObject(ended);
    await expectRefusedSoon(() => list(workspace, at));
  }
}

async function expectAlive({ access_token, refresh_token, workspace }: Session): Promise<void> {
  for (const at of [service, second]) {
    expect(await get(access_token, at)).toHaveProperty('user_id');
    expect(await grant(refresh_token, at)).toHaveProperty('access_token');
    expect(await list(workspace, at)).toHaveProperty('total_count');
  }
}

/** Waits, five seconds at most, for what an instance remembers to be looked up again. */
const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 5000, interval: 50 });

async function expectRefusedSoon(call: () => Promise<unknown>, expected: object = ended): Promise<void> {
  await soon(async () => expect(await refusal(call())).toMatchObject(expected));
}

describe('D-13: all tokens of a user end', () => {
  it('P04: when the password was changed, those of the session that changed it too', async () => {
    const user = await member();
    const [one, two] = [await session(user), await session(user)];
    await expectAlive(one);
    const change = { current_password: PASSWORD, new_password: NEW };
    await service.call('UserProfile.update_password', change, one.access_token);
    await expectEnded(one);
    await expectEnded(two);
    await expectAlive(await session(user, NEW));
  });

  it('when update sets a password', async () => {
    const user = await member();
    const [one, two] = [await session(user), await session(user)];
    await service.call('UserProfile.update', { password: NEW }, one.access_token);
    await expectEnded(one);
    await expectEnded(two);
  });

  it('P04: when the user is disabled', async () => {
    const user = await member();
    const one = await session(user);
    await expectAlive(one);
    await stored('user').updateOne(keyOf(user), { $set: { state: 'DISABLED' } });
    for (const at of [service, second]) {
      expect(await refusal(get(one.access_token, at))).toMatchObject(ended);
      await expectRefusedSoon(() => list(one.workspace, at));
      expect((await refusal(grant(one.refresh_token, at))).reason).toBe('ERROR_USER_STATE_DISABLED');
    }
  });

  it('P04: within five seconds with the settings as they come', async () => {
    const plain = await service.another({ USER_CACHE_MS: '', DOMAIN_CACHE_MS: '' });
    const user = await member();
    const { workspace } = await session(user);
    await list(workspace, plain);
    await stored('user').updateOne(keyOf(user), { $set: { state: 'DISABLED' } });
    await expectRefusedSoon(() => list(workspace, plain));
    await plain.close();
  });

  it('when the user is gone', async () => {
    const user = await member();
    const one = await session(user);
    await expectAlive(one);
    await stored('user').deleteOne(keyOf(user));
    await expectEnded(one);
  });
});

describe('A change of a factor', () => {
  it('ends the other sessions and not the one that made it: a new address', async () => {
    const user = await member();
    const [one, two] = [await session(user), await session(user)];
    await service.call('UserProfile.update', { email: 'moved@example.com' }, one.access_token);
    await expectEnded(two);
    await expectAlive(one);
  });

  it('ends the other sessions and not the one that made it: a proven new address', async () => {
    const user = await member();
    const [one, two] = [await session(user), await session(user)];
    await service.call('UserProfile.verify_email', { email: 'proven@example.com' }, one.access_token);
    await expectAlive(two);
    const verify_code = await mailedCode(service, 'proven@example.com');
    await service.call('UserProfile.confirm_email', { verify_code }, one.access_token);
    await expectEnded(two);
    await expectAlive(one);
  });

  it('ends the other sessions and not the one that made it: MFA on and off', async () => {
    const user = await member();
    const [one, two] = [await session(user), await session(user)];
    const authenticator = await enableOtp(service, one.access_token);
    await expectEnded(two);
    await expectAlive(one);
    nextStep(service);
    expect((await refusal(signIn(service, tenant, user))).reason).toBe('ERROR_MFA_REQUIRED');
    const three = await service.call('Token.issue', {
      credentials: { user_id: user, password: PASSWORD },
      auth_type: 'MFA',
      domain_id: tenant.domain_id,
      verify_code: authenticator.code(),
    });
    nextStep(service);
    await service.call('UserProfile.disable_mfa', {}, one.access_token);
    await service.call('UserProfile.confirm_mfa', { verify_code: authenticator.code() }, one.access_token);
    expect(await refusal(get(three.access_token))).toMatchObject(ended);
    await expectAlive(one);
  });

  it('keeps one session alone: the one that made the last change', async () => {
    const user = await member();
    const one = await session(user);
    await service.call('UserProfile.update', { email: 'first@example.com' }, one.access_token);
    const two = await session(user);
    await enableEmail(service, two.access_token, 'second@example.com');
    await expectEnded(one);
    await expectAlive(two);
  });

  it('does not keep a session alive over a change of the password', async () => {
    const user = await member();
    const one = await session(user);
    await service.call('UserProfile.update', { email: 'kept@example.com' }, one.access_token);
    const two = await session(user);
    const change = { current_password: PASSWORD, new_password: NEW };
    await service.call('UserProfile.update_password', change, two.access_token);
    await expectEnded(one);
    await expectEnded(two);
  });

  it('is none when the address stays the same', async () => {
    const user = await member();
    const [one, two] = [await session(user), await session(user)];
    await service.call('UserProfile.update', { email: user, name: 'Same' }, one.access_token);
    await service.call('UserProfile.verify_email', {}, one.access_token);
    const verify_code = await mailedCode(service, user);
    await service.call('UserProfile.confirm_email', { verify_code }, one.access_token);
    await expectAlive(one);
    await expectAlive(two);
  });
});

describe('D-14: a call looks at what the token stands on', () => {
  it('refuses all tokens of a disabled domain, and takes them again when it is enabled', async () => {
    const other = await aTenant(service);
    const token = await tokenOf(service, other, other.admin, 'DOMAIN');
    const setState = (state: string) =>
      stored('domain').updateOne({ domain_id: other.domain_id }, { $set: { state } });
    const call = () => service.call('WorkspaceUser.list', { workspace_id: other.alpha }, token);
    await call();
    await setState('DISABLED');
    await expectRefusedSoon(call);
    await expectRefusedSoon(() => get(token));
    await setState('ENABLED');
    await soon(async () => expect(await call()).toEqual({}));
  });

  it('refuses tokens of a disabled workspace', async () => {
    const other = await aTenant(service);
    const token = await tokenOf(service, other, other.admin, 'WORKSPACE', other.alpha);
    await list(token);
    await stored('workspace').updateOne({ workspace_id: other.alpha }, { $set: { state: 'DISABLED' } });
    await expectRefusedSoon(() => list(token), { reason: 'ERROR_WORKSPACE_STATE' });
    await stored('workspace').updateOne({ workspace_id: other.alpha }, { $set: { state: 'DELETED' } });
    await expectRefusedSoon(() => list(token));
  });

  it('refuses a token whose role was taken away', async () => {
    const user = await member();
    const { workspace, access_token } = await session(user);
    await list(workspace);
    await stored('user').updateOne(keyOf(user), { $set: { memberships: [] } });
    await expectRefusedSoon(() => list(workspace));
    expect(await get(access_token)).toHaveProperty('user_id');
    const admin = await aUser(service, tenant, {
      role_type: 'DOMAIN_ADMIN',
      role_id: 'managed-domain-admin',
    });
    const token = await tokenOf(service, tenant, admin, 'DOMAIN');
    await service.call('WorkspaceUser.list', { workspace_id: tenant.alpha }, token);
    await stored('user').updateOne(keyOf(admin), { $set: { role_type: 'USER' } });
    const call = () => service.call('WorkspaceUser.list', { workspace_id: tenant.alpha }, token);
    await expectRefusedSoon(call);
  });
});
