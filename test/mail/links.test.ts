import { expect, test } from 'vitest';
import { consoleLink, signInLink } from '../../src/managers/mail-links.js';

const pattern = 'https://{domain_name}.console.example.com';

test('puts the domain into the address of the console', () => {
  expect(consoleLink(pattern, 'acme')).toBe('https://acme.console.example.com/');
  expect(consoleLink('https://console.example.com/d/{domain_name}?x={domain_name}', 'a b&c')).toBe(
    'https://console.example.com/d/a%20b%26c?x=a%20b%26c',
  );
});

test('signs in with a token in the documented parameter', () => {
  expect(signInLink(pattern, 'acme', 'a.b-c_d')).toBe(
    'https://acme.console.example.com/?sso_access_token=a.b-c_d',
  );
  expect(signInLink('https://c.example.com/?lang=ko', 'acme', 'a.b.c')).toBe(
    'https://c.example.com/?lang=ko&sso_access_token=a.b.c',
  );
});

test.each(['evil.com/', 'evil.com#', 'evil.com\\', 'x@evil.com/?', '$&', '../..', '한국 회사', '---', ''])(
  'no domain name leads to another host: "%s"',
  (name) => {
    expect(new URL(consoleLink(pattern, name)).hostname).toMatch(/^[a-z0-9-]+\.console\.example\.com$/);
  },
);
