import { status } from '@grpc/grpc-js';
import type { Server, ServerDuplexStream, ServiceDefinition } from '@grpc/grpc-js';
import { FileDescriptorIndex } from './file-descriptors.js';
import { ServerReflectionService as ReflectionV1 } from '../gen/grpc/reflection/v1/reflection.js';
import type {
  ServerReflectionRequest,
  ServerReflectionResponse,
} from '../gen/grpc/reflection/v1/reflection.js';
import { ServerReflectionService as ReflectionV1Alpha } from '../gen/grpc/reflection/v1alpha/reflection.js';
import { MALFORMED, tolerant } from './tolerant.js';

type Stream = ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>;

/**
 * Serves reflection, v1 and v1alpha, from the bytes that buf wrote: re-encoded descriptors lose what grpcurl
 * needs of google.protobuf.Struct.
 * @returns ends the streams that are open, so that they do not hold up a shutdown
 */
export function serveReflection(
  server: Server,
  descriptorSet: Buffer,
  services: readonly string[],
): () => void {
  const index = new FileDescriptorIndex(descriptorSet);
  const streams = new Set<Stream>();
  const serverReflectionInfo = (stream: Stream) => {
    streams.add(stream);
    const forget = () => streams.delete(stream);
    stream.on('cancelled', forget).on('close', forget).on('finish', forget);
    stream.on('data', (request: Partial<ServerReflectionRequest>) => {
      if (request.host === undefined) stream.emit('error', MALFORMED);
      else stream.write(reply(index, services, request as ServerReflectionRequest));
    });
    stream.on('end', () => stream.end());
    stream.on('error', () => stream.end());
  };
  for (const definition of [ReflectionV1, ReflectionV1Alpha] as ServiceDefinition[]) {
    server.addService(tolerant(definition), { serverReflectionInfo });
  }
  return () => streams.forEach((stream) => stream.end());
}

function reply(
  index: FileDescriptorIndex,
  services: readonly string[],
  request: ServerReflectionRequest,
): ServerReflectionResponse {
  const base = { valid_host: request.host, original_request: request };
  if (request.list_services !== undefined) {
    return { ...base, list_services_response: { service: services.map((name) => ({ name })) } };
  }
  const files =
    request.file_by_filename !== undefined
      ? index.byFile(request.file_by_filename)
      : request.file_containing_symbol !== undefined
        ? index.bySymbol(request.file_containing_symbol)
        : [];
  if (files.length > 0) return { ...base, file_descriptor_response: { file_descriptor_proto: files } };
  if (request.all_extension_numbers_of_type !== undefined) {
    const base_type_name = request.all_extension_numbers_of_type;
    return { ...base, all_extension_numbers_response: { base_type_name, extension_number: [] } };
  }
  return { ...base, error_response: { error_code: status.NOT_FOUND, error_message: 'not found' } };
}
