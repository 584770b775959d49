import type { z } from 'zod';
import { IdentityError, invalidParameter, requiredParameter } from '../../errors.js';
import type { Auth, DomainReference } from '../../gen/iam/v3/auth.js';
import type { DomainName, UserReference } from '../../managers/account-lookup.js';
import type { Proofs } from '../../managers/iam-sign-in.js';
import type { ScopeWish } from '../../managers/scope-choice.js';
import * as field from '../../rpc/fields.js';

type Part = Record<string, unknown>;

const ROOT = 'auth';
const name = field.text(255);
const id = field.text(64);

/**
 * The proofs of a request, as far as its methods ask for them.
 * @throws IdentityError ERROR_REQUIRED_PARAMETER, ERROR_INVALID_PARAMETER, ERROR_UNSUPPORTED_METHOD.
 */
export function proofsOf(auth: Auth): Proofs {
  const { identity } = auth;
  const at = `${ROOT}.identity`;
  if (!identity) throw requiredParameter(at);
  const methods = new Set(identity.methods);
  if (methods.size === 0) throw requiredParameter(`${at}.methods`);
  const known = [...methods].every((one) => ['password', 'totp', 'token'].includes(one));
  if (!known || (methods.has('token') && methods.size > 1)) {
    throw new IdentityError('ERROR_UNSUPPORTED_METHOD');
  }
  if (methods.has('token')) {
    return { token: secretOf(identity.token?.id, `${at}.token.id`, field.token) };
  }
  const proofs: Proofs = {};
  if (methods.has('password')) {
    const path = `${at}.password.user`;
    const user = identity.password?.user;
    proofs.password = {
      user: userOf(user, path),
      secret: secretOf(user?.password, `${path}.password`, field.password),
    };
  }
  if (methods.has('totp')) {
    const path = `${at}.totp.user`;
    const user = identity.totp?.user;
    proofs.totp = {
      user: userOf(user, path),
      secret: secretOf(user?.passcode, `${path}.passcode`, field.verifyCode),
    };
  }
  return proofs;
}

/**
 * What the token shall be good for; undefined when nothing is said.
 * @throws IdentityError ERROR_REQUIRED_PARAMETER, ERROR_INVALID_PARAMETER.
 */
export function scopeOf(scope: unknown): ScopeWish | undefined {
  const at = `${ROOT}.scope`;
  if (scope === undefined || scope === null) return undefined;
  if (scope === 'unscoped') return { unscoped: true };
  if (!isPart(scope)) throw invalidParameter(at, 'must be an object, or "unscoped"');
  const size = field.small.safeParse(scope);
  if (!size.success) throw invalidParameter(at, size.error.issues[0]!.message);
  const given = Object.keys(scope).filter((key) => scope[key] !== null);
  if (given.length === 0) return undefined;
  const kinds = ['project', 'domain', 'system', 'unscoped'].filter((kind) => isPart(scope[kind]));
  const [kind] = kinds;
  if (!kind || kinds.length > 1)
    throw invalidParameter(at, 'must hold one of project, domain, system, unscoped');
  const part = scope[kind] as Part;
  if (kind === 'unscoped') return { unscoped: true };
  if (kind === 'system') {
    if (part['all'] !== true) throw invalidParameter(`${at}.system.all`, 'must be true');
    return { system: true };
  }
  if (kind === 'domain') return { domain: domainOf(part, `${at}.domain`) };
  const project = textOf(part['id'], `${at}.project.id`, id);
  if (project) return { project: { id: project } };
  const named = textOf(part['name'], `${at}.project.name`, name);
  if (!named) throw requiredParameter(`${at}.project.id`);
  // Some clients leave the domain out: then it is the user's own.
  const { domain } = part;
  return { project: { name: named, domain: domain ? domainOf(domain, `${at}.project.domain`) : undefined } };
}

function userOf(
  user: { id: string; name: string; domain?: DomainReference } | undefined,
  at: string,
): UserReference {
  if (!user) throw requiredParameter(at);
  const known = textOf(user.id, `${at}.id`, id);
  if (known) return { id: known, domain: user.domain && domainOf(user.domain, `${at}.domain`) };
  const called = textOf(user.name, `${at}.name`, id);
  if (!called) throw requiredParameter(`${at}.name`);
  return { name: called, domain: domainOf(user.domain, `${at}.domain`) };
}

function domainOf(domain: unknown, at: string): DomainName {
  if (!isPart(domain)) throw requiredParameter(at);
  const known = textOf(domain['id'], `${at}.id`, id);
  if (known) return { id: known };
  const called = textOf(domain['name'], `${at}.name`, name);
  if (!called) throw requiredParameter(at);
  return { name: called };
}

function secretOf(value: unknown, at: string, rule: z.ZodType<string>): string {
  const given = value === '' ? undefined : textOf(value, at, rule);
  if (!given) throw requiredParameter(at);
  return given;
}

/** Text by the rule; undefined for none. */
function textOf(value: unknown, at: string, rule: z.ZodType<string>): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalidParameter(at, 'must be text');
  const parsed = rule.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidParameter(at, parsed.error.issues[0]?.message ?? 'is not valid');
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
