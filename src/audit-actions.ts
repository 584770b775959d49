/** Everything that is recorded, with its meaning as docs/audit.md prints it. A new action is one line here. */
export const auditActions = {
  'system.init': 'The root domain was set up, or set up anew.',
  'domain.create': 'A domain was made.',
  'domain.update': 'Name or tags of a domain were changed.',
  'domain.enable': 'The users of a domain were let in.',
  'domain.disable': 'The users of a domain were kept out.',
  'domain.delete': 'A domain was deleted.',
  'user.create': 'A user was made, in a workspace or with a new domain.',
  'user.update': 'Fields of a user were changed, by the user or an administrator.',
  'user.rename': 'A user got another name to sign in with.',
  'user.enable': 'A user was let in, by an administrator or with the first sign-in.',
  'user.disable': 'A user was kept out.',
  'user.delete': 'A user was removed.',
  'user.sign_in': 'Somebody proved to be the user, or failed to.',
  'user.challenge': 'The password was right, and the second factor was asked for.',
  'user.lock': 'Too many wrong passwords or codes: none is taken from the user for a while.',
  'role.grant': 'A user got a role, in a workspace or in the whole domain.',
  'role.revoke': 'A user lost a role, with their removal.',
  'token.grant': 'A user got a token for a scope.',
  'token.revoke': 'A token was ended before its time.',
  'code.send': 'A code was mailed, or not because of the mail limit.',
  'code.confirm': 'A code came back, right or wrong.',
  'code.void': 'A code was guessed at too often and is good no more.',
  'email.change': 'A user has another address.',
  'email.verify': 'An address was proven to be the own one.',
  'password.change': 'A new password was set, or the current one that was given for it was wrong.',
  'password.adopt': 'A mailed password was used and took the place of the old one.',
  'password.reset': 'Somebody asked for a new password, and it was mailed or not.',
  'mfa.enable': 'The second factor was switched on.',
  'mfa.disable': 'The second factor was switched off.',
} as const satisfies Record<string, string>;

/** What was done. */
export type AuditAction = keyof typeof auditActions;

/** What it was done to. */
export type AuditTargetType = 'DOMAIN' | 'USER';
