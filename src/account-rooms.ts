import type { Clock } from './clock.js';
import type { Config } from './config.js';
import { AccountChanges } from './managers/account-changes.js';
import type { Codes } from './managers/codes.js';
import type { Mails } from './managers/mail.js';
import { NewAddresses } from './managers/new-addresses.js';
import { NewPasswords } from './managers/new-passwords.js';
import { OwnPasswords } from './managers/own-passwords.js';
import type { SignInGuard } from './managers/sign-in-guard.js';
import { UserRoles } from './managers/user-roles.js';
import type { Passwords } from './password.js';
import type { Models } from './rooms.js';

/** Rooms through which accounts change, whoever changes them. */
export interface AccountRooms {
  changes: AccountChanges;
  newPasswords: NewPasswords;
  ownPasswords: OwnPasswords;
  newAddresses: NewAddresses;
  userRoles: UserRoles;
}

/** Makes the rooms through which accounts change. */
export function createAccountRooms(shared: {
  config: Config;
  clock: Clock;
  models: Models;
  passwords: Passwords;
  mails: Mails;
  codes: Codes;
  guard: SignInGuard;
}): AccountRooms {
  const { config, clock, models, passwords, mails, codes, guard } = shared;
  const { users, links, bindings, workspaces, groups, domains } = models;
  const newPasswords = new NewPasswords(users, links, passwords, mails, clock, {
    forceUpdate: config.FORCE_PASSWORD_CHANGE,
  });
  return {
    changes: new AccountChanges(users, models.codes, clock),
    newPasswords,
    ownPasswords: new OwnPasswords(links, newPasswords, guard, clock, {
      recentSeconds: config.RECENT_SIGN_IN_SECONDS,
    }),
    newAddresses: new NewAddresses(codes, mails, clock),
    userRoles: new UserRoles(bindings, workspaces, groups, domains),
  };
}
