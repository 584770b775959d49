/**
 * Writes the Envoy configuration that runs: envoy.yaml with every ${NAME:-default} replaced from the environment,
 * the services that have HTTP bindings, the Lua filters with the table of their paths, and the edge's own words.
 *
 *   node scripts/render-envoy.mjs > rendered.yaml
 *   node scripts/render-envoy.mjs --secrets edge-secrets
 *
 * The second one is needed with TLS alone: it writes to a folder where the certificates are. deploy/README.md lists the variables.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  discoveryOf,
  edgeHeaders,
  edgeTransport,
  endpointsOf,
  lbEndpoints,
  writeSecrets,
  upstreamTransport,
} from './launch/edge-sides.mjs';
import { readHttpRoutes } from './launch/http-routes.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

export { writeSecrets };

/** The largest bodies of a REST request in bytes: of any, and of one that comes without a token. */
const BODY_LIMITS = { MAX_BODY_BYTES: String(1024 * 1024), MAX_TOKENLESS_BODY_BYTES: String(128 * 1024) };

/** The most values in one body (deploy/edge-values.lua). */
const MAX_VALUES = String(20_000);

/** Where the transcoder leaves the path of the request. */
const ORIGINAL_PATH = 'x-envoy-original-path';

/** The headers that carry tokens. */
const TOKEN_HEADERS = ['authorization', 'token', 'x-auth-token'];

/**
 * @param {Record<string, string | undefined>} environment values of the placeholders
 * @param {string} descriptor the descriptor set to read the paths from
 * @returns {string} the complete configuration
 */
