import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enableOtp, newAuthenticator, nextStep } from '../../authenticator.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { mailedCode } from '../../mailed.js';

let service: Service;
let tenant: Tenant;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
});
afterAll(() => service.close());

/** Texts that look like codes, or break what compares codes. */
const NO_CODES = ['１２３４５６', '٣٣٣٣٣٣', '12345é', '😀😀😀', '1234567'];
const invalid = { code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_VERIFY_CODE' };
const blocked = { code: status.UNAUTHENTICATED, reason: 'ERROR_LOGIN_BLOCKED' };

describe('A code that is not six ASCII digits', () => {
  it('is wrong and counts, for an authenticator that waits', async () => {
    const user = await aUser(service, tenant);
    const { access_token } = await signIn(service, tenant, user);
    for (let round = 0; round < 2; round++) {
      await newAuthenticator(service, access_token);
      for (const verify_code of NO_CODES)
        expect(
          await refusal(service.call('UserProfile.confirm_mfa', { verify_code }, access_token)),
          verify_code,
        ).toMatchObject(invalid);
    }
    expect(await refusal(signIn(service, tenant, user))).toMatchObject(blocked);
  });

  it('is wrong and counts, for an authenticator at sign-in', async () => {
    const user = await aUser(service, tenant);
    await enableOtp(service, (await signIn(service, tenant, user)).access_token);
    nextStep(service);
    const credentials = { user_id: user, password: PASSWORD };
    const second = { credentials, auth_type: 'MFA', domain_id: tenant.domain_id };
    for (let round = 0; round < 2; round++) {
      expect((await refusal(signIn(service, tenant, user))).reason).toBe('ERROR_MFA_REQUIRED');
      for (const verify_code of NO_CODES)
        expect(
          await refusal(service.call('Token.issue', { ...second, verify_code })),
          verify_code,
        ).toMatchObject(invalid);
    }
    expect(await refusal(signIn(service, tenant, user))).toMatchObject(blocked);
  });

  it('is wrong and counts, for a mailed code', async () => {
    const user = await aUser(service, tenant, { email_verified: false });
    const { access_token } = await signIn(service, tenant, user);
    for (let round = 0; round < 2; round++) {
      await service.call('UserProfile.verify_email', {}, access_token);
      await mailedCode(service, user);
      for (const verify_code of NO_CODES)
        expect(
          await refusal(service.call('UserProfile.confirm_email', { verify_code }, access_token)),
          verify_code,
        ).toMatchObject(invalid);
    }
    expect(await refusal(signIn(service, tenant, user))).toMatchObject(blocked);
  });
});
