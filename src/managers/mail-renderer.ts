import { readFileSync } from 'node:fs';
import Handlebars from 'handlebars';
import type { Config } from '../config.js';
import { isEmailAddress } from '../email-address.js';
import { en } from '../templates/en.js';
import { ja } from '../templates/ja.js';
import { ko } from '../templates/ko.js';
import type { DetailName, MailLanguage, MailTemplate } from '../templates/mail-texts.js';
import { isWebLink } from './mail-links.js';
import type { StoredValues } from './mail-values.js';
import { NO_ADDRESS, mailShapes } from './mail-values.js';

/** The settings that give mails their look. */
export type Brand = Pick<Config, 'BRAND_NAME' | 'BRAND_URL' | 'BRAND_COLOR' | 'SUPPORT_URL'>;

/** A mail as it goes out, without its addresses. */
export interface RenderedMail {
  /** The language it is in: en, ko or ja. */
  language: string;
  subject: string;
  html: string;
  text: string;
}

/** What a mail is made from. */
export interface MailContent {
  template: MailTemplate;
  language: string;
  user_id: string;
  values: StoredValues;
}

const languages: Record<string, MailLanguage> = { en, ko, ja };
const MAX_NAME_LENGTH = 100;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Writes mails; everything is read and compiled when it is made, so that writing one touches no file. */
export class MailRenderer {
  readonly #brand: Brand;
  readonly #onColor: string;
  readonly #html = compile('layout.html.hbs', true);
  readonly #text = compile('layout.text.hbs', false);

  constructor(brand: Brand) {
    this.#brand = { ...brand, BRAND_NAME: displayed(brand.BRAND_NAME) };
    this.#onColor = readableOn(brand.BRAND_COLOR);
  }

