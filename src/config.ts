import { z } from 'zod';
import type { Mailbox } from './email-address.js';
import { parseMailbox } from './email-address.js';
import { addressRanges, flag, oneOf, optionalFile, text, whole } from './setting.js';
import type { Setting } from './setting.js';

const serviceKey: Setting<Buffer> = {
  type: '32 bytes in base64',
  meaning:
    'Key that encrypts private keys, OTP secrets and queued mails and signs stored codes. Losing it makes all of these unreadable.',
  fallback: undefined,
  schema: z
    .string()
    .transform((value) => Buffer.from(value, 'base64'))
    .refine((value) => value.length === 32, 'must be 32 bytes in base64 (openssl rand -base64 32)'),
};

const mongoUri: Setting<string> = {
  type: 'mongodb:// or mongodb+srv:// address',
  meaning:
    'Address of the MongoDB replica set, with the database name in its path; without one it is identity.',
  fallback: undefined,
  schema: z.string().regex(/^mongodb(\+srv)?:\/\//, 'must start with mongodb:// or mongodb+srv://'),
};

const smtpUrl: Setting<string> = {
  type: 'smtp:// or smtps:// address',
  meaning: 'Mail server, as smtp://user:password@host:port or smtps://…',
  fallback: 'smtp://127.0.0.1:1025',
  schema: z
    .string()
    .refine(
      (value) => /^smtps?:$/.test(parsedUrl(value)?.protocol ?? '') && parsedUrl(value)?.hostname,
      'must be an smtp:// or smtps:// address with a host',
    ),
};

const sender: Setting<Mailbox> = {
  type: 'address, or name <address>',
  meaning: 'Sender of every mail.',
  fallback: 'Identity <no-reply@localhost.localdomain>',
  schema: z.string().transform((value, context) => {
    const mailbox = parseMailbox(value);
    if (!mailbox) context.addIssue('must be an address, or a name and an address in <>');
    return mailbox ?? z.NEVER;
  }),
};

/** An address that mails may link to; `{domain_name}` stands for a name. */
const webLink = (fallback: string, meaning: string): Setting<string> => ({
  type: 'http:// or https:// address',
  meaning,
  fallback,
  schema: z
    .string()
    .refine(
      (value) => /^https?:$/.test(parsedUrl(value.replaceAll('{domain_name}', 'example'))?.protocol ?? ''),
      'must be an http:// or https:// address',
    ),
});

/** Where callers reach the REST edge: links and the catalog start with it, so it ends without a slash. */
const publicUrl: Setting<string> = {
  type: 'http:// or https:// address',
  meaning:
    'Address at which callers reach the REST edge; links and the catalog of the IAM systems start with it.',
  fallback: 'http://127.0.0.1:8080',
  schema: z
    .string()
    .transform((value) => value.replace(/\/+$/, ''))
    .refine((value) => {
      const url = parsedUrl(value);
      return url !== undefined && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username;
    }, 'must be an http:// or https:// address without query'),
};

const color: Setting<string> = {
  type: 'colour as #rrggbb',
  meaning: 'Colour of buttons in mails.',
  fallback: '#3949ab',
  schema: z.string().regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour such as #3949ab'),
};

/** All settings of the service, by their environment name. */
export const settings = {
  GRPC_HOST: text('127.0.0.1', 'Address the gRPC server listens on.'),
  GRPC_PORT: whole(50051, 0, 65535, 'Port of the gRPC server; 0 takes a free one.'),
  GRPC_TLS_CERT: optionalFile(
    'Certificate of the gRPC port and what leads to its authority, as PEM. With it the port speaks TLS alone, 1.2 or newer.',
  ),
  GRPC_TLS_KEY: optionalFile('Key of that certificate, as PEM.'),
  GRPC_TLS_CLIENT_CA: optionalFile(
    'Certificate of an authority, as PEM. With it the gRPC port takes only callers whose certificate it signed; let it sign for nobody but the edge.',
  ),
  GRPC_TLS_RELOAD_SECONDS: whole(
    60,
    1,
    86_400,
    'How often these files are looked at; renewed ones count for new connections.',
  ),
  MONGODB_URI: mongoUri,
  MONGODB_POOL_SIZE: whole(32, 1, 1000, 'Connections kept to the database.'),
  DATABASE_TIMEOUT_MS: whole(
    10_000,
    100,
    60_000,
    'Longest wait for a connection to the database; one that is silent for twice as long is given up. A call as a whole is bounded by REQUEST_TIMEOUT_MS.',
  ),
  REQUEST_TIMEOUT_MS: whole(
    30_000,
    100,
    600_000,
    'Longest time of one call; a shorter deadline of the caller wins.',
  ),
  SERVICE_KEY: serviceKey,
  BOOTSTRAP_SECRET: text(
    '-',
    'Secret that System.init accepts from another machine in the metadata key bootstrap-secret; `-` allows loopback callers only.',
  ),
  TRUSTED_PROXIES: addressRanges('127.0.0.1,::1', 'Peers whose x-forwarded-for header names the caller.'),
  LOG_LEVEL: oneOf(
    ['fatal', 'error', 'warn', 'info', 'debug', 'silent'],
    'info',
    'Lowest level that is logged.',
  ),
  SMTP_URL: smtpUrl,
  MAIL_FROM: sender,
  MAIL_BATCH: whole(10, 1, 100, 'Mails that one instance sends at the same time.'),
  MAIL_LIMIT_PER_HOUR: whole(
    20,
    1,
    10_000,
    'Codes and links mailed to one user in an hour; an unproven address takes five times as many codes.',
  ),
  ACCOUNTS_FILE: text('.data/accounts.json', 'Where `node dist/seed.js` writes the accounts it makes.'),
  BRAND_NAME: text('Identity', 'Service name in mails.'),
  BRAND_URL: webLink('https://identity.example.com', 'Link behind the service name in mails.'),
  BRAND_COLOR: color,
  SUPPORT_URL: webLink('https://identity.example.com/support', 'Link to help in the foot of mails.'),
  CONSOLE_URL: webLink(
    'https://{domain_name}.console.example.com',
    'Console address; {domain_name} is replaced. Links in mails start with it.',
  ),
  DEFAULT_LANGUAGE: oneOf(['en', 'ko', 'ja'], 'en', 'Language of users and mails for whom none is set.'),
  RESET_PASSWORD_TYPE: oneOf(
    ['ACCESS_TOKEN', 'PASSWORD'],
    'ACCESS_TOKEN',
    'Mail a link (ACCESS_TOKEN) or a temporary password (PASSWORD).',
  ),
  RESET_PASSWORD_STRICT: flag(
    false,
    'Let UserProfile.reset_password say why it sends nothing, as the reference does. Tells strangers who exists.',
  ),
  FORCE_PASSWORD_CHANGE: flag(
    false,
    'Make every user whose password somebody else chose change it after the first sign-in.',
  ),
  PUBLIC_URL: publicUrl,
  REGION: text('RegionOne', 'Region of the endpoints in the catalog of the IAM systems.'),
  IAM_EXPIRY_WITH_Z: flag(
    false,
    'Write password_expires_at of the IAM systems with Z, as their document prints it; strict Go clients fail on it.',
  ),
  PASSWORD_VALID_DAYS: whole(0, 0, 3650, 'Days after which a password has to be changed; 0 means never.'),
  MFA_ISSUER: text('Cloudforet', 'Issuer shown by authenticator apps.'),
  BCRYPT_COST: whole(12, 4, 16, 'Cost of password hashes; below 10 only for tests.'),
  HASH_QUEUE_MS: whole(
    6000,
    0,
    60_000,
    'Longest wait of a sign-in for its password, as estimated when it comes; longer ones are refused at once.',
  ),
  ACCESS_TOKEN_SECONDS: whole(1800, 60, 604_800, 'Life of an access token when the caller names no timeout.'),
  ACCESS_TOKEN_MAX_SECONDS: whole(
    604_800,
    60,
    604_800,
    'Longest life of an access token that a caller may ask for.',
  ),
  REFRESH_TOKEN_SECONDS: whole(10_800, 60, 2_419_200, 'Life of a refresh token.'),
  RESET_LINK_SECONDS: whole(3600, 60, 86_400, 'Life of a password reset link.'),
  INVITATION_SECONDS: whole(259_200, 60, 604_800, 'Life of the link mailed to a new user.'),
  EMAIL_CODE_SECONDS: whole(600, 60, 3600, 'Life of a code that proves an e-mail address.'),
  MFA_CODE_SECONDS: whole(300, 60, 600, 'Life of an MFA code.'),
  CODE_ATTEMPTS: whole(5, 1, 20, 'Guesses after which a code is dead.'),
  SIGN_IN_ATTEMPTS: whole(10, 1, 100, 'Wrong sign-ins of one user in a row before it is blocked.'),
  SIGN_IN_ATTEMPTS_PER_PEER: whole(
    1000,
    1,
    1_000_000,
    'Wrong sign-ins, and password resets asked for, from one address (IPv6: one /64 network) in the window before it is blocked.',
  ),
  SIGN_IN_WINDOW_SECONDS: whole(300, 1, 86_400, 'Window in which wrong sign-ins count, and time of a block.'),
  RECENT_SIGN_IN_SECONDS: whole(
    600,
    0,
    86_400,
    'Age of a sign-in that still allows UserProfile.update to set a password without the current one.',
  ),
  USER_CACHE_MS: whole(
    2000,
    0,
    5000,
    "How long a caller's state, token generation and roles are taken from memory by calls that only read.",
  ),
  DOMAIN_CACHE_MS: whole(
    2000,
    0,
    5000,
    'How long an enabled domain, workspace or role is taken from memory by calls that only read.',
  ),
  KEY_CACHE_SECONDS: whole(600, 1, 86_400, 'How long the keys of a domain are kept in memory.'),
  AUDIT_DAYS: whole(365, 1, 3650, 'Days that audit records are kept; it counts when a record is written.'),
  PAGE_LIMIT: whole(1000, 1, 10_000, 'Most rows of one answer; page.limit 0 means this many.'),
  FIND_WITHOUT_KEYWORD: flag(false, 'Let WorkspaceUser.find list everybody when no keyword is given.'),
  STRICT_MFA_STATUS: flag(
    false,
    'Answer MFA errors as FAILED_PRECONDITION instead of INTERNAL, which existing clients expect.',
  ),
  MAX_MESSAGE_BYTES: whole(4_194_304, 1024, 67_108_864, 'Largest message read.'),
  MAX_STREAMS: whole(100, 1, 100_000, 'Calls at the same time on one connection.'),
  MAX_CALLS: whole(500, 10, 100_000, 'Calls in work at the same time; more are refused at once.'),
  LOOP_DELAY_MS: whole(
    100,
    10,
    60_000,
    'Delay of the event loop from which on fewer calls are taken, down to a fifth of MAX_CALLS.',
  ),
  CALL_TIME_MS: whole(
    1000,
    10,
    60_000,
    'Mean time of calls from which on fewer are taken, down to a fifth of MAX_CALLS.',
  ),
  DRAIN_SECONDS: whole(10, 1, 300, 'Longest time from SIGTERM to the end; running calls get most of it.'),
} as const satisfies Record<string, Setting<unknown>>;

type Settings = typeof settings;

/** The checked settings, frozen. */
export type Config = { readonly [K in keyof Settings]: Settings[K] extends Setting<infer T> ? T : never };

/** Some settings are missing or wrong; the message names all of them, one a line. */
export class ConfigError extends Error {}

/**
 * Reads every setting from the given environment.
 * @throws ConfigError naming all missing and wrong ones at once.
 */
export function readConfig(environment: Record<string, string | undefined> = process.env): Config {
  const problems: string[] = [];
  const values = Object.entries<Setting<unknown>>(settings).map(([name, setting]) => {
    const given = environment[name] || setting.fallback;
    if (given === undefined) {
      problems.push(`${name} is not set: ${setting.type}. ${setting.meaning}`);
      return [name, undefined];
    }
    const parsed = setting.schema.safeParse(given);
    if (!parsed.success) problems.push(`${name} ${parsed.error.issues[0]?.message ?? 'is not valid'}`);
    return [name, parsed.data];
  });
  if (problems.length > 0) throw new ConfigError(`Settings to correct:\n  ${problems.join('\n  ')}`);
  return Object.freeze(Object.fromEntries(values)) as Config;
}

function parsedUrl(value: string): URL | undefined {
  return URL.canParse(value) ? new URL(value) : undefined;
}
