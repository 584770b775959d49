/**
 * Writes the Envoy configuration that runs: envoy.yaml with every ${NAME:-default} replaced from the environment,
 * the services that have HTTP bindings, and the Lua filter with the table of their paths.
 *
 *   node scripts/render-envoy.mjs > rendered.yaml
 *
 * The names that may be set: REST_HOST, REST_PORT, GRPC_HOST, GRPC_PORT, SERVICE_DISCOVERY (STATIC for an address,
 * STRICT_DNS for a host name) and DESCRIPTOR (the descriptor set as the running Envoy finds it).
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readHttpRoutes } from './launch/http-routes.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param {Record<string, string | undefined>} environment values of the placeholders
 * @param {string} descriptor the descriptor set to read the paths from
 * @returns {string} the complete configuration
 */
export function renderEnvoy(environment, descriptor = resolve(root, 'src/gen/descriptor.binpb')) {
  const { services, bindings } = readHttpRoutes(descriptor);
  const lua = fill(readFileSync(resolve(root, 'deploy/edge.lua'), 'utf8'), luaTables(bindings));
  return fill(readFileSync(resolve(root, 'envoy.yaml'), 'utf8'), {
    DESCRIPTOR: descriptor,
    ...environment,
    EDGE_SERVICES: JSON.stringify(services),
    EDGE_LUA: JSON.stringify(lua),
  });
}

function fill(text, values) {
  return text.replace(/^(\s*(?:#|--).*)$|\$\{(\w+)(?::-([^}]*))?\}/gm, (whole, comment, name, fallback) => {
    if (comment !== undefined) return comment;
    const value = values[name] || fallback;
    if (value === undefined) throw new Error(`${name} has no value`);
    return value;
  });
}

function luaTables(bindings) {
  const methods = new Map();
  for (const { method, path } of bindings) methods.set(path, [...(methods.get(path) ?? []), method]);
  const exact = [];
  const patterns = [];
  for (const [path, verbs] of methods) {
    const list = JSON.stringify([...new Set(verbs)].sort().join(', '));
    if (path.includes('{')) patterns.push(`  { ${JSON.stringify(luaPattern(path))}, ${list} },`);
    else exact.push(`  [${JSON.stringify(path)}] = ${list},`);
  }
  const table = (lines) => `{\n${lines.join('\n')}\n}`;
  return { EXACT_PATHS: table(exact), PATH_PATTERNS: table(patterns) };
}

/** A path template as a Lua pattern: a variable or * is one segment, ** any number of them. */
function luaPattern(template) {
  const parts = template.split(/(\{[^}]*\}|\*\*|\*)/);
  const body = parts.map((part, index) => {
    if (index % 2 === 0) return part.replace(/[^\w/]/g, '%$&');
    return part.includes('**') ? '.*' : '[^/]+';
  });
  return `^${body.join('')}$`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(renderEnvoy(process.env));
