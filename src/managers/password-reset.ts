import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { Mongo, Origin, Reach, Tx } from '../connectors/mongo.js';
import { IdentityError } from '../errors.js';
import type { Reason } from '../errors.js';
import type { Domain } from '../models/domain.js';
import type { User, UserKey, Users } from '../models/user.js';
import { userNotFound } from '../models/user.js';
import type { Accounts } from './accounts.js';
import { ofUser } from './audit.js';
import type { Audit, AuditEntry } from './audit.js';
import type { DomainStates } from './domain-states.js';
import type { Mails } from './mail.js';
import { provenAddress } from './proven-address.js';
import type { SignInGuard } from './sign-in-guard.js';
import type { TemporaryPasswords } from './temporary-passwords.js';

export interface ResetSettings {
  type: 'ACCESS_TOKEN' | 'PASSWORD';
  /** Say why nothing is sent, as the reference does. */
  strict: boolean;
  seconds: number;
}

/** Work behind the answers: little at a time and not at once, so that it does not show in the time of other calls. */
const AT_A_TIME = 2;
const DELAY_MS = 50;
const SPREAD_MS = 150;
const MOST_WAITING = 1000;
const WORK_MS = 10_000;

/** Forgotten passwords (contract/behaviour.md 2.5). */
export class PasswordReset {
  readonly #queue = new PQueue({ concurrency: AT_A_TIME });
  /** Requests that are still at work after their answer, by user; awaited at shutdown. */
  readonly #waiting = new Map<string, Promise<void>>();

  constructor(
    private readonly mongo: Mongo,
    private readonly users: Users,
    private readonly states: DomainStates,
    private readonly accounts: Accounts,
    private readonly mails: Mails,
    private readonly temporary: TemporaryPasswords,
    private readonly guard: SignInGuard,
    private readonly audit: Audit,
    private readonly settings: ResetSettings,
    private readonly log: { error(fields: object, message: string): void },
  ) {}

  /**
   * Mails a link (or a temporary password) to the stored, proven address, and answers the same in the same time
   * whoever is asked for (D-07, D-09).
   * @throws IdentityError ERROR_TOO_MANY_REQUESTS when the address asks too often; the reason for sending nothing,
   * only when `strict` is set.
   */
  async request(reach: Reach, key: UserKey, peer: string): Promise<void> {
    await this.guard.request(reach, 'password-reset', peer);
    if (this.settings.strict) return this.#send(reach, key);
    const id = `${key.domain_id}/${key.user_id}`;
    // One mail is enough for all who ask for the same user before it is made: it would replace the others.
    if (this.#waiting.has(id)) return;
    if (this.#waiting.size >= MOST_WAITING) {
      throw new IdentityError('ERROR_TOO_MANY_REQUESTS', { reason: 'password resets' });
    }
    this.#waiting.set(id, this.#sendLater(id, key, reach.call));
  }

  /** Waits for what is still at work. */
  async settled(): Promise<void> {
    await Promise.all(this.#waiting.values());
    await this.#queue.onIdle();
  }

  /** The answer does not wait for the work, so that its time tells nothing. */
  async #sendLater(id: string, key: UserKey, call: Origin | undefined): Promise<void> {
    await sleep(DELAY_MS + Math.random() * SPREAD_MS);
    await this.#queue.add(async () => {
      this.#waiting.delete(id);
      try {
        await this.#send({ deadline: Date.now() + WORK_MS, call }, key);
      } catch (error) {
        if (!(error instanceof IdentityError))
          this.log.error({ cause: (error as Error).name }, 'password reset failed');
      }
    });
  }

  async #send(reach: Reach, key: UserKey): Promise<void> {
    const [domain, user] = await Promise.all([
      this.states.domain(reach, key.domain_id),
      this.users.find(reach, key),
    ]);
    const refusal = refusalOf(domain, user, key);
    if (refusal) {
      // Of an unknown domain nobody is the administrator.
      if (domain) await this.audit.refused(reach, resetOf(key.domain_id, user, refusal.reason));
      throw refusal;
    }
    await this.mongo.transaction(reach, async (tx) => {
      const mailed = await this.#mail(tx, domain!, user!);
      const reason = mailed ? undefined : ('ERROR_TOO_MANY_REQUESTS' as const);
      await this.audit.record(tx, resetOf(key.domain_id, user, reason));
    });
  }

  /** False when the mail limit is reached. */
  #mail(tx: Tx, domain: Domain, user: User): Promise<boolean> {
    return this.settings.type === 'PASSWORD'
      ? this.#mailPassword(tx, domain, user)
      : this.accounts.mailLink(tx, domain, user, 'reset_pwd_link_when_pw_forgotten', true);
  }

  /** The old password stays good until the mailed one is used (D-09). */
  async #mailPassword(tx: Tx, domain: Domain, user: User): Promise<boolean> {
    const { plain, kept } = this.temporary.make(user, this.settings.seconds);
    const { expires_at } = kept;
    const console_link = this.mails.consoleLink(domain.name);
    const values = { temporary_password: plain, console_link, expires_at };
    const to = provenAddress(user)!;
    const { language } = user;
    const mail = {
      template: 'temp_pwd_when_pw_forgotten' as const,
      to,
      language,
      values,
      user,
      silent: true,
    };
    if (!(await this.mails.put(tx, mail))) return false;
    await this.users.update(tx, user, { $set: { temporary_password: kept } });
    return true;
  }
}

/** The entry for a request. A user id that nobody has is not kept: it may be a password in the wrong field. */
function resetOf(domain_id: string, user: User | undefined, reason: Reason | undefined): AuditEntry {
  return ofUser('password.reset', { domain_id, user_id: user?.user_id ?? '' }, { reason });
}

/** Why nothing is sent, in the order of contract/behaviour.md 2.5; disabled users and domains get nothing (D-09). */
function refusalOf(
  domain: Domain | undefined,
  user: User | undefined,
  key: UserKey,
): IdentityError | undefined {
  const { user_id } = key;
  if (!user || domain?.state !== 'ENABLED' || user.state === 'DISABLED') return userNotFound(key);
  if (user.auth_type === 'EXTERNAL') {
    return new IdentityError('ERROR_UNABLE_TO_RESET_PASSWORD_IN_EXTERNAL_AUTH', { user_id });
  }
  if (!user.email) return new IdentityError('ERROR_UNABLE_TO_RESET_PASSWORD_WITHOUT_EMAIL', { user_id });
  if (!provenAddress(user)) return new IdentityError('ERROR_VERIFICATION_UNAVAILABLE', { user_id });
  return undefined;
}
