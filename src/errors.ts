import { status } from '@grpc/grpc-js';

/** Values named in an error text and sent as ErrorInfo metadata. */
export type ErrorParams = Record<string, string | number | readonly string[]>;

/** One field of a request that breaks a rule (google.rpc.BadRequest.FieldViolation). */
export interface FieldViolation {
  field: string;
  description: string;
}

interface CatalogueEntry {
  code: status;
  /** `{name}` is replaced by the parameter of that name. */
  text: string;
}

const invalid = (text: string): CatalogueEntry => ({ code: status.INVALID_ARGUMENT, text });
const unauthenticated = (text: string): CatalogueEntry => ({ code: status.UNAUTHENTICATED, text });
const internal = (text: string): CatalogueEntry => ({ code: status.INTERNAL, text });

/**
 * Every reason this service answers with. Codes and statuses are the reference's (contract/errors.md 3),
 * so that existing clients keep branching on them; texts hold what clients parse (contract/errors.md 4).
 */
export const catalogue = {
  ERROR_REQUIRED_PARAMETER: invalid('Required parameter. (key = {key})'),
  ERROR_INVALID_PARAMETER: invalid('Parameter is invalid. (key = {key}, reason = {reason})'),
  ERROR_OPERATOR_VALUE_TYPE: invalid(
    "The value of the '{operator}' operator must not be a list. (operator = {operator}, condition = {condition})",
  ),
  ERROR_OPERATOR_LIST_VALUE_TYPE: invalid(
    "The value of the '{operator}' operator must be a list. (operator = {operator}, condition = {condition})",
  ),
  ERROR_OPERATOR_DICT_VALUE_TYPE: invalid(
    "The value of the '{operator}' operator must be an object. (operator = {operator}, condition = {condition})",
  ),
  ERROR_OPERATOR_BOOLEAN_TYPE: invalid(
    "The value of the '{operator}' operator must be a boolean. (operator = {operator}, condition = {condition})",
  ),
  ERROR_DB_QUERY: invalid('The query is not valid. (reason = {reason})'),
  ERROR_NOT_FOUND: {
    code: status.NOT_FOUND,
    text: 'Resource cannot be found or access is denied. ({key} = {value})',
  },
  ERROR_NOT_UNIQUE: { code: status.ALREADY_EXISTS, text: 'The value is taken. ({key} = {value})' },
  ERROR_SAVE_UNIQUE_VALUES: {
    code: status.ALREADY_EXISTS,
    text: 'A resource with the same unique values exists. (keys = {keys})',
  },
  ERROR_AUTHENTICATE_FAILURE: unauthenticated('Authenticate failure. (message = {message})'),
  ERROR_AUTHENTICATION_FAILURE: unauthenticated(
    'Authenticate failure: the user does not exist or the password is wrong. (user_id = {user_id})',
  ),
  ERROR_INVALID_CREDENTIALS: unauthenticated('Authenticate failure: the credentials are not valid.'),
  ERROR_NOT_AUTHENTICATED: unauthenticated('Authenticate with the verify code. A new code may be used now.'),
  ERROR_LOGIN_BLOCKED: unauthenticated(
    'Authenticate failure: sign-in is blocked after too many wrong attempts. Try again later.',
  ),
  ERROR_UNSUPPORTED_METHOD: unauthenticated('Attempted to authenticate with an unsupported method.'),
  ERROR_PASSWORD_EXPIRED: unauthenticated('The password is expired and needs to be changed for user: {id}.'),
  ERROR_ADDITIONAL_AUTHENTICATION: unauthenticated('Additional authentications steps required.'),
  ERROR_PERMISSION_DENIED: { code: status.PERMISSION_DENIED, text: 'Permission denied.' },
  ERROR_INVALID_GRANT_TYPE: invalid('Grant type is invalid. (grant_type = {grant_type})'),
  ERROR_UPDATE_PASSWORD_REQUIRED: invalid('The password has to be changed first. (user_id = {user_id})'),
  ERROR_DOMAIN_STATE: invalid('Domain is disabled. (domain_id = {domain_id})'),
  ERROR_WORKSPACE_STATE: invalid('Workspace is disabled. (workspace_id = {workspace_id})'),
  ERROR_USER_STATE_DISABLED: invalid('The user is disabled. (user_id = {user_id})'),
  ERROR_MFA_REQUIRED: internal('MFA is required. (user_id = {user_id}), (mfa_type = {mfa_type})'),
  ERROR_MFA_NOT_ACTIVATED: internal(
    'MFA is not activated. (user_id = {user_id}), (mfa_type = {mfa_type}), (mfa_state = {mfa_state}), (access_token = {access_token})',
  ),
  ERROR_MFA_ALREADY_ENABLED: internal('MFA is enabled already. (user_id = {user_id})'),
  ERROR_MFA_ALREADY_DISABLED: internal('MFA is disabled already. (user_id = {user_id})'),
  ERROR_MFA_NOT_ENABLED: internal('MFA is not enabled. (user_id = {user_id})'),
  ERROR_NOT_SUPPORTED_MFA_TYPE: invalid(
    'This MFA type is not supported. (support_mfa_types = {support_mfa_types})',
  ),
  ERROR_INVALID_VERIFY_CODE: invalid('Verify code is wrong or has expired. (verify_code = {verify_code})'),
  ERROR_VERIFICATION_UNAVAILABLE: invalid('The e-mail address is not verified. (user_id = {user_id})'),
  ERROR_NOT_ALLOWED_ACTIONS: invalid('The action is not allowed for this user. (action = {action})'),
  ERROR_INCORRECT_PASSWORD_FORMAT: invalid('The password breaks a rule. (rule = {rule})'),
  ERROR_INCORRECT_EMAIL_FORMAT: invalid('The e-mail address breaks a rule. (rule = {rule})'),
  ERROR_PASSWORD_NOT_MATCHED: invalid('The current password is wrong. (user_id = {user_id})'),
  ERROR_PASSWORD_NOT_CHANGED: invalid('The new password equals the old one. (user_id = {user_id})'),
  ERROR_UNABLE_TO_RESET_PASSWORD_IN_EXTERNAL_AUTH: invalid(
    'The password of an externally authenticated user is not kept here. (user_id = {user_id})',
  ),
  ERROR_UNABLE_TO_RESET_PASSWORD_WITHOUT_EMAIL: invalid(
    'A password cannot be reset without an e-mail address. (user_id = {user_id})',
  ),
  ERROR_NOT_ALLOWED_ROLE_TYPE: invalid(
    'Role type is not allowed. (request_role_id = {request_role_id}, request_role_type = {request_role_type}, supported_role_type = {supported_role_type})',
  ),
  ERROR_DUPLICATED_ROLE_BINDING: invalid('The user has such a role already. (role_type = {role_type})'),
  ERROR_DUPLICATED_WORKSPACE_ROLE_BINDING: invalid(
    'The user has a role in this workspace already. (allowed_role_type = {allowed_role_type})',
  ),
  ERROR_SYSTEM_ALREADY_INITIALIZED: invalid('The system is initialized already.'),
  ERROR_TOO_MANY_REQUESTS: {
    code: status.RESOURCE_EXHAUSTED,
    text: 'Too many requests of this kind. (reason = {reason})',
  },
  ERROR_TOO_BUSY: {
    code: status.RESOURCE_EXHAUSTED,
    text: 'The service has too much to do now. Try again later. (reason = {reason})',
  },
  ERROR_REQUEST_TIMEOUT: {
    code: status.DEADLINE_EXCEEDED,
    text: 'The request took longer than its deadline.',
  },
  ERROR_REQUEST_CANCELLED: { code: status.CANCELLED, text: 'The caller gave the request up.' },
  ERROR_UNAVAILABLE: {
    code: status.UNAVAILABLE,
    text: 'The service is not available now. (reason = {reason})',
  },
  ERROR_UNKNOWN: internal('An internal error occurred. (reference = {reference})'),
} satisfies Record<string, CatalogueEntry>;

