import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import { createAccountRooms } from './account-rooms.js';
import { Cipher } from './cipher.js';
import type { Clock } from './clock.js';
import type { Config } from './config.js';
import { Mongo } from './connectors/mongo.js';
import { Smtp } from './connectors/smtp.js';
import { createIamRooms } from './iam-rooms.js';
import type { IamRooms } from './iam-rooms.js';
import { AccountLookup } from './managers/account-lookup.js';
import { Accounts } from './managers/accounts.js';
import { Admission } from './managers/admission.js';
import { Audit } from './managers/audit.js';
import { Codes } from './managers/codes.js';
import { DomainKeys } from './managers/domain-keys.js';
import { DomainStates } from './managers/domain-states.js';
import { Domains } from './managers/domains.js';
import { Grants } from './managers/grants.js';
import { Mails } from './managers/mail.js';
import { MailDelivery } from './managers/mail-delivery.js';
import { MailRenderer } from './managers/mail-renderer.js';
import { Mfa } from './managers/mfa.js';
import { MyWorkspaces } from './managers/my-workspaces.js';
import { PasswordCheck } from './managers/password-check.js';
import { PasswordPolicy } from './managers/password-policy.js';
import { PasswordReset } from './managers/password-reset.js';
import { Revocations } from './managers/revocations.js';
import { RoleStates } from './managers/role-states.js';
import { ScopedTokens } from './managers/scoped-tokens.js';
import { Sessions } from './managers/sessions.js';
import { SignInGuard } from './managers/sign-in-guard.js';
import { SignIn } from './managers/sign-in.js';
import { System } from './managers/system.js';
import { TemporaryPasswords } from './managers/temporary-passwords.js';
import { Tokens } from './managers/tokens.js';
import { UserProfiles } from './managers/user-profile.js';
import { WorkspaceUsers } from './managers/workspace-users.js';
import { AuditRecords } from './models/audit-record.js';
import { Domains as DomainModel } from './models/domain.js';
import { KeyCheck } from './models/key-check.js';
import { MailCounts } from './models/mail-count.js';
import { Members } from './models/members.js';
import { Outbox } from './models/outbox.js';
import { PasswordLinks } from './models/password-link.js';
import { PendingCodes } from './models/pending-code.js';
import { RevokedTokens } from './models/revoked-token.js';
import { RoleBindings } from './models/role-binding.js';
import { Roles } from './models/role.js';
import { SignInAttempts } from './models/sign-in-attempts.js';
import { Users } from './models/user.js';
import { UserPages } from './models/user-pages.js';
import { WorkspaceGroups } from './models/workspace-group.js';
import { Workspaces } from './models/workspace.js';
import { Passwords } from './password.js';

/** Everything that lives as long as the service. */
export interface Rooms extends IamRooms {
  mongo: Mongo;
  models: Models;
  audit: Audit;
  delivery: MailDelivery;
  accounts: Accounts;
  domains: Domains;
  system: System;
  signIn: SignIn;
  grants: Grants;
  sessions: Sessions;
  profiles: UserProfiles;
  mfa: Mfa;
  reset: PasswordReset;
  mine: MyWorkspaces;
  workspaceUsers: WorkspaceUsers;
  policy: PasswordPolicy;
  guard: SignInGuard;
}

export type Models = ReturnType<typeof createModels>;

function createModels(mongo: Mongo) {
  const users = new Users(mongo);
  const domains = new DomainModel(mongo);
  return {
    users,
    members: new Members(users),
    pages: new UserPages(users, domains),
    roles: new Roles(mongo),
    bindings: new RoleBindings(mongo),
    workspaces: new Workspaces(mongo),
    groups: new WorkspaceGroups(mongo),
    domains,
    links: new PasswordLinks(mongo),
    codes: new PendingCodes(mongo),
    revoked: new RevokedTokens(mongo),
    attempts: new SignInAttempts(mongo),
    outbox: new Outbox(mongo),
    mailCounts: new MailCounts(mongo),
    auditRecords: new AuditRecords(mongo),
  };
}

/** What writes mails and what sends them. */
function createMail(models: Models, cipher: Cipher, config: Config, clock: Clock, log: Logger) {
  const smtp = new Smtp(config.SMTP_URL, config.MAIL_BATCH);
  const renderer = new MailRenderer(config);
  const delivery = new MailDelivery(models.outbox, cipher, renderer, smtp, config, clock, log);
  const mails = new Mails(models.outbox, models.mailCounts, cipher, config, clock, delivery);
  return { delivery, mails };
}

/** What makes domains, the first one included. */
function createDomains(shared: {
  config: Config;
  clock: Clock;
  mongo: Mongo;
  models: Models;
  cipher: Cipher;
  accounts: Accounts;
  states: DomainStates;
  keys: DomainKeys;
  tokens: Tokens;
  audit: Audit;
}) {
  const { config, clock, mongo, models, cipher, accounts, states, keys, tokens, audit } = shared;
  const { users, roles, bindings } = models;
  const settings = { maxRows: config.PAGE_LIMIT };
  const secret = { bootstrapSecret: config.BOOTSTRAP_SECRET };
  const equal = (left: string, right: string) => cipher.equal(left, right);
  const domains = new Domains(
    mongo,
    models.domains,
    roles,
    bindings,
    accounts,
    keys,
    tokens,
    states,
    audit,
    clock,
    settings,
  );
  const system = new System(
    mongo,
    models.domains,
    users,
    bindings,
    domains,
    keys,
    tokens,
    audit,
    secret,
    equal,
  );
  return { domains, system };
}

