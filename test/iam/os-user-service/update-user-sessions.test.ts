import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, aUser, signIn } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import { mailedCode, mailedLink, mailsTo } from '../../mailed.js';
import { detailCalls, edgeOf, startUserCalls } from '../user-calls.js';
import type { DetailCalls, UserCalls } from '../user-calls.js';

const NEW = 'Ander5wort';

let calls: UserCalls;
let detail: DetailCalls;
beforeAll(async () => {
  calls = await startUserCalls();
  detail = detailCalls(calls);
});
afterAll(() => calls.service.close());

const someone = (given = {}) => aUser(calls.service, calls.tenant, given);
const stored = (user_id: string) =>
  calls.service.app.rooms.mongo.connection.collection('user').findOne({ user_id });
const session = async (user_id: string, password = PASSWORD): Promise<string> =>
  (await signIn(calls.service, calls.tenant, user_id, password)).access_token;
const lives = (token: string) =>
  calls.service.call('UserProfile.get', {}, token).then(
    () => true,
    ({ code }: { code: status }) => code !== status.UNAUTHENTICATED,
  );

describe('OsUserService.UpdateUser and the tokens of the user', () => {
  it.each([
    ['enabled', { enabled: false }],
    ['password', { password: NEW }],
    ['pwd_status', { pwd_status: true }],
    ['email', { email: 'ends@example.com' }],
    ['email away', { email: '' }],
  ])('ends all of them with %s', async (_what, change) => {
    const user_id = await someone();
    const tokens = [await session(user_id), await session(user_id)];
    await detail.update(user_id, change);
    for (const token of tokens) expect(await lives(token)).toBe(false);
  });

  it('ends none with anything else, nor with what is so already', async () => {
    const user_id = await someone();
    const token = await session(user_id);
    const changes = [
      { name: 'another-name', description: 'x' },
      { areacode: '0049', phone: '1', xuser_type: 'a', xuser_id: 'b' },
      { enabled: true, pwd_status: false, email: user_id },
    ];
    for (const change of changes) await detail.update(user_id, change);
    expect(await lives(token)).toBe(true);
  });

  it('ends the other ones of an administrator who changes their own address', async () => {
    const role = { role_type: 'DOMAIN_ADMIN', role_id: 'managed-domain-admin' };
    const user_id = await someone(role);
    const [mine, other] = [await session(user_id), await session(user_id)];
    await detail.update(user_id, { email: 'mine@example.com', description: 'x' }, mine);
    expect([await lives(mine), await lives(other)]).toEqual([true, false]);
    await detail.update(user_id, { email: 'mine2@example.com', password: NEW }, mine);
    expect(await lives(mine)).toBe(false);
  });
});

describe('OsUserService.UpdateUser with pwd_status', () => {
  it('asks for another password at the next sign-in, and takes that back', async () => {
    const { service, tenant } = calls;
    const user_id = await someone({ required_actions: ['ENFORCE_MFA'] });
    expect(await detail.update(user_id, { pwd_status: 'true' })).toMatchObject({ pwd_status: true });
    expect((await stored(user_id))!['required_actions']).toEqual(['ENFORCE_MFA', 'UPDATE_PASSWORD']);
    expect(await detail.update(user_id, { pwd_status: 0 })).not.toHaveProperty('pwd_status');
    expect((await stored(user_id))!['required_actions']).toEqual(['ENFORCE_MFA']);
    const plain = await someone();
    await detail.update(plain, { pwd_status: true });
    const { access_token, refresh_token } = await signIn(service, tenant, plain);
    const grant = { grant_type: 'REFRESH_TOKEN', token: refresh_token, scope: 'USER' };
    expect((await refusal(service.call('Token.grant', grant))).reason).toBe('ERROR_UPDATE_PASSWORD_REQUIRED');
    await service.call('UserProfile.update_password', { new_password: NEW }, access_token);
    expect(await detail.show(plain)).not.toHaveProperty('pwd_status');
  });

  it('says it beside a password, where FORCE_PASSWORD_CHANGE says it else', async () => {
    const user_id = await someone();
    expect(await detail.update(user_id, { password: NEW, pwd_status: true })).toMatchObject({
      pwd_status: true,
    });
    const strict = await calls.service.another({ FORCE_PASSWORD_CHANGE: 'true' });
    const forced = detailCalls({ ...calls, service: strict });
    const changes = [{ password: 'Ander5wort2' }, { password: 'Ander5wort3', pwd_status: false }];
    const [silent, free] = [
      await forced.update(user_id, changes[0]),
      await forced.update(user_id, changes[1]),
    ];
    await strict.close();
    expect(silent).toMatchObject({ pwd_status: true });
    expect(free).not.toHaveProperty('pwd_status');
  });

  it('lets an invited user set the first password, whatever is said of it', async () => {
    const { service, tenant } = calls;
    const user_id = 'invited@example.com';
    const domainAdmin = await service.call('Token.grant', {
      grant_type: 'REFRESH_TOKEN',
      token: (await signIn(service, tenant, tenant.admin)).refresh_token,
      scope: 'WORKSPACE',
      workspace_id: tenant.alpha,
    });
    const invited = { user_id, email: user_id, auth_type: 'LOCAL', reset_password: true };
    await service.call(
      'WorkspaceUser.create',
      { ...invited, role_id: 'managed-workspace-member' },
      domainAdmin.access_token,
    );
    const refused = await refusal(detail.update(user_id, { pwd_status: false, description: 'x' }));
    expect(refused.text).toContain('must be true until there is a password');
    expect(edgeOf(refused)).toEqual({ status: '400', code: 'IAM.0007' });
    await detail.update(user_id, { pwd_status: true, description: 'x' });
    const { token } = await mailedLink(service, user_id);
    await service.call('UserProfile.update_password', { new_password: NEW }, token);
    expect(await signIn(service, tenant, user_id, NEW)).toHaveProperty('access_token');
  });
});

