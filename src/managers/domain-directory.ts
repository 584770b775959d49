import type { Reach } from '../connectors/mongo.js';
import { IdentityError, invalidParameter, notFound } from '../errors.js';
import type { Domain, DomainPageScope, Domains } from '../models/domain.js';
import type { Page } from '../models/page.js';
import type { Administration } from './administration.js';
import { boundsOf } from './asked-page.js';
import type { AskedPage } from './asked-page.js';
import type { Caller } from './sessions.js';

const READ = 'identity:Domain.read';

/** The domains that somebody may look at through OpenStack Identity. */
export class DomainDirectory {
  constructor(
    private readonly domains: Domains,
    private readonly administration: Administration,
  ) {}

  /**
   * The domain: everybody's own, and any for who administers all.
   * @throws IdentityError ERROR_PERMISSION_DENIED for another one, whether there is one or not, ERROR_NOT_FOUND.
   */
  async get(reach: Reach, caller: Caller, domain_id: string): Promise<Domain> {
    if (domain_id !== caller.domain_id && (await this.administration.domainOf(reach, caller, READ)) !== '*')
      throw new IdentityError('ERROR_PERMISSION_DENIED');
    const domain = await this.domains.find(reach, { domain_id });
    if (!domain) throw notFound({ domain_id });
    return domain;
  }

  /**
   * A page by id of the domains that the caller administers, of at most 1000.
   * @throws IdentityError ERROR_PERMISSION_DENIED, ERROR_INVALID_PARAMETER(marker) when that is none of them.
   */
  async list(
    reach: Reach,
    caller: Caller,
    filters: DomainPageScope,
    asked: AskedPage,
  ): Promise<Page<Domain>> {
    const { marker } = asked;
    const own = await this.administration.namedDomain(reach, caller, undefined, READ);
    if (marker !== undefined) {
      const isListed = own === undefined || own === marker;
      if (!isListed || !(await this.domains.find(reach, { domain_id: marker })))
        throw invalidParameter('marker', 'is the id of no domain of this list');
    }
    if (own === undefined) return this.domains.page(reach, filters, boundsOf(asked));
    const domain = marker === undefined ? await this.domains.find(reach, { domain_id: own }) : undefined;
    return { rows: domain && isOf(filters, domain) ? [domain] : [] };
  }
}

function isOf({ name, enabled }: DomainPageScope, domain: Domain): boolean {
  return (
    (name === undefined || name === domain.name) &&
    (enabled === undefined || enabled === (domain.state === 'ENABLED'))
  );
}
