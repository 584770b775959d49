import type { MailLanguage } from './mail-texts.js';

const codeLife = 'The code is valid for {lifetime} and works once.';
const codeSecret = 'Do not pass it on. Nobody from {service} will ever ask you for it.';
const linkLife = 'The link is valid for {lifetime} and works once. Do not pass it on.';
const unexpected = 'If you did not expect this mail, you can ignore it.';
const itWasYou = 'If this was you, there is nothing left to do.';

/** Mails in English, which is also what readers of other languages get (D-29). */
export const en: MailLanguage = {
  greeting: 'Hello {user_id},',
  labels: {
    domain: 'Domain',
    user_id: 'User ID',
    provider: 'Sign in with',
    new_email: 'New address',
    mfa: 'MFA',
    changed_at: 'Changed on',
  },
  mfaStates: { ENABLED: 'turned on', DISABLED: 'turned off' },
  mfaTypes: { EMAIL: 'email', OTP: 'authenticator app' },
  linkHint: 'If the button does not work, copy this address into your browser:',
  footer: '{service} sent this mail automatically; replies are not read.',
  help: 'Get help',
  fonts: '',
  wordBreak: 'normal',
  mails: {
    verification_code: {
      purpose: 'Confirm your email address',
      intro: ['Enter this code to confirm the email address that receives your notifications.'],
      notes: [
        codeLife,
        codeSecret,
        'If you did not ask for a code, ignore this mail: the address stays unconfirmed.',
      ],
    },
    verification_MFA_code: {
      purpose: 'Confirm your MFA settings',
      intro: ['Enter this code to confirm the change to multi-factor authentication (MFA) on your account.'],
      notes: [
        codeLife,
        codeSecret,
        'If you did not start this change, somebody else may be using your account: change your password now and tell your administrator.',
      ],
    },
    authentication_code: {
      purpose: 'Your sign-in code',
      intro: ['Enter this code to finish signing in to {service}.'],
      notes: [
        codeLife,
        codeSecret,
        'If you are not signing in right now, somebody else knows your password: change it now.',
      ],
    },
    reset_pwd_link_when_pw_forgotten: {
      purpose: 'Reset your password',
      intro: ['We received a request to reset the password of your account. Choose a new one here.'],
      button: 'Reset password',
      notes: [linkLife, 'If you did not ask for this, ignore this mail: your password stays as it is.'],
    },
    temp_pwd_when_pw_forgotten: {
      purpose: 'Your temporary password',
      intro: ['Sign in with this temporary password, then choose a new one of your own.'],
      button: 'Sign in',
      notes: [
        'The temporary password is valid for {lifetime}. Your old password works until you use it.',
        'If you did not ask for this, ignore this mail: your password stays as it is.',
      ],
    },
    reset_pwd_link_when_user_added: {
      purpose: 'Set your password',
      intro: ['You have been added to {domain}. Set a password and you are ready to sign in.'],
      button: 'Set password',
      notes: [linkLife, unexpected],
    },
    temp_pwd_when_user_added: {
      purpose: 'Your account is ready',
      intro: [
        'You have been added to {domain}. Sign in with this temporary password, then choose one of your own.',
      ],
      button: 'Sign in',
      notes: ['The temporary password is valid for {lifetime}. Do not pass it on.', unexpected],
    },
    sso_invite_user_link: {
      purpose: 'You are invited',
      intro: ['You have been invited to {domain}. Sign in with your {provider} account.'],
      button: 'Sign in',
      notes: [unexpected],
    },
    email_changed: {
      purpose: 'Your email address was changed',
      intro: [
        'The email address of your account was changed. Mails no longer go to the address you read this at.',
      ],
      notes: [itWasYou, 'If it was not you, change your password now and tell your administrator.'],
    },
    password_changed: {
      purpose: 'Your password was changed',
      intro: ['The password of your account was changed.'],
      notes: [itWasYou, 'If it was not you, reset your password now and tell your administrator.'],
    },
    mfa_changed: {
      purpose: 'Your MFA settings were changed',
      intro: ['Multi-factor authentication (MFA) of your account was changed.'],
      notes: [itWasYou, 'If it was not you, change your password now and tell your administrator.'],
    },
  },
};
