import type {
  Server,
  ServerUnaryCall,
  ServiceDefinition,
  StatusObject,
  UntypedHandleCall,
  sendUnaryData,
} from '@grpc/grpc-js';
import type { AddressRanges } from '../address-ranges.js';
import type { Actor } from '../connectors/mongo.js';
import { IdentityError } from '../errors.js';
import { ROOT_DOMAIN_ID } from '../ids.js';
import type { Caller } from '../managers/sessions.js';
import { authorize } from './authorize.js';
import { allowRetry, answerMetadata, bearerToken, requestIdOf, sourceOf } from './metadata.js';
import type { Access, Call, Called, Method, Methods, Wording } from './call.js';
import type { LoadLimit } from './load-limit.js';
import { finished } from './log.js';
import type { CallLog } from './log.js';
import type { Received } from './received.js';
import { Requests } from './received.js';
import { toIdentityError, toStatus } from './status.js';
import { validate } from './validate.js';

/** What the pipeline asks of the rest of the service. */
export interface Pipeline {
  log: CallLog;
  /** Finds out who calls; anonymous methods never ask. */
  authenticate(
    token: string | undefined,
    call: Call,
    access: Exclude<Access, { anonymous: true }>,
  ): Promise<Caller>;
  /** @throws IdentityError ERROR_UNAVAILABLE when no call can be answered now. */
  assertAvailable(): void;
  /** Turns a failure of the database into one of ours. */
  translate(error: unknown): IdentityError | undefined;
  /** Longest time of a call, in milliseconds; a shorter deadline of the caller wins. */
  timeoutMs: number;
  trustedProxies: AddressRanges;
  /** Statuses that differ from the catalogue by configuration. */
  statusOf(error: IdentityError): IdentityError['code'];
  /** How errors are worded where it is not `ERROR_CODE: message`. */
  wording?: (error: IdentityError, call: Called) => Wording;
  /** Refuses calls while there are too many. */
  load: LoadLimit;
}

type AnyMethod = Method<object, object>;

/**
 * Serves a generated service definition with its methods, each behind the one pipeline:
 * log, status, authenticate, authorize, validate, run.
 * @throws Error at start-up when a method declares no access.
 */
export function bind<Definition extends ServiceDefinition>(
  server: Server,
  definition: Definition,
  methods: Methods<Definition>,
  pipeline: Pipeline,
): void {
  const safe: Record<string, object> = {};
  const handlers: Record<string, UntypedHandleCall> = {};
  for (const [key, rpc] of Object.entries(definition)) {
    const method = (methods as Record<string, AnyMethod | undefined>)[key];
    if (!method?.access) throw new Error(`${rpc.path} declares no access`);
    const requests = new Requests(rpc.requestDeserialize as (bytes: Buffer) => object, method.access);
    safe[key] = { ...rpc, requestDeserialize: (bytes: Buffer) => requests.receive(bytes) };
    const name = rpc.path.slice(1);
    pipeline.load.cover(rpc.path, (error, requestId) =>
      statusOf(error, requestId, { method: name }, pipeline),
    );
    handlers[key] = unary(name, method, requests, pipeline) as UntypedHandleCall;
  }
  server.addService(safe as ServiceDefinition, handlers);
}

type UnaryCall = ServerUnaryCall<Received, object>;

