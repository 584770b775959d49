import { readFileSync } from 'node:fs';
import { createFileRegistry, fromBinary, getExtension, hasExtension } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/**
 * Reads which services and paths a descriptor set binds to HTTP.
 * @param {string} descriptorFile a binary google.protobuf.FileDescriptorSet
 * @returns {{ services: string[], bindings: { service: string, method: string, path: string, query: string[] }[] }}
 *   services that have a binding, and every binding, additional ones included, with the fields that are neither in its
 *   path nor its body
 */
export function readHttpRoutes(descriptorFile) {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorFile)));
  const http = registry.getExtension('google.api.http');
  if (!http) throw new Error(`${descriptorFile} has no google.api.http option`);
  const services = [];
  const bindings = [];
  for (const service of [...registry].filter((type) => type.kind === 'service')) {
    const found = service.methods.flatMap(({ proto: { options }, input }) => {
      if (!options || !hasExtension(options, http)) return [];
      return withAdditional(getExtension(options, http)).map((rule) => toBinding(rule, service, input));
    });
    if (found.length > 0) services.push(service.typeName);
    bindings.push(...found);
  }
  return { services: services.sort(), bindings };
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
  return { service: typeName, method, path, query: query.map(({ name }) => name) };
}
