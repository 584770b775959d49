import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { edgeUrl } from './edge-sides.mjs';
import { root } from './places.mjs';
import { findProgram, findGrpcurl } from './tools.mjs';

const SERVICE = 'spaceone.api.identity.v2';

/**
 * What a person needs after the start: addresses, accounts, and calls to paste.
 * @param {ReturnType<import('./settings.mjs').readSettings>} settings
 * @returns {string}
 */
export function greeting({ port, accounts, smtpUrl, logs }) {
  const grpc = `127.0.0.1:${port.GRPC_PORT}`;
  const rest = edgeUrl(port, process.env);
  const page = `http://127.0.0.1:${port.MAILBOX_PORT}`;
  const mailbox = smtpUrl ? 'none of our own (SMTP_URL is set)' : `${page}   (as JSON: ${page}/api/email)`;
  const lines = [
    '',
    'Identity is running.',
    '',
    `  gRPC      ${grpc}`,
    `  REST      ${rest}`,
    `  Mailbox   ${mailbox}`,
  ];
  lines.push(`  Logs      ${relative(root, logs)}/`, '');
  const list = existsSync(accounts) ? JSON.parse(readFileSync(accounts, 'utf8')) : [];
  if (list.length === 0) {
    lines.push(`The database was set up elsewhere: ${relative(root, accounts)} knows no account of it.`);
  } else {
    lines.push(`Accounts (also in ${relative(root, accounts)})`, '', ...accountTable(list), '');
    lines.push(...firstCalls(list, grpc, rest));
  }
  lines.push('', 'Ctrl-C stops everything; the data stay.');
  return lines.join('\n');
}

function accountTable(accounts) {
  const rows = accounts.map(({ user_id, password, domain_name, role_type, workspaces }) => [
    user_id,
    password,
    domain_name,
    role_type,
    workspaces.map(({ name, role_type: role }) => `${name}: ${role}`).join(', '),
  ]);
  const table = [['user', 'password', 'domain', 'role type', 'workspaces'], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd(),
  );
}

function firstCalls(accounts, grpc, rest) {
  const { domain_id, user_id, password } = accounts[0];
  const inDomain = accounts.filter((account) => account.domain_id === domain_id);
  const signIn = JSON.stringify({ domain_id, auth_type: 'LOCAL', credentials: { user_id, password } });
  const workspace = inDomain.flatMap(({ workspaces }) => workspaces)[0]?.workspace_id;
  // Within single quotes of the shell, so that the tokens are put in by it.
  const grant = `{"grant_type":"REFRESH_TOKEN","scope":"WORKSPACE","workspace_id":"${workspace}","token":"'$REFRESH'"}`;
  const lines = [];
  lines.push('The first calls over REST, to paste', '', ...curlCalls(rest, signIn, grant), '');
  lines.push('The same over gRPC', '', ...grpcurlCalls(grpc, signIn, grant), '');
  lines.push('The same person at the IAM systems', '', ...iamCalls(rest, accounts[0]));
  return lines;
}

function curlCalls(rest, signIn, grant) {
  const post = (path, body, ...more) =>
    [
      `curl -s ${rest}/identity/v2/${path}`,
      ...more,
      '-H "content-type: application/json"',
      `-d ${quote(body)}`,
    ].join(' ');
  const bearer = (name) => `-H "authorization: Bearer $${name}"`;
  return indent([
    `TOKENS=$(${post('token/issue', signIn)})`,
    `ACCESS=$(${pick('TOKENS', 'access_token')}); REFRESH=$(${pick('TOKENS', 'refresh_token')})`,
    post('user-profile/get', '{}', bearer('ACCESS')),
    `GRANT=$(${post('token/grant', grant)})`,
    `WORKSPACE=$(${pick('GRANT', 'access_token')})`,
    post('workspace-user/list', '{}', bearer('WORKSPACE')),
  ]);
}

function iamCalls(rest, { domain_id, user_id, password }) {
  const user = { name: user_id, domain: { id: domain_id }, password };
  const signIn = JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } } } });
  const token = `tr -d '\\r' | sed -n 's/^x-subject-token: *//p'`;
  return indent([
    `IAM=$(curl -si ${rest}/v3/auth/tokens -H "content-type: application/json" -d ${quote(signIn)} | ${token})`,
    `curl -s ${rest}/v3.0/OS-USER/users/${user_id} -H "x-auth-token: $IAM"`,
  ]);
}

function grpcurlCalls(grpc, signIn, grant) {
  const installed = findProgram('grpcurl') ? 'grpcurl' : findGrpcurl();
  const call = (method, body, ...more) =>
    [
      `${installed ?? 'grpcurl'} ${grpcurlSecurity(process.env)}`,
      ...more,
      `-d ${quote(body)}`,
      grpc,
      `${SERVICE}.${method}`,
    ].join(' ');
  const token = (name) => `-H "token: $${name}"`;
  const lines = [
    `TOKENS=$(${call('Token/issue', signIn)})`,
    `ACCESS=$(${pick('TOKENS', 'accessToken')}); REFRESH=$(${pick('TOKENS', 'refreshToken')})`,
    call('UserProfile/get', '{}', token('ACCESS')),
    `GRANT=$(${call('Token/grant', grant)})`,
    `WORKSPACE=$(${pick('GRANT', 'accessToken')})`,
    call('WorkspaceUser/list', '{}', token('WORKSPACE')),
  ];
  const hint = '(grpcurl is not on the PATH: go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4)';
  return installed ? indent(lines) : [`  ${hint}`, ...indent(lines)];
}

function grpcurlSecurity({ GRPC_TLS_CERT, UPSTREAM_TLS_CA, UPSTREAM_TLS_CERT, UPSTREAM_TLS_KEY }) {
  if (!GRPC_TLS_CERT) return '-plaintext';
  const shown = UPSTREAM_TLS_CERT ? ` -cert ${UPSTREAM_TLS_CERT} -key ${UPSTREAM_TLS_KEY}` : '';
  return `-cacert ${UPSTREAM_TLS_CA}${shown}`;
}

/** Takes one string out of a JSON answer with nothing but sed. */
function pick(variable, field) {
  return `echo "$${variable}" | sed -n 's/.*"${field}": *"\\([^"]*\\)".*/\\1/p'`;
}

/** For the shell; `'$NAME'` inside stays, so that the shell puts the value in. */
function quote(text) {
  const parts = text.split(/('\$[A-Z]+')/);
  return `'${parts.map((part, index) => (index % 2 ? part : part.replaceAll("'", `'\\''`))).join('')}'`;
}

const indent = (lines) => lines.map((line) => `  ${line}`);
