import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderEnvoy } from '../render-envoy.mjs';
import { edgeUrl, tlsVariables, writeSecrets } from './edge-sides.mjs';
import { inRoot } from './places.mjs';

/** The mail catcher: SMTP on one port, its page on the other. */
export function startMailbox(children, { port, logs, folder }) {
  const listen = ['--ip', '127.0.0.1', '--web-ip', '127.0.0.1'];
  const ports = ['--smtp', String(port.SMTP_PORT), '--web', String(port.MAILBOX_PORT)];
  const program = inRoot('node_modules/maildev/dist/bin/maildev.js');
  // Its default is a folder of the system that everybody can read.
  const kept = ['--mail-directory', join(folder, 'mailbox'), '--max-emails', '1000'];
  return children.start({
    name: 'mailbox',
    command: [process.execPath, program, ...listen, ...ports, ...kept, '--silent'],
    log: join(logs, 'mailbox.log'),
  });
}

/** The environment of the service: what the person set, and the rest so that everything fits together. */
export function serviceEnvironment({ port, accounts, smtpUrl }, secrets, mongoUri) {
  return {
    ...secrets,
    ...(process.env.SERVICE_KEY ? { SERVICE_KEY: process.env.SERVICE_KEY } : {}),
    ...(process.env.BOOTSTRAP_SECRET ? { BOOTSTRAP_SECRET: process.env.BOOTSTRAP_SECRET } : {}),
    GRPC_HOST: '127.0.0.1',
    GRPC_PORT: String(port.GRPC_PORT),
    MONGODB_URI: mongoUri,
    SMTP_URL: smtpUrl ?? `smtp://127.0.0.1:${port.SMTP_PORT}`,
    ACCOUNTS_FILE: accounts,
    PUBLIC_URL: process.env.PUBLIC_URL || edgeUrl(port, process.env),
  };
}

/** The service itself. */
export function startService(children, { logs }, environment) {
  return children.start({
    name: 'service',
    command: [process.execPath, inRoot('dist/main.js')],
    log: join(logs, 'service.log'),
    env: environment,
  });
}

/** Makes the first accounts in an empty database. */
export function startSeed(children, { logs }, environment) {
  return children.start({
    name: 'first accounts',
    command: [process.execPath, inRoot('dist/seed.js')],
    log: join(logs, 'seed.log'),
    env: environment,
    passing: true,
  });
}

/** The REST edge, with the configuration of envoy.yaml. */
export function startEdge(children, { port, logs, folder }, envoy) {
  const configuration = join(folder, 'envoy.yaml');
  const secrets = join(folder, 'edge-secrets');
  const environment = {
    ...tlsVariables(process.env),
    REST_PORT: String(port.REST_PORT),
    GRPC_PORT: String(port.GRPC_PORT),
    EDGE_SECRETS: secrets,
  };
  writeFileSync(configuration, renderEnvoy(environment), { mode: 0o600 });
  writeSecrets(environment, secrets);
  return children.start({
    name: 'REST edge (Envoy)',
    command: [envoy, '-c', configuration, '--disable-hot-restart', '--concurrency', '2', '-l', 'warning'],
    log: join(logs, 'envoy.log'),
  });
}