describe('OsUserService.UpdateUser with an address', () => {
  it('leaves the proven one in force, and tells it, until the owner proves the new one', async () => {
    const { service } = calls;
    const user_id = await someone();
    const to = `new-${user_id}`;
    expect(await detail.update(user_id, { email: to })).toMatchObject({ email: to });
    expect(await stored(user_id)).toMatchObject({ email: to, email_verified: false, proven_email: user_id });
    expect(await mailsTo(service, user_id)).toBe(1);
    expect(await mailsTo(service, to)).toBe(0);
    const token = await session(user_id);
    await service.call('UserProfile.verify_email', {}, token);
    const verify_code = await mailedCode(service, to);
    await service.call('UserProfile.confirm_email', { verify_code }, token);
    expect(await stored(user_id)).toMatchObject({ email: to, email_verified: true });
    expect(await stored(user_id)).not.toHaveProperty('proven_email');
  });

  it('tells the proven one that there is none any more, and still mails there', async () => {
    const { service } = calls;
    const user_id = await someone();
    expect(await detail.update(user_id, { email: '' })).not.toHaveProperty('email');
    expect(await stored(user_id)).toMatchObject({ email: '', proven_email: user_id });
    expect(await mailsTo(service, user_id)).toBe(1);
    const [mail] = service.sink.mails.filter(({ to }) => to.includes(user_id));
    expect(mail!.text).toMatch(/New address:?\s+-\s/);
    await detail.update(user_id, { password: NEW, email: 'next@example.com' });
    expect(await mailsTo(service, user_id)).toBe(3);
    expect(await mailsTo(service, 'next@example.com')).toBe(0);
  });

  it('tells nobody where no address was proven', async () => {
    const user_id = await someone({ email_verified: false });
    await detail.update(user_id, { email: 'unproven@example.com' });
    expect(await mailsTo(calls.service, user_id)).toBe(0);
    expect(await stored(user_id)).not.toHaveProperty('proven_email');
  });

  it('voids the code that was on its way to another one', async () => {
    const { service } = calls;
    const role = { role_type: 'DOMAIN_ADMIN', role_id: 'managed-domain-admin' };
    const user_id = await someone(role);
    const token = await session(user_id);
    await service.call('UserProfile.verify_email', { email: 'candidate@example.com' }, token);
    const verify_code = await mailedCode(service, 'candidate@example.com');
    await detail.update(user_id, { email: 'other@example.com' }, token);
    const confirm = service.call('UserProfile.confirm_email', { verify_code }, token);
    expect((await refusal(confirm)).reason).toBe('ERROR_INVALID_VERIFY_CODE');
    expect(await detail.show(user_id)).toMatchObject({ email: 'other@example.com' });
  });
});
