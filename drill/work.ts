import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { WireClient } from '../test/wire-client.js';
import type { Stack } from './stack.js';

/** What became of a call: when it ended, after how long, and with which status. */
export interface Ended {
  at: number;
  ms: number;
  code: status;
  reason: string;
  write: boolean;
}

/** Every write that was tried, and what its caller was told. */
export class Ledger {
  readonly calls: Ended[] = [];
  /** Users whose making was acknowledged. */
  readonly created = new Set<string>();
  /** Names of users: the last one that was acknowledged, and those that were tried after it. */
  readonly names = new Map<string, { sure: string; maybe: Set<string> }>();
  readonly passwords = new Map<string, { sure: string; maybe: Set<string> }>();

  get acknowledged(): number {
    return this.calls.filter(({ code, write }) => write && code === status.OK).length;
  }

  get refused(): Ended[] {
    return this.calls.filter(({ code }) => code !== status.OK);
  }

  /** Refusals by status, in words. */
  get refusals(): string {
    const counts = new Map<string, number>();
    for (const { code } of this.refused) counts.set(status[code], (counts.get(status[code]) ?? 0) + 1);
    return [...counts].map(([code, count]) => `${count} ${code}`).join(', ') || 'no refusal';
  }

  /** Time from then to the first acknowledged write, or undefined when there was none. */
  recoveryMs(from: number): number | undefined {
    const first = this.calls.find(
      ({ at, ms, code, write }) => write && code === status.OK && at - ms >= from,
    );
    return first && first.at - from;
  }

  /** The longest that a caller waited for an answer since then, in milliseconds. */
  slowestMs(from: number, to: number): number {
    return Math.max(0, ...this.calls.filter(({ at }) => at >= from && at <= to).map(({ ms }) => ms));
  }
}

/** How the work is done. */
export interface WorkOptions {
  /** Deadline of every call. */
  deadlineMs?: number;
  /** Rest of each worker between two calls. */
  pauseMs?: number;
  /** The share of new users that are invited by mail. */
  invited?: number;
  creators?: number;
}

export const PASSWORDS = ['Passw0rd!', 'An0therPass!'] as const;
const MEMBER_ROLE = 'managed-workspace-member';

/**
 * Writes and reads as clients do, through the edge: users are made and invited, profiles and passwords changed,
 * lists read. All of it is put down in the ledger.
 */
export class Work {
  readonly ledger = new Ledger();
  readonly #clients: WireClient[] = [];
  #over = false;
  #count = 0;
  #lanes: Promise<void>[] = [];

  constructor(
    private readonly stack: Stack,
    private readonly options: WorkOptions = {},
  ) {}

