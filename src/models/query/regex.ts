import { RegExpParser } from '@eslint-community/regexpp';
import type { AST } from '@eslint-community/regexpp';
import { queryError, shown } from './mistakes.js';
import { assertCheap } from './regex-cost.js';

/** Longest expression or literal text that is looked for inside values, in characters. */
export const MAX_PATTERN_CHARACTERS = 256;
/** Longest value below a dynamic field that an expression is tried on; there is no other bound on these. */
const MAX_DYNAMIC_CHARACTERS = 512;

// Strict grammar: what other engines read differently (\Q, a{,5}, [[:alpha:]], inline flags) is no expression here.
const parser = new RegExpParser({ strict: true, ecmaVersion: 2024 });

/** A test of a value as the database takes it. As options, since drivers lose some flags of a RegExp. */
export interface Expression {
  $regex: string;
  $options: string;
}

/** An expression that finds the text as it is, in any letter case. */
export function literally(text: string): Expression {
  return { $regex: text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), $options: 'i' };
}

/**
 * Translates the caller's regular expression into one that means the same in every database engine, always in
 * any letter case (contract/query.md 2.1), and whose cost on the longest value is bounded (D-26).
 * @throws IdentityError ERROR_DB_QUERY when it is wrong, uses what is not offered, or may run away.
 */
export function compileRegex(source: string, dynamic: boolean): Expression {
  const searched = withoutOpenEnds(parse(source));
  assertCheap(searched, source);
  const text = writeAlternatives(searched);
  if (!dynamic) return { $regex: text, $options: 'i' };
  return { $regex: `^(?=.{0,${MAX_DYNAMIC_CHARACTERS}}$).*?(?:${text})`, $options: 'is' };
}

function parse(source: string): AST.Pattern {
  try {
    return parser.parsePattern(source, 0, source.length, { unicode: false });
  } catch (error) {
    const why = (error as Error).message.split(': ').at(-1)!;
    throw queryError(`the regular expression ${shown(source)} is not valid: ${why}`);
  }
}

/** Drops `.*` at both ends: a search finds the same without them, and far quicker. */
function withoutOpenEnds(pattern: AST.Pattern): AST.Alternative[] {
  return pattern.alternatives.map((alternative) => {
    const elements = [...alternative.elements];
    while (isAnything(elements[0])) elements.shift();
    while (isAnything(elements.at(-1))) elements.pop();
    return { ...alternative, elements };
  });
}

function isAnything(element: AST.Element | undefined): boolean {
  if (element?.type !== 'Quantifier' || element.min !== 0 || element.max !== Infinity) return false;
  return element.element.type === 'CharacterSet' && element.element.kind === 'any';
}

function writeAlternatives(alternatives: readonly AST.Alternative[]): string {
  return alternatives.map(({ elements }) => elements.map(write).join('')).join('|');
}

function write(element: AST.Element): string {
  switch (element.type) {
    case 'Character':
      return writeCharacter(element.value, /[\\^$.*+?()[\]{}|/]/);
    case 'CharacterSet':
      return writeSet(element);
    case 'CharacterClass':
      return writeClass(element);
    // Nothing refers back to a group, so none has to be remembered.
    case 'Group':
    case 'CapturingGroup':
      return `(?:${writeAlternatives(element.alternatives)})`;
    case 'Quantifier':
      return `${write(element.element)}${writeRepeat(element)}`;
    case 'Assertion':
      return element.raw;
    default:
      throw queryError(`the regular expression uses ${shown(element.raw)}, which is not offered`);
  }
}

// Engines differ in whether letters of other scripts are words; here they are not, and a dot is no line break.
const RANGES: Record<string, string> = { digit: '0-9', word: 'A-Za-z0-9_', space: '\\t-\\r ' };

function writeSet(set: AST.CharacterSet): string {
  if (set.kind === 'any') return '[^\\n]';
  return `[${set.negate ? '^' : ''}${RANGES[set.kind]}]`;
}

function writeClass({ negate, elements }: AST.CharacterClass): string {
  // A set and its negation must complete each other, as in [\s\S], so they stay as they are.
  const asGiven = elements.some((element) => element.type === 'CharacterSet' && element.negate);
  const written = elements.map((element) => {
    if (element.type === 'Character') return writeInClass(element.value);
    if (element.type === 'CharacterClassRange') {
      return `${writeInClass(element.min.value)}-${writeInClass(element.max.value)}`;
    }
    return asGiven || element.type !== 'CharacterSet' ? element.raw : RANGES[element.kind]!;
  });
  return `[${negate ? '^' : ''}${written.join('')}]`;
}

// Some engines read a doubled &, ~ or | in a class as an operator.
const writeInClass = (value: number) => writeCharacter(value, /[\\^\-[\]&~|/]/);

function writeCharacter(value: number, special: RegExp): string {
  const character = String.fromCharCode(value);
  if (value === 0 || (value >= 0xd800 && value <= 0xdfff)) {
    throw queryError('the regular expression holds a character that is not offered');
  }
  return special.test(character) ? `\\${character}` : character;
}

function writeRepeat({ min, max, greedy }: AST.Quantifier): string {
  const lazy = greedy ? '' : '?';
  if (max === Infinity && min < 2) return `${min === 0 ? '*' : '+'}${lazy}`;
  if (min === 0 && max === 1) return `?${lazy}`;
  if (min === max) return `{${min}}`;
  return `{${min},${max === Infinity ? '' : max}}${lazy}`;
}
