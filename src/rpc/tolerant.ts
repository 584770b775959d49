import { status } from '@grpc/grpc-js';
import type { ServiceDefinition } from '@grpc/grpc-js';

/** The answer to bytes that are no message, at services outside of the pipeline. */
export const MALFORMED = {
  code: status.INVALID_ARGUMENT,
  details: 'The request is no message of this method.',
};

/**
 * A service whose requests are empty objects when their bytes are no message: grpc-js answers those with INTERNAL
 * before a method sees them. Decoded requests have all their fields, so an empty one tells.
 */
export function tolerant<Definition extends ServiceDefinition>(definition: Definition): Definition {
  const methods = Object.entries(definition).map(([name, method]) => [
    name,
    { ...method, requestDeserialize: orEmpty(method.requestDeserialize) },
  ]);
  return Object.fromEntries(methods) as Definition;
}

function orEmpty(decode: (bytes: Buffer) => unknown): (bytes: Buffer) => unknown {
  return (bytes) => {
    try {
      return decode(bytes);
    } catch {
      return {};
    }
  };
}