/** What counts attempts at accounts. */
function createGuard(
  mongo: Mongo,
  models: Models,
  cipher: Cipher,
  audit: Audit,
  config: Config,
  clock: Clock,
): SignInGuard {
  return new SignInGuard(mongo, models.attempts, cipher, audit, clock, {
    attempts: config.SIGN_IN_ATTEMPTS,
    attemptsPerPeer: config.SIGN_IN_ATTEMPTS_PER_PEER,
    windowSeconds: config.SIGN_IN_WINDOW_SECONDS,
  });
}

/** Makes every room of the service once and hands each what it needs; nothing else does. */
export function createRooms(config: Config, clock: Clock, log: Logger): Rooms {
  const { MONGODB_URI: uri, MONGODB_POOL_SIZE: poolSize, DATABASE_TIMEOUT_MS: timeoutMs } = config;
  const mongo = new Mongo({ uri, poolSize, timeoutMs }, log);
  const models = createModels(mongo);
  const { AUDIT_DAYS: days, PAGE_LIMIT: maxRows } = config;
  const audit = new Audit(models.auditRecords, clock, { days, maxRows });
  const { users, roles, workspaces, links } = models;
  const cipher = new Cipher(config.SERVICE_KEY);
  const keyCheck = new KeyCheck(mongo, cipher);
  mongo.beforeUse(() => keyCheck.assertSame());
  const passwords = new Passwords(config.BCRYPT_COST, {
    // More would only take the processor from the calls that hash nothing.
    concurrency: availableParallelism(),
    maxWaitMs: config.HASH_QUEUE_MS,
  });
  const temporary = new TemporaryPasswords(cipher, clock);

  const { delivery, mails } = createMail(models, cipher, config, clock, log);
  const states = new DomainStates(models.domains, workspaces, { cacheMs: config.DOMAIN_CACHE_MS });
  const roleStates = new RoleStates(roles, { cacheMs: config.DOMAIN_CACHE_MS });
  const keys = new DomainKeys(models.domains, cipher, { cacheSeconds: config.KEY_CACHE_SECONDS });
  const tokens = new Tokens(keys, clock);
  const { USER_CACHE_MS: cacheMs } = config;
  const revocations = new Revocations(mongo, models.revoked, audit, { cacheMs });
  const sessions = new Sessions(tokens, users, links, states, roleStates, revocations, { cacheMs });
  const policy = new PasswordPolicy(clock, { validDays: config.PASSWORD_VALID_DAYS });
  const guard = createGuard(mongo, models, cipher, audit, config, clock);
  const codes = new Codes(mongo, models.codes, mails, cipher, audit, clock, {
    attempts: config.CODE_ATTEMPTS,
    emailSeconds: config.EMAIL_CODE_SECONDS,
    mfaSeconds: config.MFA_CODE_SECONDS,
  });
  const mfa = new Mfa(mongo, users, codes, mails, guard, sessions, audit, cipher, clock, {
    issuer: config.MFA_ISSUER,
  });
  const signInSettings = {
    accessSeconds: config.ACCESS_TOKEN_SECONDS,
    accessMaxSeconds: config.ACCESS_TOKEN_MAX_SECONDS,
    refreshSeconds: config.REFRESH_TOKEN_SECONDS,
  };
  const accountRooms = createAccountRooms({ config, clock, models, passwords, mails, codes, guard });
  const { changes, ownPasswords, newAddresses } = accountRooms;
  const check = new PasswordCheck(mongo, users, changes, passwords, temporary, sessions, audit, clock);
  const admission = new Admission(mongo, users, guard, policy, audit, clock);
  const lookup = new AccountLookup(users, states);
  const door = { lookup, admission, check };
  const mine = new MyWorkspaces(users, roles, workspaces, models.groups);
  const scoped = new ScopedTokens(users, roleStates, workspaces, tokens, audit, clock);
  const accounts = new Accounts(users, links, passwords, temporary, tokens, mails, clock, {
    defaultLanguage: config.DEFAULT_LANGUAGE,
    resetPasswordType: config.RESET_PASSWORD_TYPE,
    resetLinkSeconds: config.RESET_LINK_SECONDS,
    invitationSeconds: config.INVITATION_SECONDS,
    forceUpdate: config.FORCE_PASSWORD_CHANGE,
  });
  const shared = {
    config,
    clock,
    mongo,
    models,
    cipher,
    accounts,
    ...accountRooms,
    guard,
    states,
    tokens,
    sessions,
    audit,
  };
  return {
    ...createIamRooms({ ...shared, ...door, roleStates, revocations, policy, mfa, scoped, mine }),
    ...createDomains({ ...shared, keys }),
    mongo,
    models,
    audit,
    guard,
    policy,
    delivery,
    accounts,
    sessions,
    mfa,
    signIn: new SignIn(lookup, admission, states, check, mfa, tokens, policy, signInSettings),
    grants: new Grants(states, tokens, scoped, sessions, policy, signInSettings),
    profiles: new UserProfiles(mongo, changes, ownPasswords, newAddresses, codes, guard, sessions, audit),
    reset: new PasswordReset(
      mongo,
      users,
      states,
      accounts,
      mails,
      temporary,
      guard,
      audit,
      {
        type: config.RESET_PASSWORD_TYPE,
        strict: config.RESET_PASSWORD_STRICT,
        seconds: config.RESET_LINK_SECONDS,
      },
      log,
    ),
    mine,
    workspaceUsers: new WorkspaceUsers(
      mongo,
      users,
      models.members,
      roles,
      accountRooms.userRoles,
      workspaces,
      accounts,
      states,
      audit,
      clock,
      { maxRows, findWithoutKeyword: config.FIND_WITHOUT_KEYWORD },
    ),
  };
}
