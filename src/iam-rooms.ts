import type { AccountRooms } from './account-rooms.js';
import type { Cipher } from './cipher.js';
import type { Clock } from './clock.js';
import type { Config } from './config.js';
import type { AccountLookup } from './managers/account-lookup.js';
import type { Accounts } from './managers/accounts.js';
import { Administration } from './managers/administration.js';
import type { Admission } from './managers/admission.js';
import { DomainDirectory } from './managers/domain-directory.js';
import type { DomainStates } from './managers/domain-states.js';
import { IamProof } from './managers/iam-proof.js';
import { IamSignIn } from './managers/iam-sign-in.js';
import { IssuedTokens } from './managers/issued-tokens.js';
import { LastAdministrator } from './managers/last-administrator.js';
import { ManagedUsers } from './managers/managed-users.js';
import type { Mfa } from './managers/mfa.js';
import type { MyWorkspaces } from './managers/my-workspaces.js';
import type { PasswordCheck } from './managers/password-check.js';
import type { PasswordPolicy } from './managers/password-policy.js';
import { Receipts } from './managers/receipts.js';
import type { Revocations } from './managers/revocations.js';
import type { RoleStates } from './managers/role-states.js';
import { ScopeChoice } from './managers/scope-choice.js';
import type { ScopedTokens } from './managers/scoped-tokens.js';
import type { Sessions } from './managers/sessions.js';
import type { SignInGuard } from './managers/sign-in-guard.js';
import { SignInReach } from './managers/sign-in-reach.js';
import { UserCreation } from './managers/user-creation.js';
import { UserDirectory } from './managers/user-directory.js';
import { UserRemoval } from './managers/user-removal.js';
import { WorkspaceDirectory } from './managers/workspace-directory.js';
import type { Rooms } from './rooms.js';

/** Rooms that serve the IAM systems alone. */
export interface IamRooms {
  administration: Administration;
  userCreation: UserCreation;
  managedUsers: ManagedUsers;
  userRemoval: UserRemoval;
  userDirectory: UserDirectory;
  iamSignIn: IamSignIn;
  issued: IssuedTokens;
  signInReach: SignInReach;
  domainDirectory: DomainDirectory;
  workspaceDirectory: WorkspaceDirectory;
}

/** What the rooms of the IAM systems share with the others. */
interface Shared extends Pick<Rooms, 'mongo' | 'models' | 'audit'>, AccountRooms {
  config: Config;
  clock: Clock;
  cipher: Cipher;
  accounts: Accounts;
  guard: SignInGuard;
  states: DomainStates;
  sessions: Sessions;
  roleStates: RoleStates;
  revocations: Revocations;
  policy: PasswordPolicy;
  mfa: Mfa;
  lookup: AccountLookup;
  admission: Admission;
  check: PasswordCheck;
  scoped: ScopedTokens;
  mine: MyWorkspaces;
}

/** Makes the rooms of the IAM systems. */
export function createIamRooms(shared: Shared): IamRooms {
  const { config, clock, mongo, models, audit, accounts, states, sessions, scoped, policy } = shared;
  const { users, roles, workspaces, domains, codes, links, pages } = models;
  const { lookup, admission, check, mfa } = shared;
  const { changes, newPasswords, ownPasswords, newAddresses, userRoles } = shared;
  const administration = new Administration(users, shared.roleStates, states);
  const receipts = new Receipts(shared.cipher, clock);
  const proof = new IamProof(lookup, admission, check, mfa, receipts);
  const choice = new ScopeChoice(workspaces, states);
  const last = new LastAdministrator(users, domains, roles);
  const settling = [shared.guard, sessions, last, audit] as const;
  return {
    administration,
    userCreation: new UserCreation(mongo, users, accounts, states, audit),
    managedUsers: new ManagedUsers(mongo, changes, newPasswords, ownPasswords, newAddresses, ...settling),
    userRemoval: new UserRemoval(mongo, users, userRoles, codes, links, states, ...settling),
    userDirectory: new UserDirectory(pages, states, policy),
    iamSignIn: new IamSignIn(proof, states, choice, scoped, sessions, policy, clock, {
      accessSeconds: config.ACCESS_TOKEN_SECONDS,
    }),
    issued: new IssuedTokens(users, states, scoped, sessions, shared.revocations, administration),
    signInReach: new SignInReach(users, states, shared.mine),
    domainDirectory: new DomainDirectory(domains, administration),
    workspaceDirectory: new WorkspaceDirectory(workspaces, users, domains, administration),
  };
}
