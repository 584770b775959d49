import type { AST } from '@eslint-community/regexpp';
import { ASCII, charactersOfMember } from './characters.js';
import { queryError, shown } from './mistakes.js';

// Engines differ in whether letters of other scripts are words; here they are not, and a dot is no line break.
const RANGES: Record<string, string> = { digit: '0-9', word: 'A-Za-z0-9_', space: '\\t-\\r ' };
const ANY = '(?s:.)';

/** Writes `.`, `\d`, `\W` and their like for the database. */
export function writeSet(set: AST.CharacterSet): string {
  if (set.kind === 'any') return '[^\\n]';
  return `[${set.negate ? '^' : ''}${RANGES[set.kind]}]`;
}

/**
 * Writes a class for the database.
 * @throws IdentityError ERROR_DB_QUERY for one that is empty, which engines read as the beginning of another.
 */
export function writeClass(given: AST.CharacterClass): string {
  const { negate, elements, raw } = given;
  if (elements.length === 0) throw queryError(`the regular expression holds the empty class ${shown(raw)}`);
  if (elements.some((element) => element.type === 'CharacterSet' && element.negate)) return writeRest(given);
  const written = elements.map((element) => {
    if (element.type === 'Character') return writeInClass(element);
    if (element.type === 'CharacterClassRange') {
      return `${writeInClass(element.min)}-${writeInClass(element.max)}`;
    }
    return element.type === 'CharacterSet' ? RANGES[element.kind]! : element.raw;
  });
  return `[${negate ? '^' : ''}${written.join('')}]`;
}

/** A class with \D, \W or \S in it, such as [\s\S], holds all but some of ASCII: written by what it lacks. */
function writeRest({ negate, elements, raw }: AST.CharacterClass): string {
  const held = elements.reduce((sum, member) => sum | charactersOfMember(member), 0n);
  const codes = Array.from({ length: ASCII }, (_, code) => code);
  const lacking = codes.filter((code) => (held & (1n << BigInt(code))) === 0n);
  const written = lacking.map((code) => `\\x${code.toString(16).padStart(2, '0')}`).join('');
  if (lacking.length > 0) return `[${negate ? '' : '^'}${written}]`;
  if (negate) throw queryError(`the regular expression holds the empty class ${shown(raw)}`);
  return ANY;
}

// Some engines read a doubled &, ~ or | in a class as an operator.
const writeInClass = (member: AST.Character) => writeCharacter(member, /[\\^\-[\]&~|/]/);

/**
 * Writes one character, behind a backslash when it is special there.
 * @throws IdentityError ERROR_DB_QUERY for NUL, half a surrogate pair and \cX.
 */
export function writeCharacter({ value, raw }: AST.Character, special: RegExp): string {
  const character = String.fromCharCode(value);
  if (value === 0 || (value >= 0xd800 && value <= 0xdfff) || raw.startsWith('\\c')) {
    throw queryError('the regular expression holds a character that is not offered');
  }
  return special.test(character) ? `\\${character}` : character;
}
