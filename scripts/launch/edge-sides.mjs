// The two sides of the edge: how its listener and its connections to the service are secured, and where the service is.
import { mkdirSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';

const ENVOY = 'type.googleapis.com/envoy.extensions.transport_sockets';
const PLAIN = {
  name: 'envoy.transport_sockets.raw_buffer',
  typed_config: { '@type': `${ENVOY}.raw_buffer.v3.RawBuffer` },
};
/** TLS 1.2 or newer; its suites are those of BoringSSL with forward secrecy. */
const VERSIONS = { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' };
/** A browser that was here once comes back over TLS alone, for a year (RFC 6797). */
const HSTS = { key: 'strict-transport-security', value: 'max-age=31536000' };
/** Where Envoy finds what `--secrets` writes. */
const SECRETS = 'edge-secrets';

/** What says how both sides are secured, beside EDGE_SECRETS. */
const TLS_VARIABLES = [
  'EDGE_TLS_CERT',
  'EDGE_TLS_KEY',
  'UPSTREAM_TLS_CA',
  'UPSTREAM_TLS_NAME',
  'UPSTREAM_TLS_CERT',
  'UPSTREAM_TLS_KEY',
];

/** Of an environment, what says how the sides are secured. */
export function tlsVariables(environment) {
  return Object.fromEntries(TLS_VARIABLES.map((name) => [name, environment[name]]));
}

/**
 * The instances of the service: GRPC_ENDPOINTS (host:port, comma separated), else GRPC_HOST and GRPC_PORT.
 * @param {Record<string, string | undefined>} environment
 * @returns {{ address: string, port: number }[]}
 */
export function endpointsOf({ GRPC_ENDPOINTS: endpoints, GRPC_HOST: host, GRPC_PORT: port }) {
  if (!endpoints) return [{ address: host || '127.0.0.1', port: Number(port || 50051) }];
  return endpoints.split(',').map((text) => {
    const [, bracketed, plain, number] =
      /^(?:\[([\da-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text.trim()) ?? [];
    const found = { address: bracketed ?? plain, port: Number(number) };
    if (!(found.port >= 1 && found.port <= 65_535))
      throw new Error(`GRPC_ENDPOINTS: "${text.trim()}" is no host:port`);
    return found;
  });
}

/** How Envoy finds them: by address, or by asking for names again and again. */
export function discoveryOf(endpoints) {
  return endpoints.every(({ address }) => isIP(address)) ? 'STATIC' : 'STRICT_DNS';
}

/** Where the edge of this machine answers. */
export function edgeUrl({ REST_PORT: port }, { EDGE_TLS_CERT: certificate }) {
  return `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`;
}

/** The endpoints as Envoy writes them. */
export function lbEndpoints(endpoints) {
  return endpoints.map(({ address, port }) => ({
    endpoint: { address: { socket_address: { address, port_value: port } } },
  }));
}

/** The socket of the listener: plain, or TLS when EDGE_TLS_CERT and EDGE_TLS_KEY are set. */
export function edgeTransport(environment) {
  if (!isPair(environment, 'EDGE_TLS_CERT', 'EDGE_TLS_KEY')) return PLAIN;
  return tlsSocket('DownstreamTlsContext', {
    common_tls_context: {
      tls_params: VERSIONS,
      alpn_protocols: ['h2', 'http/1.1'],
      tls_certificate_sds_secret_configs: [secret('edge', environment)],
    },
  });
}

/** Headers of every answer that only mean something over TLS. */
export function edgeHeaders(environment) {
  if (!isPair(environment, 'EDGE_TLS_CERT', 'EDGE_TLS_KEY')) return [];
  return [{ header: HSTS, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }];
}

/**
 * The socket to the service: plain, or TLS when UPSTREAM_TLS_CA is set, which the certificate of the service and the name
 * in it are checked against; with UPSTREAM_TLS_CERT and UPSTREAM_TLS_KEY the edge shows who it is.
 */
export function upstreamTransport(environment, endpoints) {
  const shown = isPair(environment, 'UPSTREAM_TLS_CERT', 'UPSTREAM_TLS_KEY');
  if (!environment.UPSTREAM_TLS_CA) {
    if (shown) throw new Error('UPSTREAM_TLS_CA is not set, but UPSTREAM_TLS_CERT is');
    return PLAIN;
  }
  const name = upstreamName(environment, endpoints);
  const kind = isIP(name) ? 'IP_ADDRESS' : 'DNS';
  return tlsSocket('UpstreamTlsContext', {
    ...(kind === 'DNS' ? { sni: name } : {}),
    common_tls_context: {
      tls_params: VERSIONS,
      alpn_protocols: ['h2'],
      ...(shown ? { tls_certificate_sds_secret_configs: [secret('upstream', environment)] } : {}),
      combined_validation_context: {
        default_validation_context: {
          match_typed_subject_alt_names: [{ san_type: kind, matcher: { exact: name } }],
        },
        validation_context_sds_secret_config: secret('upstream-authority', environment),
      },
    },
  });
}

/**
 * Writes the files that tell Envoy where each certificate is; it reads a certificate again when one is moved into its
 * place.
 * @param {Record<string, string | undefined>} environment
 * @param {string} folder is made if need be
 */
export function writeSecrets(environment, folder) {
  const { EDGE_TLS_CERT, EDGE_TLS_KEY, UPSTREAM_TLS_CERT, UPSTREAM_TLS_KEY, UPSTREAM_TLS_CA } = environment;
  mkdirSync(folder, { recursive: true });
  // One in each: Envoy takes no more from a file.
  const write = (name, fields) => {
    const resources = [{ '@type': `${ENVOY}.tls.v3.Secret`, name, ...fields }];
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ resources }, undefined, 2)}\n`);
  };
  if (EDGE_TLS_CERT) write('edge', certificate(EDGE_TLS_CERT, EDGE_TLS_KEY));
  if (UPSTREAM_TLS_CERT) write('upstream', certificate(UPSTREAM_TLS_CERT, UPSTREAM_TLS_KEY));
  if (UPSTREAM_TLS_CA)
    write('upstream-authority', { validation_context: { trusted_ca: { filename: UPSTREAM_TLS_CA } } });
}

/** Whether both are set; @throws Error when only one is. */
function isPair(environment, certificate, key) {
  for (const [one, other] of [
    [certificate, key],
    [key, certificate],
  ]) {
    if (environment[one] && !environment[other]) throw new Error(`${other} is not set, but ${one} is`);
  }
  return Boolean(environment[certificate]);
}

function upstreamName({ UPSTREAM_TLS_NAME: name }, endpoints) {
  const hosts = [...new Set(endpoints.map(({ address }) => address))];
  if (!name && hosts.length > 1)
    throw new Error(
      'UPSTREAM_TLS_NAME is not set: the name that the certificates of all GRPC_ENDPOINTS have',
    );
  return name || hosts[0];
}

function tlsSocket(context, fields) {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: { '@type': `${ENVOY}.tls.v3.${context}`, ...fields },
  };
}

function secret(name, { EDGE_SECRETS: folder }) {
  const path = `${(folder || SECRETS).replace(/[/]$/, '')}/${name}.json`;
  return { name, sds_config: { path_config_source: { path }, resource_api_version: 'V3' } };
}

function certificate(chain, key) {
  return { tls_certificate: { certificate_chain: { filename: chain }, private_key: { filename: key } } };
}
