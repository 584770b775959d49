/** The mails of contract/behaviour.md 1.7, then our own notices to the address known before a change. */
export const mailTemplates = [
  'verification_code',
  'verification_MFA_code',
  'authentication_code',
  'reset_pwd_link_when_pw_forgotten',
  'temp_pwd_when_pw_forgotten',
  'reset_pwd_link_when_user_added',
  'temp_pwd_when_user_added',
  'sso_invite_user_link',
  'email_changed',
  'password_changed',
  'mfa_changed',
] as const;

export type MailTemplate = (typeof mailTemplates)[number];

/** Rows of the small table in a mail. */
export type DetailName = 'domain' | 'user_id' | 'provider' | 'new_email' | 'mfa' | 'changed_at';

/**
 * The words of one mail. `{service}`, `{domain}`, `{provider}` and `{lifetime}` are replaced; no text may ask
 * for a grammatical form that depends on them.
 */
export interface MailText {
  /** Stands in the subject, after the service name, and as the heading. */
  purpose: string;
  /** Before the code, password, button or table; the first one is also the preview in the inbox. */
  intro: readonly string[];
  button?: string;
  /** After it: how long it works, what to do if the reader did not ask for it. */
  notes: readonly string[];
}

/** All words of one language. */
export interface MailLanguage {
  /** `{user_id}` is replaced. */
  greeting: string;
  labels: Record<DetailName, string>;
  mfaStates: Record<'ENABLED' | 'DISABLED', string>;
  mfaTypes: Record<'EMAIL' | 'OTP', string>;
  /** Stands above the address of the button, written out. */
  linkHint: string;
  footer: string;
  help: string;
  /** Fonts that have the letters of this language, after the system's own. */
  fonts: string;
  /** Where lines break: Korean only between words, unlike Japanese. */
  wordBreak: 'keep-all' | 'normal';
  mails: Record<MailTemplate, MailText>;
}
