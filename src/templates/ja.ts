import type { MailLanguage } from './mail-texts.js';

const codeLife = 'コードの有効期間は {lifetime}です。使用できるのは 1 回だけです。';
const codeSecret = 'コードを他の人に教えないでください。{service} からコードをお尋ねすることはありません。';
const linkLife =
  'リンクの有効期間は {lifetime}です。使用できるのは 1 回だけです。他の人に転送しないでください。';
const unexpected = 'お心当たりがない場合は、このメールを破棄してください。';
const itWasYou = 'ご自身で変更された場合は、何もする必要はありません。';

/** Mails in Japanese. */
export const ja: MailLanguage = {
  greeting: '{user_id} 様',
  labels: {
    domain: 'ドメイン',
    user_id: 'ユーザー ID',
    provider: 'ログイン方法',
    new_email: '新しいメールアドレス',
    mfa: '多要素認証 (MFA)',
    changed_at: '変更日時',
  },
  mfaStates: { ENABLED: '有効', DISABLED: '無効' },
  mfaTypes: { EMAIL: 'メール', OTP: '認証アプリ' },
  linkHint: 'ボタンが機能しない場合は、次のアドレスをブラウザーに貼り付けてください。',
  footer: 'このメールは {service} から自動送信された送信専用のメールです。',
  help: 'ヘルプ',
  fonts: "'Hiragino Sans', 'Yu Gothic', Meiryo, 'Noto Sans JP', 'Noto Sans CJK JP', ",
  wordBreak: 'normal',
  mails: {
    verification_code: {
      purpose: 'メールアドレスの確認コード',
      intro: ['次のコードを入力して、通知を受け取るメールアドレスを確認してください。'],
      notes: [
        codeLife,
        codeSecret,
        'お心当たりがない場合は、このメールを破棄してください。アドレスは未確認のままです。',
      ],
    },
    verification_MFA_code: {
      purpose: '多要素認証 (MFA) 設定の確認コード',
      intro: ['次のコードを入力して、アカウントの多要素認証 (MFA) 設定の変更を完了してください。'],
      notes: [
        codeLife,
        codeSecret,
        'お心当たりがない場合は、第三者がアカウントを使用している可能性があります。すぐにパスワードを変更し、管理者に連絡してください。',
      ],
    },
    authentication_code: {
      purpose: 'ログイン用の認証コード',
      intro: ['次のコードを入力して、{service} へのログインを完了してください。'],
      notes: [
        codeLife,
        codeSecret,
        'ログインの操作をしていない場合は、第三者にパスワードを知られています。すぐにパスワードを変更してください。',
      ],
    },
    reset_pwd_link_when_pw_forgotten: {
      purpose: 'パスワードの再設定',
      intro: ['パスワード再設定のご依頼を受け付けました。次のボタンから新しいパスワードを設定してください。'],
      button: 'パスワードを再設定',
      notes: [linkLife, 'お心当たりがない場合は、このメールを破棄してください。パスワードは変更されません。'],
    },
    temp_pwd_when_pw_forgotten: {
      purpose: '仮パスワードのお知らせ',
      intro: ['次の仮パスワードでログインし、新しいパスワードを設定してください。'],
      button: 'ログイン',
      notes: [
        '仮パスワードの有効期間は {lifetime}です。仮パスワードを使用するまでは、これまでのパスワードも使用できます。',
        'お心当たりがない場合は、このメールを破棄してください。パスワードは変更されません。',
      ],
    },
    reset_pwd_link_when_user_added: {
      purpose: 'パスワードを設定してください',
      intro: [
        '{domain} のユーザーとして登録されました。次のボタンからパスワードを設定すると、ログインできるようになります。',
      ],
      button: 'パスワードを設定',
      notes: [linkLife, unexpected],
    },
    temp_pwd_when_user_added: {
      purpose: 'アカウントのご案内',
      intro: [
        '{domain} のユーザーとして登録されました。次の仮パスワードでログインし、新しいパスワードを設定してください。',
      ],
      button: 'ログイン',
      notes: ['仮パスワードの有効期間は {lifetime}です。他の人に教えないでください。', unexpected],
    },
    sso_invite_user_link: {
      purpose: '招待のお知らせ',
      intro: ['{domain} に招待されました。{provider} のアカウントでログインしてください。'],
      button: 'ログイン',
      notes: [unexpected],
    },
    email_changed: {
      purpose: 'メールアドレスが変更されました',
      intro: ['アカウントのメールアドレスが変更されました。今後、このアドレスにはメールをお送りしません。'],
      notes: [itWasYou, 'お心当たりがない場合は、すぐにパスワードを変更し、管理者に連絡してください。'],
    },
    password_changed: {
      purpose: 'パスワードが変更されました',
      intro: ['アカウントのパスワードが変更されました。'],
      notes: [itWasYou, 'お心当たりがない場合は、すぐにパスワードを再設定し、管理者に連絡してください。'],
    },
    mfa_changed: {
      purpose: '多要素認証 (MFA) の設定が変更されました',
      intro: ['アカウントの多要素認証 (MFA) の設定が変更されました。'],
      notes: [itWasYou, 'お心当たりがない場合は、すぐにパスワードを変更し、管理者に連絡してください。'],
    },
  },
};
