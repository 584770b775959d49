import type { Tenant } from '../../fixtures.js';
import { aTenant } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { startService } from '../../harness.js';
import { initialise } from '../../system.js';

/** A service with the root domain and a tenant, and those who may manage domains. */
export interface Domains {
  service: Service;
  tenant: Tenant;
  /** Token of the system's administrator. */
  systemAdmin: string;
  systemToken: string;
}

/** Starts the service and makes both domains. */
export async function startDomains(): Promise<Domains> {
  const service = await startService();
  const tenant = await aTenant(service);
  return { service, tenant, ...(await initialise(service)) };
}