export function renderEnvoy(environment, descriptor = resolve(root, 'src/gen/descriptor.binpb')) {
  const { services, bindings, reads } = readHttpRoutes(descriptor);
  const endpoints = endpointsOf(environment);
  const words = readJson('deploy/edge-words.json');
  const families = readJson('deploy/edge-families.json');
  const ofFamilies = servicesOf(families, bindings);
  const tables = {
    ...luaTables(bindings),
    FAMILIES: luaFamilies(families),
    OWN_WORDS: luaWords(words),
    TOKEN_HEADERS: luaSet(TOKEN_HEADERS),
    ...BODY_LIMITS,
  };
  const lua = (parts, values) => {
    const files = ['shared', ...parts].map((part) => resolve(root, `deploy/edge-${part}.lua`));
    return JSON.stringify(fill(files.map((file) => readFileSync(file, 'utf8')).join('\n'), values));
  };
  return fill(readFileSync(resolve(root, 'envoy.yaml'), 'utf8'), {
    DESCRIPTOR: descriptor,
    ...environment,
    SERVICE_DISCOVERY: environment.SERVICE_DISCOVERY || discoveryOf(endpoints),
    ENDPOINTS: JSON.stringify(lbEndpoints(endpoints)),
    EDGE_TRANSPORT: JSON.stringify(edgeTransport(environment)),
    EDGE_TLS_HEADERS: JSON.stringify(edgeHeaders(environment)),
    UPSTREAM_TRANSPORT: JSON.stringify(upstreamTransport(environment, endpoints)),
    READ_PATHS: JSON.stringify(reads.map((path) => path.replaceAll('.', '[.]')).join('|')),
    EDGE_SERVICES: JSON.stringify(services.filter((service) => !ofFamilies.includes(service))),
    FAMILY_SERVICES: JSON.stringify(ofFamilies),
    FAMILY_PATHS: JSON.stringify(Object.values(families).map(pathRegex).join('|')),
    EDGE_LUA: lua(['request', 'errors', 'answer'], tables),
    EDGE_VALUES_LUA: lua(['values'], { MAX_VALUES }),
    EDGE_LOCAL_REPLIES: JSON.stringify(localReplies(words, families)),
    NO_TOKEN: JSON.stringify(
      TOKEN_HEADERS.map((name) => ({ name, present_match: true, invert_match: true })),
    ),
    ...BODY_LIMITS,
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

function readJson(file) {
  return JSON.parse(readFileSync(resolve(root, file), 'utf8'));
}

/** The services with a path in a family; they are transcoded with every field, empty or not. */
function servicesOf(families, bindings) {
  const regex = new RegExp(`^(?:${Object.values(families).map(pathRegex).join('|')})$`);
  return [...new Set(bindings.filter(({ path }) => regex.test(path)).map(({ service }) => service))].sort();
}

/** The paths of a family as a regular expression. */
function pathRegex({ paths, below }) {
  const quote = (path) => path.replaceAll('.', '[.]');
  return [...paths.map(quote), ...below.map((path) => `${quote(path)}(?:/.*)?`)].join('|');
}

function luaFamilies(families) {
  const lines = Object.entries(families).map(([name, { paths, below, error, marks, instead, headers }]) => {
    const patterns = [
      ...paths.map((path) => `^${luaQuote(path)}$`),
      ...below.flatMap((path) => [`^${luaQuote(path)}$`, `^${luaQuote(path)}/`]),
    ];
    const table = {
      patterns: `{ ${patterns.map((pattern) => JSON.stringify(pattern)).join(', ')} }`,
      error: JSON.stringify(error),
      marks: luaMap(marks),
      instead: luaMap(instead),
      headers: luaMap(headers),
    };
    const fields = Object.entries(table).map(([key, value]) => `    ${key} = ${value},`);
    return `  [${JSON.stringify(name)}] = {\n${fields.join('\n')}\n  },`;
  });
  return `{\n${lines.join('\n')}\n}`;
}

function luaMap(values) {
  const entries = Object.entries(values).map(([key, value]) => {
    return `[${/^\d+$/.test(key) ? key : JSON.stringify(key)}] = ${JSON.stringify(value)}`;
  });
  return `{ ${entries.join(', ')} }`;
}

function luaQuote(text) {
  return text.replace(/[^\w/]/g, '%$&');
}

function luaTables(bindings) {
  const paths = new Map();
  for (const { method, path, query } of bindings) {
    const entry = paths.get(path) ?? {};
    entry[method] = query;
    // What can be read can be asked about.
    if (method === 'GET') entry.HEAD = query;
    paths.set(path, entry);
  }
  const exact = [];
  const patterns = [];
  for (const [path, queries] of paths) {
    const allow = JSON.stringify(Object.keys(queries).sort().join(', '));
    const names = Object.entries(queries).map(([method, query]) => `${method} = ${luaSet(query)}`);
    const entry = `{ allow = ${allow}, query = { ${names.join(', ')} } }`;
    if (path.includes('{')) patterns.push(`  { ${JSON.stringify(luaPattern(path))}, ${entry} },`);
    else exact.push(`  [${JSON.stringify(path)}] = ${entry},`);
  }
  const table = (lines) => `{\n${lines.join('\n')}\n}`;
  return { EXACT_PATHS: table(exact), PATH_PATTERNS: table(patterns) };
}

function luaSet(names) {
  return luaMap(Object.fromEntries(names.map((name) => [name, true])));
}

function luaWords(words) {
  const lines = Object.entries(words).map(([status, [code, ...texts]]) => {
    return `  [${status}] = { ${[code, ...texts.map((text) => JSON.stringify(text))].join(', ')} },`;
  });
  return `{\n${lines.join('\n')}\n}`;
}

/**
 * The bodies of answers that Envoy makes when the Lua filter has gone by already. What is refused earlier is left to the
 * filter, which is told by a header what it cannot see of a request that never reached it; so is native gRPC, where the
 * text would become the grpc-message.
 */
function localReplies(words, families) {
  const late = Object.entries(words).filter(([status]) => status === '408' || status >= '500');
  const others = late.map(([status, [code, reason, message]]) => {
    const body = { code, message: `${reason}: ${message}`, details: [], detail: { code: reason, message } };
    const transcoded = { header: { name: ORIGINAL_PATH, present_match: true } };
    return { filter: allOf(transcoded, status), body_format_override: jsonBody(JSON.stringify(body)) };
  });
  return [
    ...Object.values(families).flatMap((family) =>
      late.map(([status]) => familyReply(status, words, family)),
    ),
    ...others,
    {
      // Every other one.
      filter: { not_health_check_filter: {} },
      headers_to_add: [
        // What is refused so early that it has no id yet gets one; elsewhere the id of the request takes its place.
        addedHeader('x-request-id', '%UNIQUE_ID%'),
        addedHeader('x-edge-request', '%REQ(:METHOD)% %REQ(:PATH)%'),
      ],
    },
  ];
}

function familyReply(status, words, family) {
  const answered = family.instead[status] ?? Number(status);
  const values = { status: answered, text: words[answered][2], mark: family.marks[answered] };
  return {
    filter: allOf(pathMatcher(ORIGINAL_PATH, family), status),
    status_code: answered,
    headers_to_add: Object.entries(family.headers).map(([name, value]) =>
      addedHeader(name, value.replace('{id}', '%REQ(X-REQUEST-ID)%')),
    ),
    body_format_override: jsonBody(family.error.replace(/\{([a-z]+)\}/g, (_, name) => values[name])),
  };
}

function pathMatcher(header, family) {
  return {
    header: { name: header, string_match: { safe_regex: { regex: `(?:${pathRegex(family)})(?:[?].*)?` } } },
  };
}

function jsonBody(text) {
  return { text_format_source: { inline_string: text }, content_type: 'application/json' };
}

function addedHeader(key, value) {
  return { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' };
}

/** A filter on request headers and, given as a text, the status of the reply. */
function allOf(...conditions) {
  const filters = conditions.map((condition) => {
    if (typeof condition !== 'string') return { header_filter: condition };
    const value = { default_value: Number(condition), runtime_key: `edge.status.${condition}` };
    return { status_code_filter: { comparison: { op: 'EQ', value } } };
  });
  return filters.length === 1 ? filters[0] : { and_filter: { filters } };
}

/** A path template as a Lua pattern: a variable or * is one segment, ** any number of them. */
function luaPattern(template) {
  const parts = template.split(/(\{[^}]*\}|\*\*|\*)/);
  const body = parts.map((part, index) => {
    if (index % 2 === 0) return luaQuote(part);
    return part.includes('**') ? '.*' : '[^/]+';
  });
  return `^${body.join('')}$`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--secrets');
  if (at < 0) process.stdout.write(renderEnvoy(process.env));
  else writeSecrets(process.env, process.argv[at + 1] ?? 'edge-secrets');
}
