import type { Clock } from '../clock.js';
import { secondsAfter } from '../clock.js';
import type { Reach } from '../connectors/mongo.js';
import { IdentityError, requiredParameter } from '../errors.js';
import type { PasswordLinks } from '../models/password-link.js';
import type { User } from '../models/user.js';
import { checkPasswordFormat } from '../password.js';
import { ofUser } from './audit.js';
import { assertKeptHere } from './new-passwords.js';
import type { NewPassword, NewPasswords, ReadyPassword } from './new-passwords.js';
import type { Caller } from './sessions.js';
import type { SignInGuard } from './sign-in-guard.js';

/** Somebody who changes their own account, and the account as it was when their session was looked at. */
export type Owner = Caller & { account: User };

/** What allows to set a password. */
type PasswordWay = 'CURRENT_PASSWORD' | 'RECENT_SIGN_IN' | 'REQUIRED_ACTION' | 'LINK';

/** A password that an owner chose. */
interface Chosen extends Pick<NewPassword, 'password' | 'field' | 'mustChange'> {
  /** Names that it must not be. */
  names?: readonly string[];
}

/** What a password is changed with that has to be proven first. */
interface Proof {
  peer: string;
  currentPassword: string | undefined;
}

/** People setting a password of their own, whatever allows them to and whatever they change with it. */
export class OwnPasswords {
  constructor(
    private readonly links: PasswordLinks,
    private readonly newPasswords: NewPasswords,
    private readonly guard: SignInGuard,
    private readonly clock: Clock,
    private readonly settings: { recentSeconds: number },
  ) {}

  /**
   * Without the current one: whoever finds a session open does not get the account with it, so it needs a recent sign-in
   * or a pending UPDATE_PASSWORD (upstream-defects.md 5, row 2).
   * @throws IdentityError ERROR_REQUIRED_PARAMETER(current_password), or a broken password rule.
   */
  async recent(reach: Reach, owner: Owner, chosen: Chosen): Promise<ReadyPassword> {
    assertKeptHere(owner.account, chosen.field);
    this.#assertRecent(owner);
    check(chosen);
    return this.#ready(reach, owner, chosen, withoutCurrent(owner) ?? 'RECENT_SIGN_IN');
  }

  /**
   * With the current one, or because of a pending UPDATE_PASSWORD, be it one that the token brings along.
   * @throws IdentityError in the order of contract/behaviour.md 2.2; ERROR_LOGIN_BLOCKED after too many guesses.
   */
  async demanded(reach: Reach, owner: Owner, chosen: Chosen, proof: Proof): Promise<ReadyPassword> {
    const { account } = owner;
    assertKeptHere(account, chosen.field);
    const pending = [...account.required_actions, ...owner.required_actions].includes('UPDATE_PASSWORD');
    if (!pending && !proof.currentPassword) throw requiredParameter('current_password');
    if (!pending) return this.proven(reach, owner, chosen, proof);
    check(chosen);
    return this.#ready(reach, owner, chosen, withoutCurrent(owner) ?? 'CURRENT_PASSWORD');
  }

  /**
   * With the current one, whatever is pending.
   * @throws IdentityError ERROR_PASSWORD_NOT_MATCHED, ERROR_LOGIN_BLOCKED, a broken password rule.
   */
  async proven(
    reach: Reach,
    owner: Owner,
    chosen: Chosen,
    { peer, currentPassword = '' }: Proof,
  ): Promise<ReadyPassword> {
    const { account } = owner;
    const { domain_id, user_id } = account;
    assertKeptHere(account, chosen.field);
    check(chosen);
    const about = { action: 'password.change', detail: { way: 'CURRENT_PASSWORD' } } as const;
    await this.guard.proof(reach, { domain_id, user_id, peer }, about, async () => {
      if (!(await this.newPasswords.isCurrent(reach, account, currentPassword)))
        throw new IdentityError('ERROR_PASSWORD_NOT_MATCHED', { user_id });
    });
    return this.#ready(reach, owner, { ...chosen, current: currentPassword }, 'CURRENT_PASSWORD');
  }

  async #ready(reach: Reach, owner: Owner, given: NewPassword, way: PasswordWay): Promise<ReadyPassword> {
    const { account, link } = owner;
    return {
      change: await this.newPasswords.change(reach, account, given),
      settle: async (tx) => {
        // A link is used once, and dead after any change of the password (D-10).
        if (link && !(await this.links.consume(tx, account, link)))
          throw new IdentityError('ERROR_AUTHENTICATE_FAILURE', { message: 'The link was used before.' });
        await this.newPasswords.settle(tx, account);
        return ofUser('password.change', account, { detail: { way } });
      },
    };
  }

  #assertRecent({ account, signed_in_at }: Owner): void {
    const since = secondsAfter(this.clock.now(), -this.settings.recentSeconds);
    if (account.required_actions.includes('UPDATE_PASSWORD') || signed_in_at >= since) return;
    const key = 'current_password';
    const hint = 'The sign-in is too old to set a password here: use UserProfile.update_password.';
    throw new IdentityError('ERROR_REQUIRED_PARAMETER', { key }, [{ field: key, description: hint }], {
      hint,
    });
  }
}

function check({ password, field, names }: Chosen): void {
  checkPasswordFormat(password, field, names);
}

/** Without the current password: with a link, or because it has to be changed. */
function withoutCurrent({ account, link }: Owner): PasswordWay | undefined {
  if (link) return 'LINK';
  return account.required_actions.includes('UPDATE_PASSWORD') ? 'REQUIRED_ACTION' : undefined;
}
