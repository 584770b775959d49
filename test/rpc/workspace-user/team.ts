import type { Tenant } from '../../fixtures.js';
import { aTenant, aUser, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';

/** A workspace with people who differ in every field that a query can name, and a token of its owner. */
export interface Team {
  tenant: Tenant;
  owner: string;
  member: string;
}

const at = (text: string) => new Date(text);

/**
 * Makes the workspace alpha with olga (owner), max, ann, bob and eve (members), in this order of creation, and the
 * workspace beta with zoe alone.
 */
export async function aTeam(service: Service): Promise<Team> {
  const tenant = await aTenant(service);
  const { alpha, beta } = tenant;
  await aUser(service, tenant, {
    user_id: 'olga@example.com',
    name: 'Olga Owner',
    language: 'en',
    created_at: at('2025-01-10T08:00:00Z'),
    tags: { team: 'one', level: 3 },
    roles: { [alpha]: 'WORKSPACE_OWNER' },
  });
  await aUser(service, tenant, {
    user_id: 'max@example.com',
    name: 'Max Member',
    language: 'ko',
    timezone: 'Asia/Seoul',
    created_at: at('2025-01-20T08:00:00Z'),
    tags: { team: 'two', level: 5 },
    roles: { [alpha]: 'WORKSPACE_MEMBER' },
  });
  await aUser(service, tenant, {
    user_id: 'ann@x.io',
    name: 'Ann',
    state: 'PENDING',
    language: 'en',
    email_verified: false,
    created_at: at('2025-02-01T08:00:00Z'),
    roles: { [alpha]: 'WORKSPACE_MEMBER' },
  });
  await aUser(service, tenant, {
    user_id: 'bob@x.io',
    name: 'Bob (Ops)',
    state: 'DISABLED',
    language: 'ja',
    required_actions: ['UPDATE_PASSWORD', 'ENFORCE_MFA'],
    mfa: { state: 'ENABLED', mfa_type: 'OTP', options: { user_secret_id: 'user-secret-1' } },
    created_at: at('2025-02-15T08:00:00Z'),
    last_accessed_at: at('2025-03-01T00:00:00.123Z'),
    tags: { teams: [{ id: 1, lead: true }, { id: 2 }] },
    roles: { [alpha]: 'WORKSPACE_MEMBER' },
  });
  await aUser(service, tenant, {
    user_id: 'eve@x.io',
    name: 'eve',
    email: '',
    auth_type: 'EXTERNAL',
    language: 'en',
    required_actions: ['UPDATE_PASSWORD'],
    refresh_timeout: 3600,
    created_at: at('2025-03-01T08:00:00Z'),
    roles: { [alpha]: 'WORKSPACE_MEMBER' },
  });
  await aUser(service, tenant, { user_id: 'zoe@x.io', name: 'Zoe', roles: { [beta]: 'WORKSPACE_MEMBER' } });
  const owner = await tokenOf(service, tenant, 'olga@example.com', 'WORKSPACE', alpha);
  const member = await tokenOf(service, tenant, 'max@example.com', 'WORKSPACE', alpha);
  return { tenant, owner, member };
}

/** The short names of the rows of a list, as they came. */
export function who(answer: { results?: { user_id: string }[] }): string {
  return (answer.results ?? []).map(({ user_id }) => user_id.split('@')[0]).join(' ');
}
