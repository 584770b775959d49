import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { PASSWORD, aTenant, aUser, aWorkspace, opaqueId, signIn, tokenOf } from '../fixtures.js';
import type { Tenant } from '../fixtures.js';
import type { Service } from '../harness.js';
import { ROOT_ADMIN } from '../system.js';
import type { Filling } from './messages.js';

/** Kinds of callers, each with a call that tells whether its token is still good. */
const probes = {
  nobody: undefined,
  'refresh token': undefined,
  'signed in': ['UserProfile.get', {}],
  USER: ['UserProfile.get', {}],
  WORKSPACE_MEMBER: ['WorkspaceUser.find', { keyword: 'a' }],
  WORKSPACE_OWNER: ['WorkspaceUser.list', { query: { count_only: true } }],
  DOMAIN_ADMIN: ['UserProfile.get', {}],
  SYSTEM_ADMIN: ['Domain.list', { query: { count_only: true } }],
  'system token': ['Domain.list', { query: { count_only: true } }],
} as const;
export type Caller = keyof typeof probes;
export const callers = Object.keys(probes) as Caller[];

/**
 * Callers and real ids for random calls, in a domain of their own. Calls that succeed may end tokens, disable the
 * domain or delete it: whatever is no longer good is made anew.
 */
export class World {
  #systemToken = '';
  #tokens: Partial<Record<Caller, string>> = {};
  #filling: Filling | undefined;
  #tenant: Tenant | undefined;
  #workspaces = 0;

  private constructor(private readonly service: Service) {}

  static async create(service: Service): Promise<World> {
    const world = new World(service);
    await world.#renewSystem();
    await world.#renewTenant();
    return world;
  }

  get filling(): Filling {
    return this.#filling!;
  }

  tokenOf(caller: Caller): string | undefined {
    return this.#tokens[caller];
  }

  /** The callers whom a method lets in, found by asking it with an empty message. */
  async welcome(call: (token: string | undefined) => Promise<unknown>): Promise<Caller[]> {
    const admitted = await Promise.all(
      callers.map((caller) =>
        call(this.#tokens[caller]).then(
          () => true,
          ({ code }: ServiceError) => code !== status.UNAUTHENTICATED && code !== status.PERMISSION_DENIED,
        ),
      ),
    );
    return callers.filter((_, index) => admitted[index]);
  }

  /** Takes in what an answer changes for later calls. */
  learn(answer: unknown): void {
    const { system_token } = answer as { system_token?: string };
    if (system_token) this.#systemToken = system_token;
  }

  /** Makes anew what is no longer good. Fails when the service no longer answers. */
  async mend(): Promise<void> {
    if (!(await this.#areGood('SYSTEM_ADMIN', 'system token'))) await this.#renewSystem();
    if (!(await this.#areGood('DOMAIN_ADMIN'))) await this.#enableDomain();
    if (!(await this.#areGood('DOMAIN_ADMIN'))) await this.#renewTenant();
    else if (!(await this.#areGood(...callers))) await this.#renewPeople();
  }

  async #areGood(...some: readonly Caller[]): Promise<boolean> {
    for (const caller of some) if (!(await this.#isGood(caller))) return false;
    return true;
  }

  /** What a call has merely disabled need not be made anew. */
  async #enableDomain(): Promise<void> {
    const { domain_id } = this.#tenant!;
    await this.service.call('Domain.enable', { domain_id }, this.#tokens.SYSTEM_ADMIN).catch(() => undefined);
  }

  async #isGood(caller: Caller): Promise<boolean> {
    const probe = probes[caller];
    if (!probe) return true;
    return this.service.call(probe[0], probe[1], this.#tokens[caller]).then(
      () => true,
      () => false,
    );
  }

  async #renewSystem(): Promise<void> {
    const request = { admin: ROOT_ADMIN, ...(this.#systemToken ? { force: true } : {}) };
    const { system_token, domain_id } = await this.service.call(
      'System.init',
      request,
      this.#systemToken || undefined,
    );
    this.#systemToken = system_token;
    const root = { domain_id, name: 'root', admin: ROOT_ADMIN.user_id, alpha: '', beta: '' };
    this.#tokens['system token'] = system_token;
    this.#tokens['SYSTEM_ADMIN'] = await tokenOf(this.service, root, root.admin, 'SYSTEM');
  }

  async #renewTenant(): Promise<void> {
    this.#tenant = await aTenant(this.service);
    this.#tokens.DOMAIN_ADMIN = await tokenOf(this.service, this.#tenant, this.#tenant.admin, 'DOMAIN');
    await this.#renewPeople();
  }

  async #renewPeople(): Promise<void> {
    const { service } = this;
    const tenant = this.#tenant!;
    const alpha = await aWorkspace(service, tenant.domain_id, `alpha-${++this.#workspaces}`);
    const user_id = await aUser(service, tenant);
    const owner = await aUser(service, tenant, { roles: { [alpha]: 'WORKSPACE_OWNER' } });
    const member = await aUser(service, tenant, { roles: { [alpha]: 'WORKSPACE_MEMBER' } });
    const { access_token, refresh_token } = await signIn(service, tenant, user_id);
    Object.assign(this.#tokens, {
      'refresh token': refresh_token,
      'signed in': access_token,
      USER: await tokenOf(service, tenant, user_id),
      WORKSPACE_MEMBER: await tokenOf(service, tenant, member, 'WORKSPACE', alpha),
      WORKSPACE_OWNER: await tokenOf(service, tenant, owner, 'WORKSPACE', alpha),
    });
    this.#filling = await fillingOf(service, { ...tenant, alpha }, member, refresh_token);
  }
}

async function fillingOf(service: Service, tenant: Tenant, member: string, token: string): Promise<Filling> {
  return {
    domain_id: tenant.domain_id,
    domain_name: tenant.name,
    workspace_id: tenant.alpha,
    user_id: member,
    admin_id: tenant.admin,
    opaque_id: await opaqueId(service, tenant, member),
    role_id: 'managed-workspace-member',
    email: member,
    password: PASSWORD,
    token,
  };
}
