import { simpleParser } from 'mailparser';
import { describe, expect, test } from 'vitest';
import { MailRenderer } from '../../src/managers/mail-renderer.js';
import { storedValues } from '../../src/managers/mail-values.js';
import { mailTemplates } from '../../src/templates/mail-texts.js';
import { sampleMail, sampleTime, sampleValues } from './samples.js';

const brand = {
  BRAND_NAME: 'Acme <Cloud>',
  BRAND_URL: 'https://acme.example.com/?a=1&b=2',
  BRAND_COLOR: '#ffd54f',
  SUPPORT_URL: 'https://acme.example.com/help',
};
const renderer = new MailRenderer(brand);
const everyMail = mailTemplates.flatMap((template) =>
  ['en', 'ko', 'ja'].map((language) => [template, language] as const),
);
const hrefs = (html: string) => [...html.matchAll(/href="([^"]*)"/g)].map((match) => match[1]!);
const decoded = (html: string) =>
  html.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));

describe('every mail', () => {
  test.each(everyMail)('%s in %s is complete', (template, language) => {
    const content = sampleMail(template, language);
    const mail = renderer.render(content, sampleTime);

    expect(mail.subject).toMatch(/^\[Acme <Cloud>\] \S.*$/);
    for (const part of [mail.html, mail.text]) {
      expect(part).not.toMatch(/undefined|null|NaN|\[object|\{\w+\}|\{\{/);
      expect(part).toContain('jiwoo.kim@example.org');
      for (const name of ['code', 'temporary_password'] as const) {
        if (content.values[name]) expect(part).toContain(content.values[name]);
      }
    }
    const link = content.values['link'] ?? content.values['console_link'];
    expect(hrefs(mail.html).filter((href) => decoded(href) === link)).toHaveLength(link ? 2 : 0);
    if (link) expect(mail.text).toContain(link);
    expect(mail.html).toContain(`lang="${language}"`);
    expect(mail.language).toBe(language);
  });

  test.each(everyMail)('%s in %s shows what users wrote as text only', (template, language) => {
    const evil = '<a href="https://evil.example">x</a> www.evil.example\r\nBcc: eve@evil.example';
    const names = { domain_display_name: evil, provider_name: evil, new_email: 'a@<b>evil.example' };
    const values = storedValues(template, { ...sampleValues[template], ...names });
    const mail = renderer.render({ template, language, user_id: evil, values }, sampleTime);

    expect(mail.html).not.toMatch(/<a href="https:\/\/evil|<b>/);
    for (const href of hrefs(mail.html)) expect(href).toMatch(/^https:\/\/(acme\.example|acme\.console)/);
    expect(mail.text).not.toMatch(/^Bcc:/m);
    for (const part of [mail.html, mail.text]) expect(part).not.toMatch(/www\.evil|https:\/\/evil/);
    expect(mail.subject).not.toMatch(/[\r\n]|evil/);
  });
});

/** The links that a mail program makes of a text, as one does that knows all top-level domains. */
async function madeLinks(text: string): Promise<string[]> {
  const source = `Content-Type: text/plain; charset=utf-8\r\n\r\n${text}`;
  return hrefs((await simpleParser(Buffer.from(source))).textAsHtml ?? '').map(decoded);
}

/** The texts between the tags of a mail, those of links left out. */
function texts(html: string): string {
  const body = html.replace(/<head>[^]*?<\/head>|<a [^]*?<\/a>/g, '');
  return body.replace(/<[^>]*>/g, '\n').replace(/&#x?\w+;|&nbsp;/g, ' ');
}

describe('what users write becomes no link in any mail program', () => {
  const own = [brand.BRAND_URL, brand.SUPPORT_URL];
  const written = [
    'evil-login.com',
    'Evil-Login.COM',
    'www.evil.shop',
    'pay.evil.co.uk',
    'evil.com/login',
    'evil.com?a=b@example.com',
    'evil.com/x@example.com',
    '//evil.com',
    'https:evil.com',
    'evil.한국',
    'evil。com',
    '10.0.0.1',
    'go to evil.com, now',
  ];

  test('the links that are looked for are found', async () => {
    for (const name of written.filter((one) => !/。|10\.|한국|https:evil/.test(one)))
      expect(await madeLinks(`Hello ${name},`), name).not.toEqual([]);
  });

  test.each(mailTemplates)('%s', async (template) => {
    for (const name of written) {
      const names = { domain_display_name: name, provider_name: name, new_email: `x@${name}` };
      const values = storedValues(template, { ...sampleValues[template], ...names });
      const mail = renderer.render({ template, language: 'en', user_id: name, values }, sampleTime);
      const link = values['link'] ?? values['console_link'];
      const meant = (made: string) => own.includes(made) || made === link;
      expect((await madeLinks(mail.text)).filter((made) => !meant(made))).toEqual([]);
      expect(
        hrefs(mail.html)
          .map(decoded)
          .filter((made) => !meant(made)),
      ).toEqual([]);
      expect(await madeLinks(texts(mail.html))).toEqual([]);
      for (const part of [mail.text, mail.html])
        expect(part.toLowerCase()).not.toMatch(/evil(-login)?[.。]\p{L}/u);
    }
  });

  test('and an id is copied from the page as it is', () => {
    const content = { ...sampleMail('temp_pwd_when_user_added', 'en'), user_id: 'jane.doe<&>' };
    const { html } = renderer.render(content, sampleTime);
    expect(html).toContain('>jane.<wbr>doe&lt;&amp;&gt;</a>');
  });
});

describe('language', () => {
  test.each([
    ['ko-KR', 'ko'],
    ['JA', 'ja'],
    ['fr', 'en'],
    ['en-GB', 'en'],
    ['', 'en'],
    ['constructor', 'en'],
  ])('a reader of "%s" gets %s (D-29)', (asked, given) => {
    expect(renderer.render(sampleMail('password_changed', asked), sampleTime).language).toBe(given);
  });
});

test('says how long the code or link lives, in whole units and never more', () => {
  const at = (minutes: number) => {
    const expires_at = new Date(sampleTime.getTime() + minutes * 60_000).toISOString();
    const content = sampleMail('verification_code', 'en');
    return renderer.render({ ...content, values: { ...content.values, expires_at } }, sampleTime).text;
  };
  expect(at(10)).toContain('valid for 10 minutes');
  expect(at(9.9)).toContain('valid for 10 minutes');
  expect(at(1)).toContain('valid for 1 minute ');
  expect(at(60)).toContain('valid for 1 hour ');
  expect(at(119)).toContain('valid for 1 hour ');
  expect(at(24 * 60)).toContain('valid for 24 hours');
  expect(at(3 * 24 * 60)).toContain('valid for 3 days');
});

test('tells the time of a change in the zone of the user, and hides most of the new address', () => {
  const { text } = renderer.render(sampleMail('email_changed', 'en'), sampleTime);
  expect(text).toContain('March 2, 2026 at 17:15 GMT+9');
  expect(text).toContain('j***@\u200bexample.\u200bcom');
  expect(text).not.toContain('jiwoo.kim@example.com');
});

test('an unknown time zone falls back to UTC', () => {
  const content = sampleMail('password_changed', 'en');
  const values = { ...content.values, timezone: 'Mars/Olympus' };
  expect(renderer.render({ ...content, values }, sampleTime).text).toContain('08:15 UTC');
});

test('writes dark words on a light button and takes brand and links from the settings', () => {
  const { html } = renderer.render(sampleMail('reset_pwd_link_when_pw_forgotten', 'en'), sampleTime);
  expect(html).toContain('background-color:#ffd54f');
  expect(html).toContain('color:#000000');
  expect(html).toContain('Acme &lt;Cloud&gt;');
  expect(hrefs(html).map(decoded)).toContain(brand.BRAND_URL);
  expect(hrefs(html)).toContain(brand.SUPPORT_URL);
});

test('refuses links that lead anywhere but to the web', () => {
  const content = sampleMail('reset_pwd_link_when_pw_forgotten', 'en');
  const bad = { ...content, values: { ...content.values, link: 'javascript:alert(1)' } };
  expect(() => renderer.render(bad, sampleTime)).toThrow('web address');
});

test('a mail without one of its values is a mistake that is found at once', () => {
  expect(() => storedValues('verification_code', { code: '', expires_at: new Date() })).toThrow('needs code');
});
