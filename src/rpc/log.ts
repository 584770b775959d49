import { status } from '@grpc/grpc-js';
import { IdentityError } from '../errors.js';
import type { Call, CallerCall } from './call.js';
import { traceOf } from './metadata.js';

/** What calls are logged through (pino fits). */
export interface CallLog {
  isLevelEnabled(level: string): boolean;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * One line for a finished call: who, what, outcome, time. Messages are never logged, neither requests nor
 * answers nor error texts, so no password, code or token can be (D-18). An answered call is `debug`, or `info` when
 * its method has noted something; a refused one is `info`, a fault of the service `error` with its cause.
 */
export function finished(log: CallLog, call: Call, started: bigint, error?: IdentityError): void {
  const noted = Object.keys(call.noted).length > 0;
  if (!error && !noted && !log.isLevelEnabled('debug')) return;
  const { caller } = call as Partial<CallerCall>;
  const fields = {
    request_id: call.requestId,
    trace: traceOf(call.metadata),
    method: call.method,
    peer: call.peer,
    domain_id: caller?.domain_id,
    workspace_id: caller?.workspace_id,
    user_id: caller?.user_id,
    ...call.noted,
    code: status[error?.code ?? status.OK],
    reason: error ? told(error).reason : call.noted['reason'],
    ms: Number(process.hrtime.bigint() - started) / 1e6,
  };
  if (!error) log[noted ? 'info' : 'debug'](fields, 'answered');
  else if (error.reason === 'ERROR_UNKNOWN') log.error({ ...fields, cause: causeOf(error) }, 'failed');
  else log.info(fields, 'refused');
}

/** What happened: some callers get one answer for several reasons, which then is the cause of that answer. */
function told(error: IdentityError): IdentityError {
  return error.cause instanceof IdentityError ? error.cause : error;
}

/** Name, message and stack of what went wrong inside. */
function causeOf(error: IdentityError): object {
  const cause = error.cause as Partial<Error> | undefined;
  return { name: cause?.name, message: cause?.message, stack: cause?.stack };
}
