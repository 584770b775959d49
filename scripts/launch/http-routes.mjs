import { readFileSync } from 'node:fs';
import { createFileRegistry, fromBinary, getExtension, hasExtension } from '@bufbuild/protobuf';
import { protoCamelCase } from '@bufbuild/protobuf/reflect';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

const READ_NAME = /^(?:(?:get|list|stat|find)(?:_|$)|(?:Get|List|Stat|Find)(?=[A-Z]|$))/;

/**
 * Reads which services and paths a descriptor set binds to HTTP.
 * @param {string} descriptorFile a binary google.protobuf.FileDescriptorSet
 * @returns {{ services: string[], bindings: { service: string, method: string, path: string, query: string[] }[], reads: string[] }}
 *   services that have a binding, every binding, additional ones included, with the fields that are neither in its
 *   path nor its body, and the gRPC paths of the methods that change nothing
 */
export function readHttpRoutes(descriptorFile) {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorFile)));
  const http = registry.getExtension('google.api.http');
  if (!http) throw new Error(`${descriptorFile} has no google.api.http option`);
  const services = [];
  const bindings = [];
  const reads = [];
  for (const service of [...registry].filter((type) => type.kind === 'service')) {
    const found = service.methods.flatMap(({ proto: { options }, input }) => {
      if (!options || !hasExtension(options, http)) return [];
      return withAdditional(getExtension(options, http)).map((rule) => toBinding(rule, service, input));
    });
    if (found.length > 0) services.push(service.typeName);
    bindings.push(...found);
    reads.push(...service.methods.filter((method) => changesNothing(method, http)).map(grpcPath));
  }
  return { services: services.sort(), bindings, reads: reads.sort() };
}

/** By its name, `get_workspaces` or `ListUsers`, or because HTTP says so of its verb. */
function changesNothing({ name, methodKind, proto: { options } }, http) {
  if (methodKind !== 'unary') return false;
  const verb = options && hasExtension(options, http) ? getExtension(options, http).pattern.case : undefined;
  return verb === 'get' || READ_NAME.test(name);
}

function grpcPath({ parent, name }) {
  return `/${parent.typeName}/${name}`;
}

/** A parameter that no field of a proto could be called has its name as json_name. */
function nameInQuery({ name, jsonName }) {
  return jsonName === protoCamelCase(name) ? name : jsonName;
}

function withAdditional(rule) {
  return [rule, ...rule.additionalBindings];
}

function toBinding({ pattern, body }, { typeName }, { fields }) {
  const [method, path] =
    pattern.case === 'custom'
      ? [pattern.value.kind, pattern.value.path]
      : [pattern.case.toUpperCase(), pattern.value];
  const inPath = new Set([...path.matchAll(/\{([^}=]+)/g)].map(([, name]) => name));
  const query = fields.filter(({ fieldKind, name }) => {
    return fieldKind === 'scalar' && !inPath.has(name) && name !== body;
  });
  return { service: typeName, method, path, query: query.map(nameInQuery) };
}
