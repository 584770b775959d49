import { RegExpParser } from '@eslint-community/regexpp';
import type { AST } from '@eslint-community/regexpp';
import { queryError, shown } from './mistakes.js';
import { costOfExpression } from './regex-cost.js';
import { writeCharacter, writeClass, writeSet } from './regex-characters.js';

/** Longest expression or literal text that is looked for inside values, in characters. */
export const MAX_PATTERN_CHARACTERS = 256;
/** Most characters of an expression as it is written for the database; engines take 1,000. */
const MAX_WRITTEN = 960;

// Strict grammar: what other engines read differently (\Q, a{,5}, [[:alpha:]], inline flags) is no expression here.
const parser = new RegExpParser({ strict: true, ecmaVersion: 2024 });

/** A test of a value as the database takes it. As options, since drivers lose some flags of a RegExp. */
export interface Expression {
  $regex: string;
  $options: string;
}

/** An expression that finds the text as it is, in any letter case. */
export function literally(text: string): Expression {
  return { $regex: escaped(text), $options: 'i' };
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** As few expressions as can be that find any of the texts as it is; none when there is no text. */
export function anyLiterally(texts: readonly string[]): Expression[] {
  const joined: string[] = [];
  for (const text of new Set(texts.map(escaped))) {
    const longer = joined.length > 0 ? `${joined.at(-1)!}|${text}` : text;
    if (joined.length > 0 && longer.length <= MAX_WRITTEN) joined[joined.length - 1] = longer;
    else joined.push(text);
  }
  return joined.map((text) => ({ $regex: text, $options: 'i' }));
}

/**
 * Translates the caller's regular expression into one that means the same in every database engine, always in
 * any letter case (contract/query.md 2.1), and tells what it costs on one row (D-26; see SearchBudget).
 * @param dynamic the values that it meets have no bound of their own.
 * @throws IdentityError ERROR_DB_QUERY when it is wrong, uses what is not offered, or may run away.
 */
export function compileRegex(source: string, dynamic: boolean): { expression: Expression; cost: number } {
  const searched = withoutOpenEnds(parse(source));
  const cost = costOfExpression(searched, source, dynamic);
  const text = writeAlternatives(searched);
  if (text.length > MAX_WRITTEN) throw queryError(`the regular expression ${shown(source)} is too large`);
  return { expression: { $regex: text, $options: 'i' }, cost };
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
      return writeCharacter(element, /[\\^$.*+?()[\]{}|/]/);
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
      // To some engines $ is before a last line break too, and slow.
      return element.kind === 'end' ? '\\z' : element.raw;
    default:
      throw queryError(`the regular expression uses ${shown(element.raw)}, which is not offered`);
  }
}

function writeRepeat({ min, max, greedy }: AST.Quantifier): string {
  const lazy = greedy ? '' : '?';
  if (max === Infinity && min < 2) return `${min === 0 ? '*' : '+'}${lazy}`;
  if (min === 0 && max === 1) return `?${lazy}`;
  if (min === max) return `{${min}}`;
  return `{${min},${max === Infinity ? '' : max}}${lazy}`;
}
