import type { StatusObject, status } from '@grpc/grpc-js';
import { IdentityError } from '../errors.js';
import type { Any } from '../gen/google/protobuf/any.js';
import { BadRequest, ErrorInfo, RequestInfo, RetryInfo } from '../gen/google/rpc/error_details.js';
import { Status } from '../gen/google/rpc/status.js';
import type { Wording } from './call.js';
import { answerMetadata } from './metadata.js';

/** Domain of ErrorInfo: the service that the reason belongs to (AIP-193). */
const ERROR_DOMAIN = 'identity.spaceone.api';

/**
 * The status that leaves the service: `ERROR_CODE: message` as text, google.rpc.Status as detail
 * (contract/errors.md 1). A wording of another family takes the place of the text, never of the reason.
 */
export function toStatus(
  error: IdentityError,
  requestId: string,
  code: status = error.code,
  wording?: Wording,
): StatusObject {
  // What repeats a part of the caller's words may end within a character, which cannot be sent.
  const text = (wording?.message ?? error.message).toWellFormed();
  const details: Any[] = [
    any(
      'google.rpc.ErrorInfo',
      ErrorInfo.encode({ reason: error.reason, domain: ERROR_DOMAIN, metadata: worded(error.metadata) }),
    ),
    any('google.rpc.RequestInfo', RequestInfo.encode({ request_id: requestId, serving_data: '' })),
  ];
  if (error.violations.length > 0) {
    const field_violations = error.violations
      .slice(0, 20)
      .map((violation) => ({ ...violation, reason: error.reason, localized_message: undefined }));
    details.push(
      any('google.rpc.BadRequest', BadRequest.encode(BadRequest.fromPartial({ field_violations }))),
    );
  }
  const seconds = error.retryAfterMs === undefined ? undefined : Math.ceil(error.retryAfterMs / 1000);
  if (seconds !== undefined)
    details.push(any('google.rpc.RetryInfo', RetryInfo.encode({ retry_delay: { seconds, nanos: 0 } })));
  const metadata = answerMetadata(wording?.http, wording?.headers, wording?.code);
  if (seconds !== undefined) metadata.set('retry-after', String(seconds));
  const bytes = Status.encode({ code, message: text, details }).finish();
  metadata.set('grpc-status-details-bin', Buffer.from(bytes));
  return { code, details: text, metadata };
}

/**
 * The error to answer with: one of ours as it is, anything else as ERROR_UNKNOWN with nothing but a
 * reference to the log (D-04).
 */
export function toIdentityError(error: unknown, requestId: string): IdentityError {
  if (error instanceof IdentityError) return error;
  return new IdentityError('ERROR_UNKNOWN', { reference: requestId }, [], { cause: error });
}

/** Without empty texts: an encoder leaves those out of a map entry, and Envoy 1.40 dies of an entry without a value. */
function worded(metadata: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== ''));
}

function any(type: string, encoded: { finish(): Uint8Array }): Any {
  return { type_url: `type.googleapis.com/${type}`, value: Buffer.from(encoded.finish()) };
}