  /** Signs in and begins. */
  async start(): Promise<this> {
    const { creators = 3 } = this.options;
    const client = this.#client();
    const owner = await this.signIn(client, this.stack.seeded.owner);
    const token = await this.#workspaceToken(client, owner.refresh_token);
    const changed = await this.signIn(client, seededUser(10));
    for (let lane = 0; lane < creators; lane += 1) this.#lane((wire) => this.#create(wire, token));
    this.#lane((wire) => this.#rename(wire, seededUser(10), changed.access_token));
    let session = await this.signIn(client, seededUser(11));
    this.#lane(async (wire) => {
      session = await this.#changePassword(wire, seededUser(11), session);
    });
    this.#lane((wire) => this.#read(wire, token));
    return this;
  }

  /** Lets what is under way end, and stops. */
  async stop(): Promise<Ledger> {
    this.#over = true;
    await Promise.all(this.#lanes);
    for (const client of this.#clients) client.close();
    return this.ledger;
  }

  #client(): WireClient {
    const client = new WireClient(this.stack.edge, { 'grpc.use_local_subchannel_pool': 1 });
    this.#clients.push(client);
    return client;
  }

  #lane(once: (client: WireClient) => Promise<unknown>): void {
    const client = this.#client();
    const run = async () => {
      while (!this.#over) {
        await once(client);
        await sleep(this.options.pauseMs ?? 25);
      }
    };
    this.#lanes.push(run());
  }

  /** One call, put down in the ledger; answers undefined when it was refused. */
  async #call(
    client: WireClient,
    method: string,
    request: object,
    token: string | undefined,
    write: boolean,
  ): Promise<Record<string, string> | undefined> {
    const { deadlineMs = 10_000 } = this.options;
    const started = Date.now();
    const put = (code: status, text: string) => {
      const at = Date.now();
      this.ledger.calls.push({ at, ms: at - started, code, reason: text.split(':')[0]!, write });
    };
    try {
      const answer = await client.call(method, request, token, {}, { deadline: started + deadlineMs });
      put(status.OK, '');
      return answer;
    } catch (error) {
      put((error as ServiceError).code, (error as ServiceError).details);
      await sleep(50);
      return undefined;
    }
  }

  async #create(client: WireClient, token: string): Promise<void> {
    const at = (this.#count += 1);
    const invited = at % 10 < (this.options.invited ?? 0.2) * 10;
    const user_id = `${invited ? 'invited' : 'made'}-${String(at).padStart(6, '0')}@drill.example`;
    const account = { user_id, name: user_id, email: user_id, auth_type: 'LOCAL', role_id: MEMBER_ROLE };
    const entry = invited ? { reset_password: true } : { password: PASSWORDS[0] };
    if (await this.#call(client, 'WorkspaceUser.create', { ...account, ...entry }, token, true))
      this.ledger.created.add(user_id);
  }

  async #rename(client: WireClient, user_id: string, token: string): Promise<void> {
    const name = `name ${(this.#count += 1)}`;
    const known = this.ledger.names.get(user_id) ?? { sure: '', maybe: new Set() };
    known.maybe.add(name);
    this.ledger.names.set(user_id, known);
    if (await this.#call(client, 'UserProfile.update', { name }, token, true))
      this.ledger.names.set(user_id, { sure: name, maybe: new Set() });
  }

  /** Sets the other password and signs in with it; after a call of which nobody knows, with whichever is right. */
  async #changePassword(client: WireClient, user_id: string, session: Session): Promise<Session> {
    const current_password = this.ledger.passwords.get(user_id)?.sure ?? PASSWORDS[0];
    const new_password = PASSWORDS.find((one) => one !== current_password)!;
    const request = { current_password, new_password };
    this.ledger.passwords.set(user_id, { sure: current_password, maybe: new Set([new_password]) });
    if (await this.#call(client, 'UserProfile.update_password', request, session.access_token, true))
      this.ledger.passwords.set(user_id, { sure: new_password, maybe: new Set() });
    while (!this.#over) {
      for (const password of [this.ledger.passwords.get(user_id)!.sure, ...PASSWORDS]) {
        const signedIn = await this.signIn(client, user_id, password).catch((error: ServiceError) => error);
        if ('access_token' in signedIn) {
          this.ledger.passwords.set(user_id, { sure: password, maybe: new Set() });
          return signedIn;
        }
        if (signedIn.code !== status.UNAUTHENTICATED) break;
      }
      await sleep(250);
    }
    return session;
  }

  async #read(client: WireClient, token: string): Promise<void> {
    const request = { query: { page: { start: 1, limit: 20 } } };
    await this.#call(client, 'WorkspaceUser.list', request, token, false);
  }

  /** @throws ServiceError. */
  signIn(client: WireClient, user_id: string, password: string = PASSWORDS[0]): Promise<Session> {
    return issue(client, this.stack, user_id, password);
  }

  async #workspaceToken(client: WireClient, token: string): Promise<string> {
    return workspaceToken(client, this.stack, token);
  }
}

/** What a sign-in gives. */
export interface Session {
  access_token: string;
  refresh_token: string;
}

/** A user that bench/seed.ts makes; the first ones own the workspaces. */
export function seededUser(at: number): string {
  return `user${String(at).padStart(6, '0')}@example.com`;
}

/** Signs in for a day. */
export function issue(
  client: WireClient,
  { seeded }: Stack,
  user_id: string,
  password: string = PASSWORDS[0],
): Promise<Session> {
  const credentials = { user_id, password };
  const request = { credentials, auth_type: 'LOCAL', domain_id: seeded.domain_id, timeout: 86_400 };
  return client.call('Token.issue', request, undefined, {}, { deadline: Date.now() + 10_000 });
}

/** A token of the workspace's owner for a day. */
export async function workspaceToken(client: WireClient, { seeded }: Stack, token: string): Promise<string> {
  const { workspace_id } = seeded;
  const scope = { scope: 'WORKSPACE', workspace_id, timeout: 86_400 };
  return (await client.call('Token.grant', { grant_type: 'REFRESH_TOKEN', token, ...scope })).access_token;
}
