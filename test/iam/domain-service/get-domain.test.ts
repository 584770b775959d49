import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRole, aUser, signIn, tokenOf } from '../../fixtures.js';
import { refusal } from '../../harness.js';
import type { Directory } from '../directory.js';
import { PUBLIC_URL, startDirectory } from '../directory.js';

let directory: Directory;

beforeAll(async () => {
  directory = await startDirectory();
});
afterAll(() => directory.service.close());

const get = (domain_id: string, token?: string | null) =>
  directory.call('DomainService.GetDomain', { domain_id }, token);

describe('DomainService.GetDomain', () => {
  it('shows everybody the own domain', async () => {
    const { service, tenant, admin, member, memberId, ownAccount } = directory;
    const shown = {
      id: tenant.domain_id,
      name: tenant.name,
      enabled: true,
      options: {},
      links: { self: `${PUBLIC_URL}/v3/domains/${tenant.domain_id}` },
    };
    const inWorkspace = await tokenOf(service, tenant, memberId, 'WORKSPACE', tenant.alpha);
    for (const token of [admin, member, ownAccount, inWorkspace])
      expect(await get(tenant.domain_id, token)).toEqual({ domain: shown });
  });

  it('shows the system every domain, also one that is disabled', async () => {
    const { service, tenant, systemAdmin, systemToken } = directory;
    const { domain_id } = await service.call('Domain.create', given('to-disable'), systemAdmin);
    await service.call('Domain.disable', { domain_id }, systemAdmin);
    for (const token of [systemAdmin, systemToken]) {
      expect((await get(tenant.domain_id, token)).domain).toMatchObject({ name: tenant.name, enabled: true });
      expect((await get('domain-root', token)).domain.id).toBe('domain-root');
      const { domain } = await get(domain_id as string, token);
      expect(domain).toMatchObject({ id: domain_id, name: 'to-disable' });
      // What is false is left out here.
      expect(domain).not.toHaveProperty('enabled');
    }
  });

  it('finds no domain that is unknown or deleted', async () => {
    const { service, systemAdmin } = directory;
    const { domain_id } = await service.call('Domain.create', given('to-delete'), systemAdmin);
    await service.call('Domain.delete', { domain_id }, systemAdmin);
    for (const id of [domain_id as string, 'domain-000000000000', 'to-delete', 'x'.repeat(300), '$ne']) {
      const { code, text } = await refusal(get(id, systemAdmin));
      expect(code).toBe(status.NOT_FOUND);
      expect(text).toBe(`Could not find domain: ${id.slice(0, 64)}.`);
    }
  });

  it('tells others nothing: another domain is refused like one that there is not', async () => {
    const { tenant, other, admin, member } = directory;
    for (const token of [admin, member]) {
      const answers = [];
      for (const id of [other.domain_id, 'domain-root', 'domain-000000000000', other.name, tenant.name])
        answers.push(await refusal(get(id, token)));
      for (const { code, text } of answers) {
        expect(code).toBe(status.PERMISSION_DENIED);
        expect(text).toBe('You are not authorized to perform the requested action: identity:get_domain.');
      }
    }
  });

  it('is bounded by the permissions of a role', async () => {
    const { service, other } = directory;
    const root = { ...other, domain_id: 'domain-root' };
    const allowed = async (...permissions: string[]) => {
      const role_id = await aRole(service, root, { role_type: 'DOMAIN_ADMIN', permissions });
      const user_id = await aUser(service, root, { role_type: 'DOMAIN_ADMIN', role_id });
      const tokens = [
        (await signIn(service, root, user_id)).access_token,
        await tokenOf(service, root, user_id, 'SYSTEM'),
      ];
      return tokens.map((token) => () => get(other.domain_id, token));
    };
    for (const answer of await allowed('identity:Domain.read'))
      expect((await answer()).domain.id).toBe(other.domain_id);
    for (const answer of await allowed('identity:User', 'identity:UserProfile'))
      expect((await refusal(answer())).code).toBe(status.PERMISSION_DENIED);
  });

  it('needs an id and a token', async () => {
    expect((await refusal(get(''))).text).toBe("'domain_id' is a required property");
    expect((await refusal(get(directory.tenant.domain_id, null))).code).toBe(status.UNAUTHENTICATED);
  });
});

function given(name: string): object {
  return { name, admin: { user_id: 'admin@example.com', name: 'Ada', password: 'Passw0rd!' } };
}
