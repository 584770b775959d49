import { readFileSync } from 'node:fs';
import { createFileRegistry, fromBinary, getExtension, hasExtension } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/**
 * Reads which services and paths a descriptor set binds to HTTP.
 * @param {string} descriptorFile a binary google.protobuf.FileDescriptorSet
 * @returns {{ services: string[], bindings: { service: string, method: string, path: string }[] }} services that have a binding,
 *   and every binding, additional ones included
 */
export function readHttpRoutes(descriptorFile) {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorFile)));
  const http = registry.getExtension('google.api.http');
  if (!http) throw new Error(`${descriptorFile} has no google.api.http option`);
  const services = [];
  const bindings = [];
  for (const service of [...registry].filter((type) => type.kind === 'service')) {
    const rules = service.methods
      .map((method) => method.proto.options)
      .filter((options) => options && hasExtension(options, http))
      .flatMap((options) => withAdditional(getExtension(options, http)));
    if (rules.length > 0) services.push(service.typeName);
    bindings.push(...rules.map((rule) => ({ service: service.typeName, ...toBinding(rule) })));
  }
  return { services: services.sort(), bindings };
}

function withAdditional(rule) {
  return [rule, ...rule.additionalBindings];
}

function toBinding({ pattern }) {
  if (pattern.case === 'custom') return { method: pattern.value.kind, path: pattern.value.path };
  return { method: pattern.case.toUpperCase(), path: pattern.value };
}
