import type { TokenService } from '../gen/spaceone/api/identity/v2/token.js';
import { GrantTokenInfo } from '../gen/spaceone/api/identity/v2/token.js';
import type { Grants } from '../managers/grants.js';
import type { SignIn } from '../managers/sign-in.js';
import type { Methods } from '../rpc/call.js';
import * as field from '../rpc/fields.js';
import { anonymousMethod } from '../rpc/method.js';

/** Token: signing in, and access tokens for a scope (contract/behaviour.md 4.1). */
export function tokenMethods(signIn: SignIn, grants: Grants): Methods<typeof TokenService> {
  return {
    issue: anonymousMethod(
      {
        credentials: field.struct,
        auth_type: field.enumValue(['LOCAL', 'EXTERNAL', 'MFA']),
        timeout: field.seconds.optional(),
        verify_code: field.verifyCode.optional(),
        domain_id: field.id,
      },
      (request, call) => signIn.issue(call.reach, request, call),
    ),
    grant: anonymousMethod(
      {
        grant_type: field.enumValue(['REFRESH_TOKEN', 'SYSTEM_TOKEN']),
        token: field.token,
        scope: field.enumValue(['SYSTEM', 'DOMAIN', 'WORKSPACE', 'USER']),
        timeout: field.seconds.optional(),
        permissions: field.ignored,
        domain_id: field.ignored,
        workspace_id: field.id.optional(),
      },
      async (request, call) => GrantTokenInfo.fromPartial(await grants.grant(call.reach, request)),
    ),
  };
}
