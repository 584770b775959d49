import type { MailLanguage } from './mail-texts.js';

const codeLife = '이 코드는 {lifetime} 동안 유효하며 한 번만 사용할 수 있습니다.';
const codeSecret =
  '코드를 다른 사람에게 알려 주지 마세요. {service}에서는 어떤 경우에도 코드를 묻지 않습니다.';
const linkLife =
  '이 링크는 {lifetime} 동안 유효하며 한 번만 사용할 수 있습니다. 다른 사람에게 전달하지 마세요.';
const unexpected = '예상하지 못한 메일이라면 무시하셔도 됩니다.';
const itWasYou = '본인이 변경하셨다면 추가로 하실 일은 없습니다.';

/** Mails in Korean. */
export const ko: MailLanguage = {
  greeting: '{user_id}님, 안녕하세요.',
  labels: {
    domain: '도메인',
    user_id: '사용자 ID',
    provider: '로그인 방법',
    new_email: '새 이메일 주소',
    mfa: '다중 인증(MFA)',
    changed_at: '변경 일시',
  },
  mfaStates: { ENABLED: '사용', DISABLED: '사용 안 함' },
  mfaTypes: { EMAIL: '이메일', OTP: '인증 앱' },
  linkHint: '버튼이 작동하지 않으면 아래 주소를 복사하여 브라우저에 붙여 넣어 주세요.',
  footer: '이 메일은 {service}에서 자동으로 보낸 발신 전용 메일입니다.',
  help: '도움말',
  fonts: "'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans KR', 'Noto Sans CJK KR', ",
  wordBreak: 'keep-all',
  mails: {
    verification_code: {
      purpose: '이메일 주소 인증 코드',
      intro: ['아래 코드를 입력하여 알림을 받을 이메일 주소를 인증해 주세요.'],
      notes: [
        codeLife,
        codeSecret,
        '코드를 요청하지 않으셨다면 이 메일을 무시해 주세요. 주소는 인증되지 않습니다.',
      ],
    },
    verification_MFA_code: {
      purpose: '다중 인증(MFA) 설정 확인 코드',
      intro: ['아래 코드를 입력하여 다중 인증(MFA) 설정 변경을 완료해 주세요.'],
      notes: [
        codeLife,
        codeSecret,
        '설정을 변경하신 적이 없다면 다른 사람이 계정을 사용하고 있을 수 있습니다. 즉시 비밀번호를 변경하고 관리자에게 알려 주세요.',
      ],
    },
    authentication_code: {
      purpose: '로그인 인증 코드',
      intro: ['아래 코드를 입력하여 {service} 로그인을 완료해 주세요.'],
      notes: [
        codeLife,
        codeSecret,
        '지금 로그인하고 계신 것이 아니라면 다른 사람이 비밀번호를 알고 있는 것입니다. 즉시 비밀번호를 변경해 주세요.',
      ],
    },
    reset_pwd_link_when_pw_forgotten: {
      purpose: '비밀번호 재설정',
      intro: ['계정의 비밀번호 재설정 요청을 받았습니다. 아래 버튼을 눌러 새 비밀번호를 설정해 주세요.'],
      button: '비밀번호 재설정',
      notes: [
        linkLife,
        '재설정을 요청하지 않으셨다면 이 메일을 무시해 주세요. 비밀번호는 변경되지 않습니다.',
      ],
    },
    temp_pwd_when_pw_forgotten: {
      purpose: '임시 비밀번호 안내',
      intro: ['아래 임시 비밀번호로 로그인한 후 새 비밀번호를 설정해 주세요.'],
      button: '로그인',
      notes: [
        '임시 비밀번호는 {lifetime} 동안 유효합니다. 임시 비밀번호를 사용하기 전까지는 기존 비밀번호도 사용할 수 있습니다.',
        '요청하지 않으셨다면 이 메일을 무시해 주세요. 비밀번호는 변경되지 않습니다.',
      ],
    },
    reset_pwd_link_when_user_added: {
      purpose: '비밀번호를 설정해 주세요',
      intro: [
        '{domain} 도메인에 사용자로 등록되었습니다. 아래 버튼을 눌러 비밀번호를 설정하면 로그인할 수 있습니다.',
      ],
      button: '비밀번호 설정',
      notes: [linkLife, unexpected],
    },
    temp_pwd_when_user_added: {
      purpose: '계정이 준비되었습니다',
      intro: [
        '{domain} 도메인에 사용자로 등록되었습니다. 아래 임시 비밀번호로 로그인한 후 새 비밀번호를 설정해 주세요.',
      ],
      button: '로그인',
      notes: ['임시 비밀번호는 {lifetime} 동안 유효합니다. 다른 사람에게 알려 주지 마세요.', unexpected],
    },
    sso_invite_user_link: {
      purpose: '사용자 초대 안내',
      intro: ['{domain} 도메인에 초대되었습니다. {provider} 계정으로 로그인해 주세요.'],
      button: '로그인',
      notes: [unexpected],
    },
    email_changed: {
      purpose: '이메일 주소가 변경되었습니다',
      intro: ['계정의 이메일 주소가 변경되었습니다. 앞으로 이 주소로는 메일을 보내지 않습니다.'],
      notes: [itWasYou, '본인이 변경하지 않으셨다면 즉시 비밀번호를 변경하고 관리자에게 알려 주세요.'],
    },
    password_changed: {
      purpose: '비밀번호가 변경되었습니다',
      intro: ['계정의 비밀번호가 변경되었습니다.'],
      notes: [itWasYou, '본인이 변경하지 않으셨다면 즉시 비밀번호를 재설정하고 관리자에게 알려 주세요.'],
    },
    mfa_changed: {
      purpose: '다중 인증(MFA) 설정이 변경되었습니다',
      intro: ['계정의 다중 인증(MFA) 설정이 변경되었습니다.'],
      notes: [itWasYou, '본인이 변경하지 않으셨다면 즉시 비밀번호를 변경하고 관리자에게 알려 주세요.'],
    },
  },
};
