import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aTenant, aUser, signIn } from '../fixtures.js';
import type { Tenant } from '../fixtures.js';
import type { ForgeableService } from '../forge.js';
import { startForgeableService } from '../forge.js';
import type { Service } from '../harness.js';
import { mailedCode, mailedLink, mailsTo } from '../mailed.js';
import { startEdge } from '../rest/edge.js';
import type { Edge } from '../rest/edge.js';
import { expectPrintedCode } from './printed-code.js';
import { DOCUMENTED_DOMAIN, DOCUMENTED_USER, userProfileRequests as printed } from './requests.js';
import type { DocumentedRequest } from './requests.js';
import { TRANSPORTS, sender } from './transports.js';

let forge: ForgeableService;
let service: Service;
let tenant: Tenant;
let edge: Edge;
let token: string;

beforeAll(async () => {
  forge = await startForgeableService();
  service = forge.service;
  edge = await startEdge(service.address);
  tenant = await aTenant(service, DOCUMENTED_DOMAIN);
});
beforeEach(async () => {
  // Mails of the tests before are none of this one's.
  await mailsTo(service, DOCUMENTED_USER);
  service.sink.mails.length = 0;
  const { connection } = service.app.rooms.mongo;
  for (const name of ['user', 'pending_code', 'role_binding'])
    await connection.collection(name).deleteMany({ user_id: DOCUMENTED_USER });
  await aUser(service, tenant, { user_id: DOCUMENTED_USER, roles: { [tenant.alpha]: 'WORKSPACE_MEMBER' } });
  ({ access_token: token } = await signIn(service, tenant, DOCUMENTED_USER));
});
afterAll(async () => {
  await edge.close();
  await service.close();
});

describe.each(TRANSPORTS)('The documented requests of UserProfile over %s', (transport) => {
  const send = (request: DocumentedRequest) => sender(transport, service, edge)(request, token);

  it('update: sets the password too', async () => {
    const { password: _, ...shown } = printed.update.message;
    expect(await send(printed.update)).toMatchObject(shown);
    expect(await signIn(service, tenant, DOCUMENTED_USER, printed.update.message.password)).toHaveProperty(
      'access_token',
    );
  });

  it('verify_email', async () => {
    expect(await send(printed.verifyEmail)).toEqual({});
    expect(await mailedCode(service, DOCUMENTED_USER)).toMatch(/^\d{6}$/);
  });

  it('confirm_email: the printed code has five digits, which no mailed one has', async () => {
    await send(printed.verifyEmail);
    await expect(send(printed.confirmEmail)).rejects.toThrow('ERROR_INVALID_VERIFY_CODE');
    const message = { verify_code: await mailedCode(service, DOCUMENTED_USER) };
    const confirmed = await send({ ...printed.confirmEmail, message });
    expect(confirmed).toMatchObject({ email: DOCUMENTED_USER, email_verified: true });
  });

  it('reset_password, without a token', async () => {
    expect(await sender(transport, service, edge)(printed.resetPassword)).toEqual({});
    expect(await mailedLink(service, DOCUMENTED_USER)).toHaveProperty('token');
  });

  it('enable_mfa, confirm_mfa and disable_mfa', async () => {
    const code = printed.confirmMfa.message.verify_code;
    expect((await send(printed.enableMfa)).mfa).toEqual({
      state: 'DISABLED',
      mfa_type: 'EMAIL',
      options: { email: DOCUMENTED_USER },
    });
    await expectPrintedCode(forge, 'MFA', code);
    expect((await send(printed.confirmMfa)).mfa.state).toBe('ENABLED');
    expect((await send(printed.disableMfa)).mfa.state).toBe('ENABLED');
    await expectPrintedCode(forge, 'MFA', code);
    expect((await send(printed.confirmMfa)).mfa).toEqual({ state: 'DISABLED', options: {} });
  });

  it('get', async () => {
    expect(await send(printed.get)).toMatchObject({ user_id: DOCUMENTED_USER, domain_id: DOCUMENTED_DOMAIN });
  });

  it('get_workspaces', async () => {
    expect((await send(printed.getWorkspaces)).results).toMatchObject([{ workspace_id: tenant.alpha }]);
  });

  it('get_workspace_groups', async () => {
    expect(await send(printed.getWorkspaceGroups)).toEqual({});
  });
});
