import { getExtension, hasExtension } from '@bufbuild/protobuf';
import type { DescMethod } from '@bufbuild/protobuf';
import { registry } from '../wire-client.js';

const services = [...registry].filter((type) => type.kind === 'service');

/** Every method of the descriptor that takes one message and answers one, whatever package it is in. */
export const unaryMethods: readonly DescMethod[] = services
  .flatMap(({ methods }) => methods)
  .filter(({ methodKind }) => methodKind === 'unary');

/** `/package.Service/method`, as it goes over the wire. */
export function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

/** Every name that a field of the descriptor has: what a caller could guess. */
export const fieldNames: readonly string[] = [
  ...new Set(
    [...registry].flatMap((type) => (type.kind === 'message' ? type.fields.map(({ name }) => name) : [])),
  ),
].sort();

/** One HTTP binding of a method. */
export interface Binding {
  method: DescMethod;
  verb: string;
  /** With variables in braces. */
  path: string;
  /** Name of the field that the body is, `*` for the whole message, or empty. */
  body: string;
}

interface HttpRule {
  pattern: { case: string; value: string | { kind: string; path: string } };
  body: string;
  additionalBindings: HttpRule[];
}

/** Every HTTP binding of the descriptor. */
export function httpBindings(): Binding[] {
  const http = registry.getExtension('google.api.http')!;
  return unaryMethods.flatMap((method) => {
    const { options } = method.proto;
    if (!options || !hasExtension(options, http)) return [];
    const rule: unknown = getExtension(options, http);
    return everyRule(rule as HttpRule).map(({ pattern, body }) => {
      const { case: verb, value } = pattern;
      if (typeof value === 'string') return { method, verb: verb.toUpperCase(), path: value, body };
      return { method, verb: value.kind, path: value.path, body };
    });
  });
}

function everyRule(rule: HttpRule): HttpRule[] {
  return [rule, ...rule.additionalBindings];
}
