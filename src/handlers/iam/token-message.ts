import type { Receipt, ScopeDomain, Token, TokenUser } from '../../gen/iam/v3/auth.js';
import type { CatalogEntry } from '../../gen/iam/v3/catalog.js';
import type { Asked } from '../../managers/iam-proof.js';
import type { TokenFacts } from '../../managers/issued-tokens.js';
import type { PasswordPolicy } from '../../managers/password-policy.js';
import type { Domain } from '../../models/domain.js';
import type { User } from '../../models/user.js';
import { auditId } from '../../ids.js';
import type { Addresses } from './addresses.js';
import { catalogOf } from './catalog.js';
import { tokenTime, userTime } from './times.js';

/** Our names for proofs (RFC 8176), and theirs. */
const METHODS: Record<string, string> = { pwd: 'password', otp: 'totp' };

/** Writes tokens and receipts as OpenStack Identity does. */
export class TokenMessages {
  /** The services that a token opens. */
  readonly catalog: CatalogEntry[];

  constructor(
    private readonly policy: PasswordPolicy,
    private readonly addresses: Addresses,
  ) {
    this.catalog = catalogOf(addresses);
  }

  /** The body of a token; an unscoped one has neither domain, project, system, roles nor catalog. */
  token({ claims, user, domain, scope }: TokenFacts, withCatalog: boolean): Token {
    const { jti, iat, exp = 0, amr = ['pwd'], par, rol, dom } = claims;
    const methods = amr.map((one) => METHODS[one] ?? one);
    const own = toDomain(domain);
    const workspace = scope?.workspace;
    const system = rol === 'SYSTEM_ADMIN' && !dom;
    const { role_id, name } = scope?.role ?? {};
    return {
      methods: par ? ['token', ...methods] : methods,
      user: this.#user(user, domain),
      audit_ids: par ? [auditId(jti), par] : [auditId(jti)],
      expires_at: tokenTime(new Date(exp * 1000)),
      issued_at: tokenTime(new Date(iat * 1000)),
      domain: scope && !workspace && !system ? own : undefined,
      project: workspace && { id: workspace.workspace_id, name: workspace.name, domain: own },
      system: system ? { all: true } : undefined,
      roles: scope && (role_id ? [{ id: role_id, name }] : []),
      catalog: scope && withCatalog ? this.catalog : undefined,
    };
  }

  /** The body of a receipt for a password that was right. */
  receipt({ user, domain, receipt }: Asked): Receipt {
    return {
      methods: ['password'],
      user: this.#user(user, domain),
      expires_at: tokenTime(receipt.expires_at),
      issued_at: tokenTime(receipt.issued_at),
    };
  }

  #user(user: User, domain: Domain): TokenUser {
    return {
      id: user.id,
      name: user.username,
      domain: toDomain(domain),
      password_expires_at: userTime(this.policy.expiry(user), this.addresses.expiryWithZ),
    };
  }
}

function toDomain({ domain_id, name }: Domain): ScopeDomain {
  return { id: domain_id, name };
}
