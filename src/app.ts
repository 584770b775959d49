import { readFileSync } from 'node:fs';
import { Server, logVerbosity, setLogVerbosity, status } from '@grpc/grpc-js';
import type { ServerCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { Clock } from './clock.js';
import type { Config } from './config.js';
import { DATABASE_AWAY, databaseError } from './connectors/mongo.js';
import { AuditServiceService } from './gen/audit/v1/audit.js';
import { UserServiceService as CsmsUserService } from './gen/csms/v1/user.js';
import { AuthServiceService } from './gen/iam/v3/auth.js';
import { DomainServiceService } from './gen/iam/v3/domain.js';
import { OsUserServiceService } from './gen/iam/v3/os_user.js';
import { ProjectServiceService } from './gen/iam/v3/project.js';
import { UserServiceService } from './gen/iam/v3/user.js';
import { VersionServiceService } from './gen/iam/v3/version.js';
import { DomainService } from './gen/spaceone/api/identity/v2/domain.js';
import { ServerInfoService } from './gen/spaceone/api/core/v1/server_info.js';
import { SystemService } from './gen/spaceone/api/identity/v2/system.js';
import { TokenService } from './gen/spaceone/api/identity/v2/token.js';
import { UserProfileService } from './gen/spaceone/api/identity/v2/user_profile.js';
import { WorkspaceUserService } from './gen/spaceone/api/identity/v2/workspace_user.js';
import { auditMethods } from './handlers/audit.js';
import { csmsUserMethods } from './handlers/csms/user.js';
import { domainMethods } from './handlers/domain.js';
import { authMethods } from './handlers/iam/auth.js';
import { iamDomainMethods } from './handlers/iam/domain.js';
import { osUserMethods } from './handlers/iam/os-user.js';
import { projectMethods } from './handlers/iam/project.js';
import { userMethods } from './handlers/iam/user.js';
import { UserWork } from './handlers/iam/user-work.js';
import { TokenMessages } from './handlers/iam/token-message.js';
import { versionMethods } from './handlers/iam/version.js';
import { serverInfoMethods, systemMethods } from './handlers/system.js';
import { tokenMethods } from './handlers/token.js';
import { userProfileMethods } from './handlers/user-profile.js';
import { workspaceUserMethods } from './handlers/workspace-user.js';
import { IdentityError } from './errors.js';
import type { Reason } from './errors.js';
import { createRooms } from './rooms.js';
import type { Rooms } from './rooms.js';
import { bind } from './rpc/bind.js';
import type { Pipeline } from './rpc/bind.js';
import { csmsWording, keystoneWording, osUserWording } from './rpc/wording.js';
import { Health } from './rpc/health.js';
import { LoadLimit } from './rpc/load-limit.js';
import { metadataText } from './rpc/metadata.js';
import { serveReflection } from './rpc/reflection.js';
import { portCredentials } from './rpc/tls.js';
import { shutDown } from './shutdown.js';

/** The running service. */
export interface App {
  /** Port that the gRPC server listens on. */
  port: number;
  rooms: Rooms;
  /** Resolves when the database is reached and prepared. */
  ready: Promise<void>;
  /** Stops taking calls, lets running ones finish, ends mail delivery and closes all connections. */
  close(): Promise<void>;
}

const SERVED = [
  'spaceone.api.identity.v2.System',
  'spaceone.api.identity.v2.Domain',
  'spaceone.api.identity.v2.Token',
  'spaceone.api.identity.v2.UserProfile',
  'spaceone.api.identity.v2.WorkspaceUser',
  'spaceone.api.core.v1.ServerInfo',
  'iam.v3.VersionService',
  'iam.v3.UserService',
  'iam.v3.AuthService',
  'iam.v3.DomainService',
  'iam.v3.ProjectService',
  'iam.v3.OsUserService',
  'csms.v1.UserService',
  'audit.v1.AuditService',
];
const STANDARD = [
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
];
const MFA_REASONS: ReadonlySet<Reason> = new Set<Reason>([
  'ERROR_MFA_REQUIRED',
  'ERROR_MFA_NOT_ACTIVATED',
  'ERROR_MFA_ALREADY_ENABLED',
  'ERROR_MFA_ALREADY_DISABLED',
  'ERROR_MFA_NOT_ENABLED',
]);

/**
 * Starts the service: it listens at once, is NOT_SERVING until the database is there, and follows it from then on.
 * @throws ConfigError when the certificates of the port cannot be used.
 * @throws Error when the port is taken.
 */
export async function startApp(config: Config, clock: Clock, log: Logger): Promise<App> {
  const { credentials, close: endRenewal } = portCredentials(config, log);
  // It would print metadata that it cannot read as they came, tokens among them.
  setLogVerbosity(logVerbosity.NONE);
  const rooms = createRooms(config, clock, log);
  const { MAX_CALLS: maxCalls, LOOP_DELAY_MS: maxDelayMs, CALL_TIME_MS: maxMeanMs } = config;
  const load = new LoadLimit({ maxCalls, maxDelayMs, maxMeanMs }, log);
  const server = new Server({
    'grpc.max_receive_message_length': config.MAX_MESSAGE_BYTES,
    'grpc.max_concurrent_streams': config.MAX_STREAMS,
    'grpc.max_connection_idle_ms': 300_000,
    'grpc.max_connection_age_ms': 1_800_000,
    'grpc.max_connection_age_grace_ms': 30_000,
    'grpc.enable_channelz': 0,
    interceptors: [load.interceptor],
  });
  const health = new Health(new Set(['', 'identity', ...SERVED]));
  const pipeline = pipelineOf(config, rooms, load, log);
  serveIam(server, rooms, config, pipeline);
  const endReflection = serve(server, rooms, health, pipeline);
  const port = await listen(server, `${config.GRPC_HOST}:${config.GRPC_PORT}`, credentials);
  rooms.mongo.onAvailability((available) => health.set(available));
  let closing = false;
  const ready = rooms.mongo.start().then(() => {
    if (!closing) rooms.delivery.start();
  });
  ready.catch(() => undefined);
  const close = () => {
    closing = true;
    endRenewal();
    health.close();
    endReflection();
    return shutDown(server, rooms, config.DRAIN_SECONDS).finally(() => load.close());
  };
  return { port, rooms, ready, close };
}

/** Adds every service; answers what ends the open streams of reflection. */
function serve(server: Server, rooms: Rooms, health: Health, pipeline: Pipeline): () => void {
  const { profiles, mfa, reset, mine, workspaceUsers, signIn, grants, domains, system } = rooms;
  bind(server, SystemService, systemMethods(system), pipeline);
  bind(server, DomainService, domainMethods(domains), pipeline);
  bind(server, TokenService, tokenMethods(signIn, grants), pipeline);
  bind(server, UserProfileService, userProfileMethods(profiles, mfa, reset, mine), pipeline);
  bind(server, WorkspaceUserService, workspaceUserMethods(workspaceUsers), pipeline);
  bind(server, AuditServiceService, auditMethods(rooms.audit), pipeline);
  bind(server, ServerInfoService, serverInfoMethods(version()), {
    ...pipeline,
    assertAvailable: () => undefined,
  });
  health.serve(server);
  return serveReflection(server, readFileSync(new URL('gen/descriptor.binpb', import.meta.url)), [
    ...SERVED,
    ...STANDARD,
  ]);
}

/** The IAM systems: the same users under other names, and errors in the words of each. */
function serveIam(server: Server, rooms: Rooms, config: Config, pipeline: Pipeline): void {
  const { PUBLIC_URL: publicUrl, REGION: region, IAM_EXPIRY_WITH_Z: expiryWithZ } = config;
  const addresses = { publicUrl, region, expiryWithZ };
  const { administration, policy, guard, userDirectory, userRemoval, profiles } = rooms;
  const keystone = { ...pipeline, wording: keystoneWording(publicUrl) };
  const osUser = { ...pipeline, wording: osUserWording(publicUrl) };
  const csms = { ...pipeline, wording: csmsWording(publicUrl) };
  bind(server, VersionServiceService, versionMethods(addresses), keystone);
  const work = new UserWork(administration, rooms.userCreation, rooms.managedUsers);
  const users = userMethods(administration, work, userDirectory, userRemoval, profiles, policy, addresses);
  bind(server, UserServiceService, users, keystone);
  const messages = new TokenMessages(policy, addresses);
  const auth = authMethods(rooms.iamSignIn, rooms.issued, rooms.signInReach, messages, addresses);
  bind(server, AuthServiceService, auth, keystone);
  bind(server, DomainServiceService, iamDomainMethods(rooms.domainDirectory, addresses), keystone);
  const projects = projectMethods(administration, rooms.workspaceDirectory, addresses);
  bind(server, ProjectServiceService, projects, keystone);
  bind(server, OsUserServiceService, osUserMethods(administration, work, policy, addresses), osUser);
  bind(server, CsmsUserService, csmsUserMethods(administration, guard, policy), csms);
}

function pipelineOf(config: Config, rooms: Rooms, load: LoadLimit, log: Logger): Pipeline {
  return {
    log,
    load,
    timeoutMs: config.REQUEST_TIMEOUT_MS,
    trustedProxies: config.TRUSTED_PROXIES,
    translate: databaseError,
    assertAvailable: () => {
      if (!rooms.mongo.available) throw new IdentityError('ERROR_UNAVAILABLE', { reason: DATABASE_AWAY });
    },
    statusOf: (error: IdentityError) =>
      config.STRICT_MFA_STATUS && MFA_REASONS.has(error.reason) ? status.FAILED_PRECONDITION : error.code,
    authenticate: (token, call, access) =>
      rooms.sessions.authenticate(call.reach, token, {
        self: 'self' in access,
        onlyReads: access.onlyReads,
        system_scope: {
          domain_id: metadataText(call.metadata, 'x_domain_id'),
          workspace_id: metadataText(call.metadata, 'x_workspace_id'),
        },
      }),
  };
}

/** The address of the gRPC port is taken, or none of this machine. */
export class NotListening extends Error {
  constructor(address: string, cause: Error) {
    super(`GRPC_HOST, GRPC_PORT: ${address} cannot be listened on. ${cause.message}`, { cause });
  }
}

function listen(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error) reject(new NotListening(address, error));
      else resolve(port);
    });
  });
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
