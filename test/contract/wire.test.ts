import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromBinary } from '@bufbuild/protobuf';
import type { DescriptorProto, EnumDescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const descriptor = here('../../src/gen/descriptor.binpb');
const table = here('wire.tsv');
const services = ['System', 'Domain', 'Token', 'UserProfile', 'WorkspaceUser'];
const prefix = 'spaceone.api.identity.v2.';

const compare = [
  here('wire_table.py'),
  ...['--fds', descriptor, '--diff', table, '--services', services.join(',')],
];

/** What we answer to beyond the reference (contract/upstream-defects.md 5, rows 2 and 8), as the script prints it. */
const ownFields = [
  'UpdateUserProfileRequest password number=50 type=string',
  'EnableMFARequest user_id number=50 type=string',
  'EnableMFARequest domain_id number=51 type=string',
  'DisableMFARequest user_id number=50 type=string',
  'DisableMFARequest domain_id number=51 type=string',
  'DisableMFARequest force number=52 type=bool',
  'ConfirmMFARequest user_id number=50 type=string',
  'ConfirmMFARequest domain_id number=51 type=string',
];

/** The same method without a version in the path, and under v2 where the contract says v1. */
function ownPaths(): string[] {
  const rows = readFileSync(table, 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([kind, owner]) => kind === 'rpc' && services.includes(owner?.replace(prefix, '') ?? ''));
  return rows.flatMap(([, owner = '', method, , , , http = '-']) => {
    if (http === '-') return [];
    const paths = [http.replace(/\/v\d\//, '/')];
    if (http.includes('/v1/')) paths.push(http.replace('/v1/', '/v2/'));
    return paths.map((path) => `${owner.replace(prefix, '')} ${method} ${path}`);
  });
}

function extras(): string[] {
  const printed = spawnSync('python3', compare, { encoding: 'utf8' }).stdout;
  return printed
    .trim()
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').replace(prefix, ''));
}

const files = fromBinary(FileDescriptorSetSchema, readFileSync(descriptor)).file;
const ours = files.filter((file) => !/^(google|grpc)\./.test(file.package));

function enumPaths(path: number[], item: EnumDescriptorProto, name: string): [string, number[]][] {
  return [
    [name, path],
    ...item.value.map((value, i): [string, number[]] => [`${name}.${value.name}`, [...path, 2, i]]),
  ];
}

function messagePaths(path: number[], item: DescriptorProto, name: string): [string, number[]][] {
  return [
    [name, path],
    ...item.field.map((field, i): [string, number[]] => [`${name}.${field.name}`, [...path, 2, i]]),
    ...item.enumType.flatMap((inner, i) => enumPaths([...path, 4, i], inner, `${name}.${inner.name}`)),
    ...item.nestedType.flatMap((inner, i) => messagePaths([...path, 3, i], inner, `${name}.${inner.name}`)),
  ];
}

/** Every element that must carry a comment, with its path in the source info of the file. */
function elements(file: FileDescriptorProto): [string, number[]][] {
  return [
    ...file.messageType.flatMap((item, i) => messagePaths([4, i], item, item.name)),
    ...file.enumType.flatMap((item, i) => enumPaths([5, i], item, item.name)),
    ...file.service.flatMap((item, i): [string, number[]][] => [
      [item.name, [6, i]],
      ...item.method.map((method, j): [string, number[]] => [`${item.name}/${method.name}`, [6, i, 2, j]]),
    ]),
  ];
}

function uncommented(file: FileDescriptorProto): string[] {
  const commented = new Set(
    file.sourceCodeInfo?.location
      .filter((location) => location.leadingComments.trim())
      .map((location) => location.path.join('.')),
  );
  return elements(file)
    .filter(([, path]) => !commented.has(path.join('.')))
    .map(([name]) => `${file.name} ${name}`);
}

describe('the wire', () => {
  it('has everything the reference has, with the same names, numbers, types and paths', () => {
    expect(() => execFileSync('python3', [...compare, '--allow-extra'], { stdio: 'pipe' })).not.toThrow();
  });

  it('has only the known additions: fields numbered from 50 and more paths', () => {
    const fields = ownFields.map((field) => {
      const name = field.split(' ')[1] ?? '';
      const json = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
      return `extra field ${field} label=singular json=${json}`;
    });
    const paths = ownPaths().map((path) => `extra http ${path} bound`);
    expect(extras().sort()).toEqual([...fields, ...paths].sort());
  });

  it('explains every service, method, message, field and enum value', () => {
    expect(ours.flatMap(uncommented)).toEqual([]);
  });

  it('marks every secret for redaction', () => {
    const secret = /password$|token$|^credentials$|^verify_code$|^passcode$|^TokenProof.id$/;
    const open = ours
      .flatMap((file) => file.messageType)
      .flatMap((message) => message.field.map((field) => ({ message, field })))
      .filter(({ message, field }) => secret.test(field.name) || secret.test(`${message.name}.${field.name}`))
      .filter(({ field }) => !field.options?.debugRedact)
      .map(({ message, field }) => `${message.name}.${field.name}`);
    // Whether a password shall be reset; messages that hold a secret, which is marked itself; and what a token stands for.
    expect(open.sort()).toEqual([
      'Admin.reset_password',
      'CreateTokenResponse.token',
      'CreateWorkspaceUserRequest.reset_password',
      'GetTokenResponse.token',
      'Identity.password',
      'Identity.token',
    ]);
  });

  it('brings its own imports, the standard services and the error details', () => {
    const names = files.map((file) => file.name);
    expect(files.flatMap((file) => file.dependency).filter((name) => !names.includes(name))).toEqual([]);
    expect(files.flatMap((file) => file.service.map((item) => `${file.package}.${item.name}`))).toEqual(
      expect.arrayContaining([
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
        'spaceone.api.core.v1.ServerInfo',
      ]),
    );
    expect(names).toContain('google/rpc/error_details.proto');
  });
});