  /**
   * Writes a mail in the language nearest to the one asked for: the same, its prefix, English (D-29). Times
   * left are counted from `now`.
   */
  render(mail: MailContent, now: Date): RenderedMail {
    const [code, words] = nearestLanguage(mail.language);
    const shape = mailShapes[mail.template];
    const text = words.mails[mail.template];
    const fill = (sentence: string) => filled(sentence, this.#sentenceValues(mail, code, now));
    const link = shape.link ? checkedLink(mail.values[shape.link]!) : '';
    const subject = `[${this.#brand.BRAND_NAME}] ${text.purpose}`;
    const view = {
      brand: this.#brand,
      on_color: this.#onColor,
      language: code,
      fonts: words.fonts,
      word_break: words.wordBreak,
      subject,
      heading: text.purpose,
      greeting: fill(words.greeting),
      intro: text.intro.map(fill),
      preview: fill(text.intro[0]!),
      code: shape.secret === 'code' ? mail.values['code'] : '',
      password: shape.secret === 'temporary_password' ? mail.values['temporary_password'] : '',
      details: shape.details.map((name) => ({
        label: words.labels[name],
        value: detail(name, mail, code),
        is_id: name === 'user_id',
      })),
      button: link && text.button,
      link,
      link_hint: words.linkHint,
      notes: text.notes.map(fill),
      footer: fill(words.footer),
      help: words.help,
    };
    return { language: code, subject, html: this.#html(view), text: this.#text(view) };
  }

  #sentenceValues({ values, user_id }: MailContent, language: string, now: Date): StoredValues {
    const sentence: StoredValues = { service: this.#brand.BRAND_NAME, user_id: displayedId(user_id) };
    if (values['domain_display_name']) sentence['domain'] = displayedName(values['domain_display_name']);
    if (values['provider_name']) sentence['provider'] = displayedName(values['provider_name']);
    if (values['expires_at']) {
      sentence['lifetime'] = duration((Date.parse(values['expires_at']) - now.getTime()) / 1000, language);
    }
    return sentence;
  }
}

function compile(file: string, escaped: boolean): Handlebars.TemplateDelegate {
  const handlebars = Handlebars.create();
  // Addresses are checked before; only what could end the attribute is escaped, so that they stay readable.
  handlebars.registerHelper('address', (url: string) =>
    escaped
      ? new Handlebars.SafeString(url.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`))
      : url,
  );
  handlebars.registerHelper('copyable', (id: string) => (escaped ? copyable(id) : id));
  const source = readFileSync(new URL(`../templates/${file}`, import.meta.url), 'utf8');
  return handlebars.compile(source, {
    strict: true,
    noEscape: !escaped,
    knownHelpersOnly: true,
    knownHelpers: { address: true, copyable: true },
  });
}

function nearestLanguage(language: string): [string, MailLanguage] {
  const prefix = language.toLowerCase().split(/[-_]/)[0]!;
  return Object.hasOwn(languages, prefix) ? [prefix, languages[prefix]!] : ['en', en];
}

function filled(sentence: string, values: StoredValues): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (!Object.hasOwn(values, name)) throw new Error(`a mail text asks for the unknown value ${name}`);
    return values[name]!;
  });
}

function detail(name: DetailName, { values, user_id }: MailContent, language: string): string {
  const words = languages[language]!;
  switch (name) {
    case 'user_id':
      return displayedId(user_id);
    case 'domain':
      return displayedName(values['domain_display_name']!);
    case 'provider':
      return displayedName(values['provider_name']!);
    case 'new_email':
      return masked(values['new_email']!);
    case 'mfa': {
      const state = words.mfaStates[values['mfa_state'] as 'ENABLED' | 'DISABLED'];
      return `${state} (${words.mfaTypes[values['mfa_type'] as 'EMAIL' | 'OTP']})`;
    }
    case 'changed_at':
      return pointInTime(values['changed_at']!, values['timezone']!, language);
  }
}

/** One line without control or direction characters, cut where it would flood the mail. */
function displayed(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const characters = [...line];
  return characters.length > MAX_NAME_LENGTH ? `${characters.slice(0, MAX_NAME_LENGTH - 1).join('')}…` : line;
}

// Mail programs turn whatever looks like an address into a link, be it a domain alone. A blank of no width after each
// mark that makes it one prevents that.
const ZERO_WIDTH = '\u200b';
const LINKING = /[.:/\\@。．｡](?=\S)/g;

function displayedName(text: string): string {
  return displayed(text).replace(LINKING, (mark) => mark + ZERO_WIDTH);
}

/** Of characters that no program reads as a path or a query of a domain before the `@`. */
const PLAIN_LOCAL_PART = /^[\w.+'-]+@/;

/** A mail address leads to no page: as an id it stays as it is, for its owner to recognise and copy. */
function displayedId(userId: string): string {
  const isPlainAddress = PLAIN_LOCAL_PART.test(userId) && isEmailAddress(userId);
  return isPlainAddress ? displayed(userId) : displayedName(userId);
}

/** HTML for an id that is copied whole: in the place of blanks it has breaks, which are not copied, in a link to nothing. */
function copyable(id: string): Handlebars.SafeString {
  const parts = id.split(ZERO_WIDTH).map((part) => Handlebars.escapeExpression(part));
  return new Handlebars.SafeString(
    `<a style="color:inherit;text-decoration:none;">${parts.join('<wbr>')}</a>`,
  );
}

function masked(address: string): string {
  if (address === NO_ADDRESS) return address;
  const at = address.lastIndexOf('@');
  return `${address.slice(0, 1)}***${displayedName(address.slice(at))}`;
}

function checkedLink(link: string): string {
  if (!isWebLink(link)) throw new Error('a mail may only link to a web address');
  return new URL(link).href;
}

/** What is left in the largest unit that says it well, never more than there is (30 s of grace to be queued). */
function duration(seconds: number, language: string): string {
  const left = seconds + 30;
  const [size, unit] = left >= 2 * DAY ? [DAY, 'day'] : left >= HOUR ? [HOUR, 'hour'] : [MINUTE, 'minute'];
  const format = new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' });
  return format.format(Math.max(1, Math.floor(left / size)));
}

function pointInTime(time: string, timezone: string, language: string): string {
  const format = (timeZone: string) =>
    new Intl.DateTimeFormat(language, {
      year: 'numeric',
      month: 'long',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      timeZone,
      timeZoneName: 'short',
    }).format(new Date(time));
  try {
    return format(timezone);
  } catch {
    return format('UTC');
  }
}

/** Black or white, whichever is easier to read on the colour (WCAG 2 relative luminance). */
function readableOn(color: string): string {
  const hex = /^#([0-9a-f]{6})$/i.exec(color)?.[1];
  if (!hex) return '#ffffff';
  const [red, green, blue] = [0, 2, 4].map((start) => {
    const part = parseInt(hex.slice(start, start + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? '#ffffff' : '#000000';
}
