import { fromBinary } from '@bufbuild/protobuf';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServerReflectionClient } from '../../src/gen/grpc/reflection/v1/reflection.js';
import { ServerReflectionClient as ServerReflectionClientV1Alpha } from '../../src/gen/grpc/reflection/v1alpha/reflection.js';
import type {
  ServerReflectionRequest,
  ServerReflectionResponse,
} from '../../src/gen/grpc/reflection/v1/reflection.js';
import type { Service } from '../harness.js';
import { refusal, startService } from '../harness.js';
import { WireClient } from '../wire-client.js';

let service: Service;

beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const versions = { v1: ServerReflectionClient, v1alpha: ServerReflectionClientV1Alpha };

/** Asks one question after the other on one stream. */
async function ask(
  Client: (typeof versions)[keyof typeof versions],
  questions: Partial<ServerReflectionRequest>[],
): Promise<ServerReflectionResponse[]> {
  const client = new Client(service.address, credentials.createInsecure());
  const stream = client.serverReflectionInfo();
  const answers: ServerReflectionResponse[] = [];
  for (const question of questions) stream.write({ host: '', ...question });
  stream.end();
  for await (const answer of stream) answers.push(answer as ServerReflectionResponse);
  client.close();
  return answers;
}

const files = (answer?: ServerReflectionResponse): FileDescriptorProto[] =>
  answer!.file_descriptor_response!.file_descriptor_proto.map((bytes) =>
    fromBinary(FileDescriptorProtoSchema, bytes),
  );

describe.each(Object.entries(versions))('reflection %s', (_version, Client) => {
  it('lists every service', async () => {
    const [answer] = await ask(Client, [{ list_services: '*' }]);
    expect(answer!.list_services_response!.service.map(({ name }) => name)).toEqual([
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
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
    ]);
  });

  it.each([
    'spaceone.api.identity.v2.WorkspaceUser',
    'spaceone.api.identity.v2.WorkspaceUser.create',
    'spaceone.api.identity.v2.CreateWorkspaceUserRequest',
    'spaceone.api.identity.v2.CreateWorkspaceUserRequest.role_id',
    'spaceone.api.identity.v2.WorkspaceUserInfo.State',
  ])('answers the file of %s with its comments and all that it imports', async (symbol) => {
    const [answer] = await ask(Client, [{ file_containing_symbol: symbol }]);
    const [first, ...imports] = files(answer);
    expect(first!.name).toBe('spaceone/api/identity/v2/workspace_user.proto');
    const comments = first!.sourceCodeInfo!.location.map(({ leadingComments }) => leadingComments).join('');
    expect(comments).toContain('The users of a workspace');
    const names = imports.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['google/protobuf/struct.proto', 'google/api/http.proto']));
    expect(first!.dependency.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('answers several questions on one stream, each with the question', async () => {
    const question = { file_by_filename: 'spaceone/api/identity/v2/token.proto' };
    const [file, missing, symbol, extensions] = await ask(Client, [
      question,
      { file_by_filename: 'no/such.proto' },
      { file_containing_symbol: 'no.Such' },
      { all_extension_numbers_of_type: 'google.protobuf.MethodOptions' },
    ]);
    expect(files(file)[0]!.name).toBe(question.file_by_filename);
    expect(file!.original_request).toMatchObject(question);
    expect(missing!.error_response).toMatchObject({ error_code: status.NOT_FOUND });
    expect(symbol!.error_response).toMatchObject({ error_code: status.NOT_FOUND });
    expect(extensions!.all_extension_numbers_response!.base_type_name).toBe('google.protobuf.MethodOptions');
  });
});

it.each(Object.keys(versions))('%s refuses bytes that are no message', async (version) => {
  const client = new WireClient(service.address);
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
  const refused = await refusal(client.callPath(path, Buffer.from([10, 200, 1])));
  expect(refused.code).toBe(status.INVALID_ARGUMENT);
  client.close();
});