/** A reason of the catalogue. */
export type Reason = keyof typeof catalogue;

/** Parameters that stand in the text because clients read them there, and nowhere else (D-11). */
const textOnly = new Set(['access_token']);

/**
 * The one error class: a reason of the catalogue, its parameters, and the fields at fault if any; a hint says what to
 * do where the reason alone does not.
 */
export class IdentityError extends Error {
  readonly code: status;
  /** When trying again makes sense, in milliseconds from now. */
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly reason: Reason,
    readonly params: ErrorParams = {},
    readonly violations: readonly FieldViolation[] = [],
    options: ErrorOptions & { hint?: string; retryAfterMs?: number } = {},
  ) {
    const text = `${reason}: ${fill(catalogue[reason].text, params)}`;
    super(options.hint ? `${text} ${options.hint}` : text, options);
    this.name = 'IdentityError';
    this.code = catalogue[reason].code;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Parameters as ErrorInfo metadata: strings only, without those that may stand in the text alone. */
  get metadata(): Record<string, string> {
    const pairs = Object.entries(this.params).filter(([key]) => !textOnly.has(key));
    return Object.fromEntries(pairs.map(([key, value]) => [key, render(value)]));
  }
}

/** A missing parameter (contract/behaviour.md 1, "Required check"). */
export function requiredParameter(key: string): IdentityError {
  return new IdentityError('ERROR_REQUIRED_PARAMETER', { key }, [{ field: key, description: 'is required' }]);
}

/** A parameter whose value breaks a rule. */
export function invalidParameter(key: string, reason: string): IdentityError {
  return new IdentityError('ERROR_INVALID_PARAMETER', { key, reason }, [{ field: key, description: reason }]);
}

/** An unknown resource; several keys render as tuples, as in the reference (contract/behaviour.md 1). */
export function notFound(keys: Record<string, string>): IdentityError {
  const names = Object.keys(keys);
  const tuple = (items: readonly string[]) => `(${items.map((item) => `'${item}'`).join(', ')})`;
  const single = names.length === 1;
  return new IdentityError('ERROR_NOT_FOUND', {
    key: single ? names[0]! : tuple(names),
    value: single ? keys[names[0]!]! : tuple(Object.values(keys)),
  });
}

/** A failed authentication of a call; the message says what is wrong with the token, never what is in it. */
export function authenticateFailure(message: string): IdentityError {
  return new IdentityError('ERROR_AUTHENTICATE_FAILURE', { message });
}

function fill(text: string, params: ErrorParams): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : render(value);
  });
}

function render(value: ErrorParams[string]): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  return `[${value.map((item) => `'${item}'`).join(', ')}]`;
}
