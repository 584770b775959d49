import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { root } from './places.mjs';
import { Problem } from './problem.mjs';

/** Everything that `npm start` takes from the environment, besides the settings of the service itself. */
const PORTS = [
  { variable: 'GRPC_PORT', fallback: 50051, use: 'gRPC' },
  { variable: 'REST_PORT', fallback: 8080, use: 'REST' },
  { variable: 'SMTP_PORT', fallback: 1025, use: 'SMTP of the mailbox' },
  { variable: 'MAILBOX_PORT', fallback: 1080, use: 'page of the mailbox' },
  { variable: 'DB_PORT', fallback: 27017, use: 'database' },
];

/**
 * Reads the settings of the launcher.
 * @param {Record<string, string | undefined>} environment
 * @throws {Problem} naming every port that is not one
 * @throws {Problem} when the edge would not reach the service
 */
export function readSettings(environment) {
  const wrong = PORTS.filter(({ variable }) => environment[variable] && !isPort(environment[variable]));
  if (wrong.length > 0) {
    throw new Problem(`${wrong.map(({ variable }) => variable).join(', ')} must be a port from 1 to 65535.`);
  }
  if (Boolean(environment.GRPC_TLS_CERT) !== Boolean(environment.UPSTREAM_TLS_CA)) {
    const text =
      'GRPC_TLS_CERT (of the service) and UPSTREAM_TLS_CA (of the edge, to check it) need each other.';
    throw new Problem(text);
  }
  const port = Object.fromEntries(
    PORTS.map(({ variable, fallback }) => [variable, Number(environment[variable] || fallback)]),
  );
  const folder = resolve(root, environment.DATA_DIR || '.data');
  return {
    port,
    folder,
    logs: join(folder, 'logs'),
    accounts: join(folder, 'accounts.json'),
    mongoUri: environment.MONGODB_URI || undefined,
    smtpUrl: environment.SMTP_URL || undefined,
    /** The ports that this start needs, for the check that they are free. */
    needed: PORTS.filter(({ variable }) => isNeeded(variable, environment)).map(({ variable, use }) => ({
      variable,
      use,
      port: port[variable],
    })),
  };
}

function isNeeded(variable, { MONGODB_URI: mongoUri, SMTP_URL: smtpUrl }) {
  if (variable === 'DB_PORT') return !mongoUri;
  if (variable === 'SMTP_PORT' || variable === 'MAILBOX_PORT') return !smtpUrl;
  return true;
}

function isPort(value) {
  return /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535;
}

/**
 * Makes the folder of data and logs, closed to everybody but its owner.
 * @throws {Problem} when it cannot be made
 */
export function makeDataFolder({ folder, logs }) {
  try {
    makeFolder(logs);
    chmodSync(folder, 0o700);
    chmodSync(logs, 0o700);
  } catch (error) {
    throw new Problem(
      `DATA_DIR: the folder ${folder} cannot be made or used (${error.code}). Choose another.`,
    );
  }
}

/** One level after the other: Node's own recursion never ends where the system keeps to itself what it has (/proc). */
function makeFolder(folder) {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

/**
 * The secrets of this installation, made on the first start.
 * @returns {{ SERVICE_KEY: string, BOOTSTRAP_SECRET: string }}
 */
export function serviceSecrets({ folder }) {
  const file = join(folder, 'service.env');
  if (!existsSync(file)) {
    const lines = [
      '# Made by the first `npm start`. Without SERVICE_KEY the data beside it cannot be read.',
      `SERVICE_KEY=${randomBytes(32).toString('base64')}`,
      `BOOTSTRAP_SECRET=${randomBytes(24).toString('base64url')}`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  }
  const pairs = readFileSync(file, 'utf8').matchAll(/^(\w+)=(.*)$/gm);
  return Object.fromEntries([...pairs].map(([, name, value]) => [name, value]));
}
