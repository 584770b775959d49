import { status } from '@grpc/grpc-js';
import type { IdentityError, Reason } from '../errors.js';
import type { Called, Wording } from './call.js';

/** Words of OpenStack Identity (Keystone): the edge puts them into `{"error": {code, title, message}}`. */
export function keystoneWording(publicUrl: string) {
  return (error: IdentityError, call: Called): Wording => {
    const http = HTTP_OF_REASON[error.reason] ?? HTTP[error.code] ?? 500;
    const headers = http === 401 ? challenge(publicUrl) : {};
    return { http, message: keystoneMessage(error, call, http), headers };
  };
}

/** Words of the OS-USER document: the edge puts them into `{"error_code", "error_msg"}`. */
export function osUserWording(publicUrl: string) {
  const keystone = keystoneWording(publicUrl);
  return (error: IdentityError, call: Called): Wording => {
    const said = keystone(error, call);
    if (said.http !== 400 && said.http !== 409) return said;
    return { ...said, code: osUserCode(error, said.http) };
  };
}

/** Codes of the OS-USER family for what is wrong with a request. What is no JSON at all is refused by the edge. */
const OS_USER_CODES: Record<'reason' | 'field' | 'taken', Partial<Record<string, string>>> = {
  reason: {
    ERROR_REQUIRED_PARAMETER: '1100',
    ERROR_PASSWORD_NOT_CHANGED: '1108',
    ERROR_INCORRECT_PASSWORD_FORMAT: '1118',
  },
  field: {
    name: '1101',
    email: '1102',
    password: '1103',
    areacode: '1104',
    phone: '1104',
    'areacode, phone': '1106',
    description: '1117',
  },
  taken: { name: '1109', xuser_id: '1113' },
};
const OTHER_PARAMETER = 'IAM.0007';

function osUserCode({ reason, params, violations }: IdentityError, http: number): string | undefined {
  const { taken, reason: byReason, field: byField } = OS_USER_CODES;
  if (http === 409) return taken[String(params['key'])];
  const field = violations[0]?.field.split('.').at(-1) ?? '';
  return byReason[reason] ?? byField[field] ?? OTHER_PARAMETER;
}

/** Words of the CSMS document, which knows 400 for all that a caller does wrong; signing in is the gateway's matter. */
export function csmsWording(publicUrl: string) {
  const keystone = keystoneWording(publicUrl);
  return (error: IdentityError, call: Called): Wording => {
    const said = keystone(error, call);
    const code = CSMS_CODES[said.http];
    return code ? { ...said, http: 400, code } : said;
  };
}

/** What CSMS calls a wrong parameter and a resource that does not exist. */
const CSMS_CODES: Partial<Record<number, string>> = { 400: 'CSMS.0002', 404: 'CSMS.0005', 409: 'CSMS.0002' };

/** The header that tells where and how to sign in: every 401 has it (RFC 9110 11.6.1). */
export function challenge(publicUrl: string): Record<string, string> {
  return { 'www-authenticate': `Keystone uri="${publicUrl}/v3"` };
}

/** What a system does not have is replaced at the edge (deploy/edge-families.json). */
const HTTP: Partial<Record<status, number>> = {
  [status.INVALID_ARGUMENT]: 400,
  [status.UNAUTHENTICATED]: 401,
  [status.PERMISSION_DENIED]: 403,
  [status.NOT_FOUND]: 404,
  [status.ALREADY_EXISTS]: 409,
  [status.RESOURCE_EXHAUSTED]: 429,
  [status.UNAVAILABLE]: 503,
  [status.DEADLINE_EXCEEDED]: 504,
};

/** The token is good for a workspace that is in use no more. */
const HTTP_OF_REASON: Partial<Record<Reason, number>> = { ERROR_WORKSPACE_STATE: 401 };

/** Reasons whose own text is the answer. */
const SPOKEN: ReadonlySet<Reason> = new Set<Reason>([
  'ERROR_UNSUPPORTED_METHOD',
  'ERROR_PASSWORD_EXPIRED',
  'ERROR_ADDITIONAL_AUTHENTICATION',
]);

const NOT_NOW = 'The service is not available now. Try again later.';
const FIXED: Partial<Record<number, string>> = {
  401: 'The request you have made requires authentication.',
  429: NOT_NOW,
  500: 'An unexpected error prevented the server from fulfilling your request.',
  503: NOT_NOW,
  504: NOT_NOW,
};

const REASON_PREFIX = /^ERROR_[A-Z0-9_]+: /;

function keystoneMessage(error: IdentityError, call: Called, http: number): string {
  if (SPOKEN.has(error.reason)) return error.message.replace(REASON_PREFIX, '');
  if (error.reason === 'ERROR_TOO_MANY_REQUESTS') return 'Too many requests of this kind. Try again later.';
  const fixed = FIXED[http];
  if (fixed) return fixed;
  if (http === 403)
    return `You are not authorized to perform the requested action: ${actionOf(call.method)}.`;
  if (http === 404 && error.params['key'] === 'token') return 'Could not find token.';
  if (http === 404) return `Could not find ${nounOf(error)}: ${String(error.params['value'] ?? '')}.`;
  if (http === 409) return conflict(error);
  const [violation] = error.violations;
  if (!violation) return error.message.replace(REASON_PREFIX, '');
  const field = violation.field.replace(/^(body|user|auth)\./, '').replace(/^user\./, '');
  if (isMissing(error.reason)) return `'${field}' is a required property`;
  return `Invalid input for field '${field}': ${violation.description}`;
}

/** A username is taken, or an id in another system. */
function conflict({ params }: IdentityError): string {
  const [key, value, domain] = ['key', 'value', 'domain_id'].map((name) => String(params[name] ?? ''));
  return `Conflict occurred attempting to store user - the ${key} ${value} is taken in the domain ${domain}.`;
}

function isMissing(reason: Reason): boolean {
  return reason === 'ERROR_REQUIRED_PARAMETER';
}

/** `identity:get_user` for iam.v3.UserService/GetUser. */
function actionOf(method: string): string {
  const name = method.slice(method.lastIndexOf('/') + 1);
  return `identity:${name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase()}`;
}

/** What was not found: `user`, `domain`, `project`. */
function nounOf(error: IdentityError): string {
  const key = String(error.params['key'] ?? '');
  return /^\w+_id$/.test(key) ? key.slice(0, -'_id'.length) : 'resource';
}
