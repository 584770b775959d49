import { expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.js';

const complete = {
  MONGODB_URI: 'mongodb://127.0.0.1/identity',
  SERVICE_KEY: Buffer.alloc(32).toString('base64'),
};

/** What a start with these settings complains about, one line for each. */
function complaints(environment: Record<string, string>): string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').slice(1);
  }
}

test('names every missing setting at once', () => {
  expect(complaints({})).toEqual([
    expect.stringContaining('MONGODB_URI is not set'),
    expect.stringContaining('SERVICE_KEY is not set'),
  ]);
});

test.each([
  ['GRPC_PORT', 'x'],
  ['GRPC_PORT', '70000'],
  ['MONGODB_URI', 'http://127.0.0.1'],
  ['SERVICE_KEY', 'c2hvcnQ='],
  ['SMTP_URL', 'http://127.0.0.1'],
  ['SMTP_URL', 'smtp://'],
  ['MAIL_FROM', 'nobody'],
  ['MAIL_FROM', 'a@example.com, b@example.com'],
  ['CONSOLE_URL', 'ftp://{domain_name}.example.com'],
  ['BRAND_URL', 'javascript:alert(1)'],
  ['SUPPORT_URL', 'nope'],
  ['BRAND_COLOR', 'red; x'],
  ['RESET_PASSWORD_TYPE', 'SMS'],
  ['FIND_WITHOUT_KEYWORD', 'yes'],
  ['BCRYPT_COST', '4.5'],
  ['TRUSTED_PROXIES', 'foo'],
  ['TRUSTED_PROXIES', '127.0.0.1,edge.example.com'],
  ['TRUSTED_PROXIES', '10.0.0.0/33'],
  ['TRUSTED_PROXIES', '10.0.0/8'],
  ['TRUSTED_PROXIES', '::1/129'],
  ['TRUSTED_PROXIES', '10.0.0.1-10.0.0.9'],
  ['TRUSTED_PROXIES', 'fe80::1%eth0'],
])('refuses %s=%s by name', (name, value) => {
  expect(complaints({ ...complete, [name]: value })).toEqual([
    expect.stringMatching(new RegExp(`^ +${name} `)),
  ]);
});

test('names all wrong settings at once', () => {
  const wrong = { ...complete, GRPC_PORT: 'x', MAIL_FROM: 'bad', SMTP_URL: 'bad', CONSOLE_URL: 'nope' };
  expect(complaints(wrong).map((line) => line.trim().split(' ')[0])).toEqual([
    'GRPC_PORT',
    'SMTP_URL',
    'MAIL_FROM',
    'CONSOLE_URL',
  ]);
});

test('takes an empty setting for a missing one', () => {
  expect(readConfig({ ...complete, GRPC_PORT: '' }).GRPC_PORT).toBe(50051);
});

test('has the figures that are promised where nothing is set', () => {
  expect(readConfig(complete)).toMatchObject({
    BCRYPT_COST: 12,
    SIGN_IN_ATTEMPTS: 10,
    SIGN_IN_WINDOW_SECONDS: 300,
    CODE_ATTEMPTS: 5,
    EMAIL_CODE_SECONDS: 600,
    MFA_CODE_SECONDS: 300,
    RESET_LINK_SECONDS: 3600,
    INVITATION_SECONDS: 259_200,
    RECENT_SIGN_IN_SECONDS: 600,
    USER_CACHE_MS: 2000,
    DOMAIN_CACHE_MS: 2000,
    PAGE_LIMIT: 1000,
    MAX_MESSAGE_BYTES: 4_194_304,
    DRAIN_SECONDS: 10,
    RESET_PASSWORD_STRICT: false,
    RESET_PASSWORD_TYPE: 'ACCESS_TOKEN',
  });
});

test('takes no language without mails', () => {
  expect(() => readConfig({ ...complete, DEFAULT_LANGUAGE: 'xx' })).toThrow(
    'DEFAULT_LANGUAGE must be en or ko or ja',
  );
});
