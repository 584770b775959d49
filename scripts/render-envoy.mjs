/**
 * Writes the Envoy configuration that runs: envoy.yaml with every ${NAME:-default} replaced from the environment,
 * the services that have HTTP bindings, the Lua filter with the table of their paths, and the edge's own words.
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

/** The largest body of a REST request, the same as the service's limit of a message. */
const MAX_BODY_BYTES = String(4 * 1024 * 1024);

/**
 * @param {Record<string, string | undefined>} environment values of the placeholders
 * @param {string} descriptor the descriptor set to read the paths from
 * @returns {string} the complete configuration
 */
export function renderEnvoy(environment, descriptor = resolve(root, 'src/gen/descriptor.binpb')) {
  const { services, bindings } = readHttpRoutes(descriptor);
  const words = JSON.parse(readFileSync(resolve(root, 'deploy/edge-words.json'), 'utf8'));
  const tables = { ...luaTables(bindings), OWN_WORDS: luaWords(words), MAX_BODY_BYTES };
  const lua = fill(readFileSync(resolve(root, 'deploy/edge.lua'), 'utf8'), tables);
  return fill(readFileSync(resolve(root, 'envoy.yaml'), 'utf8'), {
    DESCRIPTOR: descriptor,
    ...environment,
    EDGE_SERVICES: JSON.stringify(services),
    EDGE_LUA: JSON.stringify(lua),
    EDGE_LOCAL_REPLIES: JSON.stringify(localReplies(words)),
    MAX_BODY_BYTES,
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

function luaWords(words) {
  const lines = Object.entries(words).map(([status, [code, ...texts]]) => {
    return `  [${status}] = { ${[code, ...texts.map((text) => JSON.stringify(text))].join(', ')} },`;
  });
  return `{\n${lines.join('\n')}\n}`;
}

/**
 * The bodies of answers that Envoy makes when the Lua filter has gone by already. What is refused before the transcoder
 * is left to the filter; so is native gRPC, where the text would become the grpc-message.
 */
function localReplies(words) {
  const late = Object.entries(words).filter(([status]) => status === '408' || status >= '500');
  const transcoded = { header_filter: { header: { name: 'x-envoy-original-path', present_match: true } } };
  const bodies = late.map(([status, [code, reason, message]]) => {
    const body = { code, message: `${reason}: ${message}`, details: [], detail: { code: reason, message } };
    const value = { default_value: Number(status), runtime_key: `edge.status.${status}` };
    return {
      filter: {
        and_filter: { filters: [transcoded, { status_code_filter: { comparison: { op: 'EQ', value } } }] },
      },
      body_format_override: {
        text_format_source: { inline_string: JSON.stringify(body) },
        content_type: 'application/json',
      },
    };
  });
  // No path takes HEAD, so the edge answers each itself. The filter does not see the method of what never reached it.
  const head = {
    filter: { header_filter: { header: { name: ':method', string_match: { exact: 'HEAD' } } } },
    headers_to_add: [{ header: { key: 'x-edge-head', value: 'true' } }],
  };
  return [head, ...bodies];
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
