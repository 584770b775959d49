import type { MailContent } from '../../src/managers/mail-renderer.js';
import type { MailValues } from '../../src/managers/mail-values.js';
import { storedValues } from '../../src/managers/mail-values.js';
import { signInLink } from '../../src/managers/mail-links.js';
import type { MailTemplate } from '../../src/templates/mail-texts.js';

/** The time at which the samples are written. */
export const sampleTime = new Date('2026-03-02T08:15:00Z');
const later = (minutes: number) => new Date(sampleTime.getTime() + minutes * 60_000);

const pattern = 'https://{domain_name}.console.example.com';
const token = `eyJhbGciOiJSUzI1NiJ9.${'eyJpc3MiOiJzcGFjZW9uZS5pZGVudGl0eSJ9'.repeat(8)}.${'c2lnbmF0dXJl'.repeat(28)}`;
const link = signInLink(pattern, 'acme', token);
const console_link = 'https://acme.console.example.com/';
const code = (minutes: number) => ({ code: '482913', expires_at: later(minutes) });
const added = { domain_display_name: 'Acme Research & Development' };
const notice = { changed_at: sampleTime, timezone: 'Asia/Seoul' };

/** Values for every template, as the managers give them. */
export const sampleValues: MailValues = {
  verification_code: code(10),
  verification_MFA_code: code(5),
  authentication_code: code(5),
  reset_pwd_link_when_pw_forgotten: { link, expires_at: later(60) },
  temp_pwd_when_pw_forgotten: { temporary_password: 'hT4mWq9ZbK2x', console_link, expires_at: later(60) },
  reset_pwd_link_when_user_added: { ...added, link, expires_at: later(3 * 24 * 60) },
  temp_pwd_when_user_added: {
    ...added,
    temporary_password: 'hT4mWq9ZbK2x',
    console_link,
    expires_at: later(3 * 24 * 60),
  },
  sso_invite_user_link: { ...added, console_link, provider_name: 'Keycloak' },
  email_changed: { ...notice, new_email: 'jiwoo.kim@example.com' },
  password_changed: notice,
  mfa_changed: { ...notice, mfa_state: 'ENABLED', mfa_type: 'OTP' },
};

/** One mail of each template, in the language. */
export function sampleMail(template: MailTemplate, language: string): MailContent {
  const values = storedValues(template, sampleValues[template]);
  return { template, language, user_id: 'jiwoo.kim@example.org', values };
}
