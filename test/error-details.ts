import { fromBinary, toJson } from '@bufbuild/protobuf';
import type { Refusal } from './harness.js';
import type { Answer } from './wire-client.js';
import { registry } from './wire-client.js';

/** The google.rpc.Status that came with a refusal, as JSON with every detail decoded. */
export function errorDetails({ metadata }: Refusal): Answer {
  const [bytes] = metadata.get('grpc-status-details-bin');
  const status = registry.getMessage('google.rpc.Status')!;
  return toJson(status, fromBinary(status, bytes as Buffer), { registry });
}

/** The detail of a type such as `ErrorInfo`, or undefined. */
export function errorDetail(refused: Refusal, type: string): Answer {
  const details = errorDetails(refused).details as { '@type': string }[];
  return details.find((one) => one['@type'] === `type.googleapis.com/google.rpc.${type}`);
}