function unary(name: string, method: AnyMethod, requests: Requests, pipeline: Pipeline) {
  return (grpcCall: UnaryCall, respond: sendUnaryData<object>): void => {
    const place = pipeline.load.enter();
    if (place instanceof IdentityError) {
      respond(statusOf(place, requestIdOf(grpcCall.metadata), { method: name }, pipeline));
      return;
    }
    const started = process.hrtime.bigint();
    const call = describe(name, grpcCall, pipeline);
    call.reach.aside = (wait) => place.aside(wait);
    const within = deadline(call, grpcCall);
    // Until it ends, and not only until nobody waits for it any more.
    const read = () => validate(method.schema, requests.read(grpcCall.request), requests.empty);
    const work = answer(method, read, call, pipeline).finally(() => place.leave());
    const succeed = (response: object) => {
      finished(pipeline.log, call, started);
      const { status, headers } = call.answer;
      if (status !== undefined || Object.keys(headers).length > 0)
        grpcCall.sendMetadata(answerMetadata(status, headers));
      respond(null, response);
    };
    const refuse = (cause: unknown) => {
      const error = pipeline.translate(cause) ?? toIdentityError(cause, call.requestId);
      finished(pipeline.log, call, started, error);
      const refused = statusOf(error, call.requestId, call, pipeline);
      if (!call.begun) allowRetry(refused.metadata);
      respond(refused);
    };
    Promise.race([within.expired, work])
      .then(succeed)
      .catch(refuse)
      // An answer that cannot be written is a fault of this call: without a word here it would end the process.
      .catch((cause: unknown) =>
        refuse(new IdentityError('ERROR_UNKNOWN', { reference: call.requestId }, [], { cause })),
      )
      .finally(within.clear);
  };
}

function statusOf(error: IdentityError, requestId: string, call: Called, pipeline: Pipeline): StatusObject {
  return toStatus(error, requestId, pipeline.statusOf(error), pipeline.wording?.(error, call));
}

async function answer(
  method: AnyMethod,
  read: () => unknown,
  call: Call,
  pipeline: Pipeline,
): Promise<object> {
  const run = method.run as (request: unknown, call: Call) => Promise<object> | object;
  pipeline.assertAvailable();
  call.begun = true;
  if ('anonymous' in method.access) return run(read(), call);
  const caller = await pipeline.authenticate(bearerToken(call.metadata), call, method.access);
  // At once, so that a refusal is logged with the one who was refused.
  const known = Object.assign(call, { caller });
  call.reach.call.actor = actorOf(caller);
  authorize(caller, method.access, permissionName(call.method));
  return run(read(), known);
}

/** A system token names the domain that it acts for; whoever holds it belongs to the root domain. */
function actorOf({ kind, user_id, domain_id }: Caller): Actor {
  return { type: kind, id: user_id, domain_id: kind === 'SYSTEM' ? ROOT_DOMAIN_ID : domain_id };
}

/** `identity:UserProfile.update_password`, the method's own name as a permission. */
function permissionName(method: string): string {
  return `identity:${method.slice(method.lastIndexOf('.') + 1).replace('/', '.')}`;
}

function describe(method: string, grpcCall: UnaryCall, pipeline: Pipeline): Call {
  const { metadata } = grpcCall;
  const given = grpcCall.getDeadline();
  const latest = Date.now() + pipeline.timeoutMs;
  const deadline = Math.min(latest, typeof given === 'number' ? given : given.getTime());
  const requestId = requestIdOf(metadata);
  const source = sourceOf(grpcCall.getPeer(), metadata, pipeline.trustedProxies);
  return {
    method,
    metadata,
    requestId,
    ...source,
    reach: { deadline, call: { request_id: requestId, method, peer: source.peer } },
    noted: {},
    begun: false,
    answer: { headers: {} },
  };
}

/** Ends the wait for an answer that nobody wants any more: the deadline is over, or the caller has hung up. */
function deadline(call: Call, grpcCall: UnaryCall): { expired: Promise<never>; clear: () => void } {
  let clear = () => {};
  const expired = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(
      () => reject(new IdentityError('ERROR_REQUEST_TIMEOUT')),
      Math.max(0, call.reach.deadline - Date.now()),
    );
    const cancelled = () => {
      // What is under way asks nothing more of the database.
      call.reach.deadline = 0;
      reject(new IdentityError('ERROR_REQUEST_CANCELLED'));
    };
    grpcCall.on('cancelled', cancelled);
    clear = () => {
      clearTimeout(timer);
      // grpc-js also says so at the end of every answered call, and an error costs its stack trace.
      grpcCall.off('cancelled', cancelled);
    };
  });
  return { expired, clear };
}
