/** Everything that is recorded, with its meaning as docs/audit.md prints it. A new action is one line here. */
export const auditActions = {
  'system.init': 'The root domain was set up, or set up anew.',
  'domain.create': 'A domain was made.',
  'domain.update': 'Name or tags of a domain were changed.',
  'domain.enable': 'The users of a domain were let in.',
  'domain.disable': 'The users of a domain were kept out.',
  'domain.delete': 'A domain was deleted.',
  'user.create': 'A user was made, in a workspace or with a new domain.',
  'role.grant': 'A user got a role, in a workspace or in the whole domain.',
  'password.reset': 'Somebody asked for a new password, and it was mailed or not.',
} as const satisfies Record<string, string>;

/** What was done. */
export type AuditAction = keyof typeof auditActions;

/** What it was done to. */
export type AuditTargetType = 'DOMAIN' | 'USER';
