import type { AST } from '@eslint-community/regexpp';

/**
 * A set of characters without letter case, as bits: one for each ASCII character, one for all others together.
 * Two sets of other characters always count as overlapping, which errs on the safe side.
 */
export type Characters = bigint;

/** Codes below this one are told apart. */
export const ASCII = 128;
const OTHERS = 1n << BigInt(ASCII);
const ALL = (OTHERS << 1n) - 1n;
const bit = (code: number) => 1n << BigInt(code);

const range = (from: number, to: number): Characters => {
  let set = to >= ASCII ? OTHERS : 0n;
  for (let code = from; code <= Math.min(to, ASCII - 1); code++) set |= bothCases(code);
  return set;
};

// U+017F and U+212A fold to s and k: letters with a double among the others.
const bothCases = (code: number): Characters => {
  const character = String.fromCharCode(code);
  const lower = bit(character.toLowerCase().charCodeAt(0));
  const upper = bit(character.toUpperCase().charCodeAt(0));
  return lower | upper | (/[ks]/i.test(character) ? OTHERS : 0n);
};

const DIGITS = range(48, 57);
const WORDS = DIGITS | range(65, 90) | bit(95);
const SPACES = range(9, 13) | bit(32);
const KINDS: Record<string, Characters> = { digit: DIGITS, word: WORDS, space: SPACES };

/** The characters that one place of an expression matches; an unknown kind counts as all. */
export function charactersOf(element: AST.Character | AST.CharacterSet | AST.CharacterClass): Characters {
  if (element.type === 'Character') return range(element.value, element.value);
  if (element.type === 'CharacterSet') return kind(element);
  const set = element.elements.reduce((sum, member) => sum | charactersOfMember(member), 0n);
  return element.negate ? negated(set) : set;
}

/** The characters that one member of a class stands for. */
export function charactersOfMember(member: AST.CharacterClass['elements'][number]): Characters {
  if (member.type === 'Character') return range(member.value, member.value);
  if (member.type === 'CharacterClassRange') return range(member.min.value, member.max.value);
  return member.type === 'CharacterSet' ? kind(member) : ALL;
}

function kind(element: AST.CharacterSet): Characters {
  const known = KINDS[element.kind];
  if (known === undefined) return ALL;
  return 'negate' in element && element.negate ? negated(known) : known;
}

// Which of the others are left is not known, so they stay.
const negated = (set: Characters): Characters => (ALL & ~set) | OTHERS;

/** Some character is in a set of the one list and in a set of the other. */
export function anyOverlap(some: readonly Characters[], others: readonly Characters[]): boolean {
  const union = others.reduce((sum, set) => sum | set, 0n);
  return some.some((set) => (set & union) !== 0n);
}
