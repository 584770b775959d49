import { PASSWORD, opaqueId, signIn, tokenOf } from '../fixtures.js';
import type { Tenant } from '../fixtures.js';
import type { Stack } from '../rest/edge.js';
import type { Answer } from '../wire-client.js';

/** What a token is good for at OpenStack Identity. */
export type Scope = { domain: { id: string } } | { project: { id: string } } | 'unscoped';

/** Every system that shows a user, as an administrator of the domain sees it. */
export interface Faces {
  spaceone: Answer;
  iam: Answer;
  osUser: Answer;
  csms: Answer;
}

/** Signs in at OpenStack Identity with a password; answers the status and the token. */
export async function signInAtIam(
  { edge }: Stack,
  { domain_id }: Tenant,
  name: string,
  password = PASSWORD,
  scope?: Scope,
): Promise<{ status: number; token: string }> {
  const user = { name, domain: { id: domain_id }, password };
  const auth = { identity: { methods: ['password'], password: { user } }, ...(scope ? { scope } : {}) };
  const { status, headers } = await edge.send('POST', '/v3/auth/tokens', { auth });
  return { status, token: headers.get('x-subject-token') ?? '' };
}

/** The user as every system shows them at this moment; `workspace_id` is one that the user is in. */
export async function everywhere(
  { service, edge }: Stack,
  tenant: Tenant,
  user_id: string,
  admin: string,
): Promise<Faces> {
  const headers = { 'x-auth-token': admin };
  const [iam, osUser, csms] = await Promise.all([
    edge.send('GET', `/v3/users/${user_id}`, undefined, headers),
    edge.send('GET', `/v3.0/OS-USER/users/${user_id}`, undefined, headers),
    edge.send('GET', `/v1/csms/users/${user_id}`, undefined, headers),
  ]);
  const domainAdmin = await tokenOf(service, tenant, tenant.admin, 'DOMAIN');
  const spaceone = await service.call('WorkspaceUser.get', { user_id }, domainAdmin);
  return { spaceone, iam: iam.body.user, osUser: osUser.body.user, csms: csms.body };
}

/** A token of each kind that a user can hold: of spaceone, of OpenStack Identity, with and without a scope. */
export async function everyToken(stack: Stack, tenant: Tenant, user_id: string, password = PASSWORD) {
  const { service } = stack;
  const { access_token, refresh_token } = await signIn(service, tenant, user_id, password);
  const workspace_id = tenant.alpha;
  const granted = await service.call('Token.grant', {
    grant_type: 'REFRESH_TOKEN',
    token: refresh_token,
    scope: 'WORKSPACE',
    workspace_id,
  });
  const plain = await signInAtIam(stack, tenant, user_id, password, 'unscoped');
  const scoped = await signInAtIam(stack, tenant, user_id, password, { project: { id: workspace_id } });
  return {
    access: [access_token, granted.access_token as string, plain.token, scoped.token],
    refresh_token,
  };
}

/** Which of the tokens still open something: for each the status of OpenStack Identity, OS-USER, CSMS, and spaceone. */
export async function opened(
  { service, edge }: Stack,
  tenant: Tenant,
  user_id: string,
  tokens: readonly string[],
): Promise<number[][]> {
  const id = await opaqueId(service, tenant, user_id);
  const paths = [`/v3/users/${id}`, `/v3.0/OS-USER/users/${id}`, `/v1/csms/users/${id}`];
  return Promise.all(
    tokens.map(async (token) => {
      const answers = paths.map((path) => edge.send('GET', path, undefined, { 'x-auth-token': token }));
      const own = edge.post('/identity/v2/user-profile/get', {}, token);
      return (await Promise.all([...answers, own])).map(({ status }) => status);
    }),
  );
}
