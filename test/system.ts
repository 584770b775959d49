import { PASSWORD, tokenOf } from './fixtures.js';
import type { Service } from './harness.js';

/** Administrator of the root domain. */
export const ROOT_ADMIN = { user_id: 'root@example.com', name: 'Rita Root', password: PASSWORD };

/** Initialises the system; answers the system token and a token of the system's administrator. */
export async function initialise(service: Service): Promise<{ systemToken: string; systemAdmin: string }> {
  const { system_token } = await service.call('System.init', { admin: ROOT_ADMIN });
  const root = { domain_id: 'domain-root', name: 'root', admin: ROOT_ADMIN.user_id, alpha: '', beta: '' };
  return { systemToken: system_token, systemAdmin: await tokenOf(service, root, root.admin, 'SYSTEM') };
}
