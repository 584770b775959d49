import { Metadata, credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkspaceUserClient } from '../../../src/gen/spaceone/api/identity/v2/workspace_user.js';
import { AuthType } from '../../../src/gen/spaceone/api/identity/v2/user.js';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import { WireClient } from '../../wire-client.js';

/** Their hashes take far longer than an impatient caller waits. */
const MANY = 20;
const IMPATIENT_MS = 2500;

let service: Service;
let tenant: Tenant;
let client: WireClient;
let token: string;

beforeAll(async () => {
  service = await startService({ BCRYPT_COST: '13', REQUEST_TIMEOUT_MS: '60000' });
  tenant = await aTenant(service);
  client = new WireClient(service.address);
  token = await tokenOf(service, tenant, tenant.admin, 'WORKSPACE', tenant.alpha);
});
afterAll(async () => {
  client.close();
  await service.close();
});

const account = (user_id: string) => ({
  user_id,
  auth_type: 'LOCAL',
  password: PASSWORD,
  role_id: 'managed-workspace-member',
});
const create = (user_id: string, deadline?: number) =>
  client.call('WorkspaceUser.create', account(user_id), token, {}, deadline ? { deadline } : {});
/** Once a call that came after them is answered, they have come to where passwords are hashed. */
const arrived = () => service.call('WorkspaceUser.list', {}, token);

describe('A new password', () => {
  it('F06: is refused at once when it could not be hashed before its caller is gone', async () => {
    const others = Array.from({ length: MANY }, (_, index) => begun(`gone${index}@example.com`));
    await arrived();
    const refused = await refusal(create('late@example.com', Date.now() + IMPATIENT_MS));
    expect(refused).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: 'ERROR_TOO_BUSY' });
    for (const { call } of others) call.cancel();
    await Promise.all(others.map(({ ended }) => ended));
    // Nobody has taken the id meanwhile, and those who hung up have made nothing.
    expect(await create('late@example.com')).toMatchObject({ user_id: 'late@example.com' });
    const { results } = await service.call('WorkspaceUser.list', {}, token);
    expect((results as { user_id: string }[]).map(({ user_id }) => user_id)).toEqual(['late@example.com']);
  });
});

/** A call that can be ended by its caller. */
function begun(user_id: string) {
  const impatient = new WorkspaceUserClient(service.address, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('token', token);
  let ended = () => {};
  const end = new Promise<void>((resolve) => (ended = resolve));
  const unset = { name: '', email: '', language: '', timezone: '', reset_password: false };
  const request = { ...account(user_id), auth_type: AuthType.LOCAL, ...unset };
  const call = impatient.create(request, metadata, () => ended());
  return { call, ended: end.finally(() => impatient.close()) };
}
