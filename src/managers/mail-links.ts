const DOMAIN_NAME = '{domain_name}';
const IN_HOST = /^[a-z]+:\/\/[^/?#]*\{domain_name\}/i;

/**
 * The console's address for a domain (setting CONSOLE_URL). In the host part only letters, digits, dots and
 * hyphens of the name are kept, elsewhere it is encoded, so that no name leads to another host.
 */
export function consoleLink(pattern: string, domainName: string): string {
  const name = IN_HOST.test(pattern)
    ? domainName.replace(/[^\p{L}\p{N}-]+/gu, '-').replace(/^-+|-+$/g, '') || 'console'
    : encodeURIComponent(domainName);
  return new URL(pattern.replaceAll(DOMAIN_NAME, () => name)).href;
}

/** The console's address that signs in with a token (contract/behaviour.md 1.6, "Console link"). */
export function signInLink(pattern: string, domainName: string, token: string): string {
  const url = new URL(consoleLink(pattern, domainName));
  url.searchParams.set('sso_access_token', token);
  return url.href;
}

/** True for a complete http or https address, the only kind that a mail may link to. */
export function isWebLink(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
