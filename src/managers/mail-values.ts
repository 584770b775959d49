import type { DetailName, MailTemplate } from '../templates/mail-texts.js';

interface Code {
  code: string;
  /** After this the code is dead; the mail says how long that is, and is not sent any more. */
  expires_at: Date;
}

interface Link {
  /** An address made by `signInLink`. */
  link: string;
  expires_at: Date;
}

interface TemporaryPassword {
  temporary_password: string;
  /** An address made by `consoleLink`. */
  console_link: string;
  expires_at: Date;
}

interface Added {
  domain_display_name: string;
}

interface Notice {
  changed_at: Date;
  /** IANA name; the time is told in it. */
  timezone: string;
}

/** What each mail needs to be written, by template (contract/behaviour.md 1.7). */
export interface MailValues {
  verification_code: Code;
  verification_MFA_code: Code;
  authentication_code: Code;
  reset_pwd_link_when_pw_forgotten: Link;
  temp_pwd_when_pw_forgotten: TemporaryPassword;
  reset_pwd_link_when_user_added: Link & Added;
  temp_pwd_when_user_added: TemporaryPassword & Added;
  sso_invite_user_link: Added & { console_link: string; provider_name: string };
  email_changed: Notice & { new_email: string };
  password_changed: Notice;
  mfa_changed: Notice & { mfa_state: 'ENABLED' | 'DISABLED'; mfa_type: 'EMAIL' | 'OTP' };
}

/** Stands in a mail for an address that was taken away. */
export const NO_ADDRESS = '-';

/** Values as they are kept and rendered, whatever the template. */
export type StoredValues = Record<string, string>;

/** Kinds of mails that count together. */
export type MailLimit = 'sign-in' | 'code' | 'reset' | 'invitation';

/** What a mail shows besides its words, and how mails of its kind are limited. */
export interface MailShape {
  values: readonly string[];
  secret?: 'code' | 'temporary_password';
  link?: 'link' | 'console_link';
  details: readonly DetailName[];
  /**
   * Mails of one kind count together. Codes for signing in have a count of their own, because strangers can ask
   * for resets, and other users for codes to any address, and must not use up what somebody needs to sign in.
   * Notices have none: they must always go out.
   */
  limit?: MailLimit;
}

const code: MailShape = { values: ['code', 'expires_at'], secret: 'code', details: [], limit: 'code' };
const reset: MailShape = {
  values: ['link', 'expires_at'],
  link: 'link',
  details: [],
  limit: 'reset',
};
const temporary: MailShape = {
  values: ['temporary_password', 'console_link', 'expires_at'],
  secret: 'temporary_password',
  link: 'console_link',
  details: ['user_id'],
  limit: 'reset',
};
const added = (shape: MailShape): MailShape => ({
  ...shape,
  values: [...shape.values, 'domain_display_name'],
  details: ['domain', 'user_id'],
  limit: 'invitation',
});

/** The shape of every mail. */
export const mailShapes: Record<MailTemplate, MailShape> = {
  verification_code: code,
  verification_MFA_code: code,
  authentication_code: { ...code, limit: 'sign-in' },
  reset_pwd_link_when_pw_forgotten: reset,
  temp_pwd_when_pw_forgotten: temporary,
  reset_pwd_link_when_user_added: added(reset),
  temp_pwd_when_user_added: added(temporary),
  sso_invite_user_link: {
    values: ['console_link', 'provider_name', 'domain_display_name'],
    link: 'console_link',
    details: ['domain', 'user_id', 'provider'],
    limit: 'invitation',
  },
  email_changed: {
    values: ['changed_at', 'timezone', 'new_email'],
    details: ['user_id', 'new_email', 'changed_at'],
  },
  password_changed: { values: ['changed_at', 'timezone'], details: ['user_id', 'changed_at'] },
  mfa_changed: {
    values: ['changed_at', 'timezone', 'mfa_state', 'mfa_type'],
    details: ['user_id', 'mfa', 'changed_at'],
  },
};

/**
 * The values of a mail as they are kept: the ones its template knows, times as text.
 * @throws Error when one is missing or empty, which only a mistake in this service can cause.
 */
export function storedValues(template: MailTemplate, values: object): StoredValues {
  const given = values as Record<string, string | Date | undefined>;
  return Object.fromEntries(
    mailShapes[template].values.map((name) => {
      const value = given[name];
      if (!value) throw new Error(`mail ${template} needs ${name}`);
      return [name, value instanceof Date ? value.toISOString() : value];
    }),
  );
}

/** What is sealed in the outbox. */
export interface MailPayload {
  to: string;
  language: string;
  user_id: string;
  values: StoredValues;
}

/** Context under which the payload of a mail is sealed. */
export function mailContext(id: string): string {
  return `mail:${id}`;
}
