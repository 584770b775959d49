import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import type { Config } from '../config.js';
import { ConfigError } from '../config.js';

type TlsSettings = Pick<
  Config,
  'GRPC_TLS_CERT' | 'GRPC_TLS_KEY' | 'GRPC_TLS_CLIENT_CA' | 'GRPC_TLS_RELOAD_SECONDS'
>;
type FileSetting = 'GRPC_TLS_CERT' | 'GRPC_TLS_KEY' | 'GRPC_TLS_CLIENT_CA';

/** Where it is told that certificates were renewed, or cannot be. */
export interface TlsLog {
  info(about: object, text: string): void;
  error(about: object, text: string): void;
}

/** What the gRPC port asks of a connection, and how its watch over the files ends. */
export interface PortCredentials {
  credentials: ServerCredentials;
  close: () => void;
}

type Files = Record<'cert' | 'key' | 'ca', Buffer | undefined>;

const HANDSHAKE_MS = 10_000;
/** Of TLS 1.3 all, of TLS 1.2 those with forward secrecy and authenticated encryption (RFC 9325 4.2). */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  ...['ECDSA', 'RSA'].flatMap((kind) =>
    ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].map((suite) => `ECDHE-${kind}-${suite}`),
  ),
].join(':');

/** Certificates that can be replaced while connections are open; those keep what they began with. */
class RenewableCredentials extends ServerCredentials {
  constructor(context: SecureContextOptions, checkCallers: boolean) {
    super({ requestCert: checkCallers, handshakeTimeout: HANDSHAKE_MS }, context);
  }

  renew(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/**
 * How the gRPC port is secured: not at all without GRPC_TLS_CERT; else with TLS 1.2 or newer, and with GRPC_TLS_CLIENT_CA
 * only for callers who show a certificate that it signed. Files that are renewed on the disk are taken up every
 * GRPC_TLS_RELOAD_SECONDS; what cannot be used is reported, and the earlier ones stay.
 * @throws ConfigError naming every file that is missing or does not fit.
 */
export function portCredentials(settings: TlsSettings, log: TlsLog): PortCredentials {
  const setFiles = (['GRPC_TLS_CERT', 'GRPC_TLS_KEY', 'GRPC_TLS_CLIENT_CA'] as const).filter(
    (name) => settings[name],
  );
  if (setFiles.length === 0)
    return { credentials: ServerCredentials.createInsecure(), close: () => undefined };
  let current = secureContext(settings);
  const credentials = new RenewableCredentials(current, settings.GRPC_TLS_CLIENT_CA !== undefined);
  let complaint = '';
  const look = () => {
    try {
      const found = secureContext(settings);
      complaint = '';
      if (sameFiles(found, current)) return;
      current = found;
      credentials.renew(found);
      log.info({}, 'certificates of the gRPC port renewed');
    } catch (error) {
      // Once for each state of the files, not at every look.
      if ((error as Error).message === complaint) return;
      complaint = (error as Error).message;
      log.error({ problem: complaint }, 'certificates of the gRPC port not renewed, the earlier ones stay');
    }
  };
  const timer = setInterval(look, settings.GRPC_TLS_RELOAD_SECONDS * 1000).unref();
  return { credentials, close: () => clearInterval(timer) };
}

/** @throws ConfigError */
function secureContext(settings: TlsSettings): SecureContextOptions & Files {
  const problems: string[] = [];
  const read = (name: FileSetting): Buffer | undefined => {
    try {
      return settings[name] === undefined ? undefined : readFileSync(settings[name]);
    } catch (error) {
      problems.push(`${name}: ${settings[name]} cannot be read (${(error as NodeJS.ErrnoException).code})`);
      return undefined;
    }
  };
  for (const name of ['GRPC_TLS_CERT', 'GRPC_TLS_KEY'] as const)
    if (settings[name] === undefined) problems.push(`${name} is not set, but another GRPC_TLS_ file is`);
  const [cert, key, ca] = [read('GRPC_TLS_CERT'), read('GRPC_TLS_KEY'), read('GRPC_TLS_CLIENT_CA')];
  const certificate = cert && parsed(problems, 'GRPC_TLS_CERT', () => new X509Certificate(cert));
  const privateKey = key && parsed(problems, 'GRPC_TLS_KEY', () => createPrivateKey(key));
  const authority = ca && parsed(problems, 'GRPC_TLS_CLIENT_CA', () => new X509Certificate(ca));
  if (certificate && privateKey && !certificate.checkPrivateKey(privateKey))
    problems.push('GRPC_TLS_KEY is not the key of GRPC_TLS_CERT');
  if (authority && !authority.ca) problems.push('GRPC_TLS_CLIENT_CA is not the certificate of an authority');
  const context = { cert, key, ca, ciphers: CIPHERS, minVersion: 'TLSv1.2' as const };
  // What is left, a key too short for instance, shows when it is put to use.
  if (problems.length === 0) parsed(problems, 'GRPC_TLS_CERT', () => createSecureContext(context));
  if (problems.length > 0) throw new ConfigError(`Settings to correct:\n  ${problems.join('\n  ')}`);
  return context;
}

function parsed<T>(problems: string[], name: FileSetting, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    problems.push(`${name} cannot be used: ${(error as Error).message}`);
    return undefined;
  }
}

function sameFiles(one: Files, other: Files): boolean {
  return (['cert', 'key', 'ca'] as const).every((name) => one[name]?.toString() === other[name]?.toString());
}
