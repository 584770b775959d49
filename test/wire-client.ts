import { readFileSync } from 'node:fs';
import { createFileRegistry, fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf';
import type { DescMethod, JsonValue } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { CallOptions, ChannelCredentials, ClientOptions } from '@grpc/grpc-js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are looked at field by field in tests
export type Answer = any;

/** Calls a method with a JSON message and answers one. */
export type Call = (
  method: string,
  request?: object,
  token?: string,
  metadata?: Record<string, string>,
) => Promise<Answer>;

const PACKAGE = 'spaceone.api.identity.v2';
/** What every service of this kind has. */
const STANDARD = /^(grpc|google|spaceone\.api\.core)\./;
const set = fromBinary(
  FileDescriptorSetSchema,
  readFileSync(new URL('../src/gen/descriptor.binpb', import.meta.url)),
);
/** Every type of the descriptor. */
export const registry = createFileRegistry(set);

/** A client that knows nothing but the descriptor: it encodes with other code than the service decodes with. */
export class WireClient {
  readonly #client: Client;

  constructor(
    address: string,
    options: ClientOptions = {},
    channel: ChannelCredentials = credentials.createInsecure(),
  ) {
    this.#client = new Client(address, channel, options);
  }

  /**
   * Calls `UserProfile.get`, or a method outside the package by its full name `spaceone.api.core.v1.ServerInfo.get_version`.
   * @throws ServiceError as grpc-js gives it.
   */
  call(
    method: string,
    request: object = {},
    token?: string,
    metadata: Record<string, string> = {},
    options: CallOptions = {},
    received?: (metadata: Metadata) => void,
  ): Promise<Answer> {
    const message = fromJson(methodOf(method).input, request as JsonValue, { registry });
    return this.callWithBytes(
      method,
      Buffer.from(toBinary(methodOf(method).input, message)),
      token,
      metadata,
      options,
      received,
    );
  }

  /** The same with a message that is encoded already, rightly or not. */
  callWithBytes(
    method: string,
    bytes: Buffer,
    token?: string,
    metadata: Record<string, string> = {},
    options: CallOptions = {},
    received?: (metadata: Metadata) => void,
  ): Promise<Answer> {
    const { parent, name, output } = methodOf(method);
    const path = `/${parent.typeName}/${name}`;
    return this.callPath(path, bytes, token, metadata, options, received).then((answer) =>
      toJson(output, fromBinary(output, answer), { registry, useProtoFieldName: true }),
    );
  }

  /** Like `call`, and answers what was sent beside the message as well. */
  async exchange(
    method: string,
    request: object = {},
    token?: string,
    metadata: Record<string, string> = {},
  ): Promise<{ message: Answer; metadata: Metadata }> {
    let beside = new Metadata();
    const received = (sent: Metadata) => void (beside = sent);
    const message = await this.call(method, request, token, metadata, {}, received);
    return { message, metadata: beside };
  }

  /** Calls any path with any bytes, and answers bytes. */
  callPath(
    path: string,
    bytes: Buffer,
    token?: string,
    metadata: Record<string, string> = {},
    options: CallOptions = {},
    received?: (metadata: Metadata) => void,
  ): Promise<Buffer> {
    const sent = new Metadata();
    if (token) sent.set('token', token);
    for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
    const same = (value: Buffer) => value;
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(path, same, same, bytes, sent, options, (error, answer) =>
        error ? reject(error) : resolve(answer!),
      );
      if (received) call.on('metadata', received);
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** Every method that the descriptor declares, as `UserProfile.get`, of the other systems as `iam.v3.UserService.GetUser`. */
export function declaredMethods(): string[] {
  return [...registry].flatMap((service) => {
    if (service.kind !== 'service' || STANDARD.test(service.typeName)) return [];
    const name = service.typeName.replace(`${PACKAGE}.`, '');
    return service.methods.map((one) => `${name}.${one.name}`);
  });
}

function methodOf(method: string): DescMethod {
  const at = method.lastIndexOf('.');
  const service = method.slice(0, at);
  const found = registry.getService(service.includes('.') ? service : `${PACKAGE}.${service}`);
  const rpc = found?.methods.find((one) => one.name === method.slice(at + 1));
  if (!rpc) throw new Error(`the descriptor has no method ${method}`);
  return rpc;
}
