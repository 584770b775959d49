import { requiredParameter } from '../../errors.js';
import type { AuthServiceService, CreateTokenResponse } from '../../gen/iam/v3/auth.js';
import type { IamSignIn } from '../../managers/iam-sign-in.js';
import type { IssuedTokens } from '../../managers/issued-tokens.js';
import type { SignInReach } from '../../managers/sign-in-reach.js';
import type { Call, Methods } from '../../rpc/call.js';
import { metadataText } from '../../rpc/metadata.js';
import { anonymousMethod, method } from '../../rpc/method.js';
import { challenge } from '../../rpc/wording.js';
import { anyUser } from './access.js';
import type { Addresses } from './addresses.js';
import { auth, mark } from './auth-request.js';
import { toDomain, toProject } from './to-message.js';
import type { TokenMessages } from './token-message.js';

const CREATED = 201;
const NO_CONTENT = 204;
const UNAUTHORIZED = 401;
const SUBJECT = 'x-subject-token';
const RECEIPT = 'openstack-auth-receipt';
const anyToken = { anyToken: true } as const;
const readsByAnyToken = { ...anyToken, onlyReads: true } as const;

/** Signing in at OpenStack Identity, and tokens as things to look at and to end (docs/iam-users.md). */
export function authMethods(
  signIn: IamSignIn,
  issued: IssuedTokens,
  offered: SignInReach,
  messages: TokenMessages,
  addresses: Addresses,
): Methods<typeof AuthServiceService> {
  const { publicUrl } = addresses;
  const links = (path: string) => ({ self: `${publicUrl}/v3/auth/${path}`, previous: null, next: null });
  return {
    createToken: anonymousMethod(
      { auth, nocatalog: mark },
      async ({ auth: { identity, scope }, nocatalog }, call): Promise<CreateTokenResponse> => {
        const proofs = { ...identity, receipt: metadataText(call.metadata, RECEIPT) };
        const outcome = await signIn.create(call.reach, { proofs, scope }, call);
        if ('receipt' in outcome) {
          call.answer.status = UNAUTHORIZED;
          Object.assign(call.answer.headers, { [RECEIPT]: outcome.text, ...challenge(publicUrl) });
          return { receipt: messages.receipt(outcome), required_auth_methods: [['password', 'totp']] };
        }
        call.answer.status = CREATED;
        call.answer.headers[SUBJECT] = outcome.token;
        return { token: messages.token(outcome, !nocatalog) };
      },
    ),
    getToken: method(
      { access: readsByAnyToken, fields: { nocatalog: mark } },
      async ({ nocatalog }, call) => {
        const subject = subjectOf(call);
        const facts = await issued.read(call.reach, call.caller, subject);
        call.answer.headers[SUBJECT] = subject;
        return { token: messages.token(facts, !nocatalog) };
      },
    ),
    revokeToken: method({ access: anyToken, fields: {} }, async (_request, call) => {
      await issued.revoke(call.reach, call.caller, subjectOf(call));
      call.answer.status = NO_CONTENT;
      return {};
    }),
    getCatalog: method({ access: readsByAnyToken, fields: {} }, (_request, call) => {
      issued.assertScoped(call.caller);
      return { catalog: messages.catalog, links: links('catalog') };
    }),
    listDomains: method({ access: anyUser.read, fields: {} }, async (_request, call) => {
      const domains = await offered.domains(call.reach, call.caller);
      return { domains: domains.map((one) => toDomain(one, addresses)), links: links('domains') };
    }),
    listProjects: method({ access: anyUser.read, fields: {} }, async (_request, call) => {
      const workspaces = await offered.workspaces(call.reach, call.caller);
      return { projects: workspaces.map((one) => toProject(one, addresses)), links: links('projects') };
    }),
  };
}

function subjectOf(call: Call): string {
  const token = metadataText(call.metadata, SUBJECT);
  if (!token) throw requiredParameter('X-Subject-Token');
  return token;
}
