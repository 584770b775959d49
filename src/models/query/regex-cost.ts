import type { AST } from '@eslint-community/regexpp';
import { anyOverlap, charactersOf } from './characters.js';
import type { Characters } from './characters.js';
import { queryError, shown } from './mistakes.js';
import { COST_OF_EXPRESSION, MAX_COST } from './search-budget.js';

/** Longest value of a stored field that an expression meets, in characters; the cost is reckoned for it. */
const LENGTH = 256;
/** The same below a dynamic field, where values are bounded by the size of all tags only. */
const DYNAMIC_LENGTH = 512;
const LONGEST_DYNAMIC = 65_536;
/** Most steps for each character of the longest value below a dynamic field: they may not grow with its square. */
const MAX_DYNAMIC_STEPS = 64 * LONGEST_DYNAMIC;
/** Steps of a search that take a microsecond. */
const STEPS_IN_COST = 370;
/** A class costs this many characters to compile, and one more for so many members beyond ASCII. */
const WEIGHT_OF_CLASS = 4;
const MEMBERS_IN_WEIGHT = 80;
/** Most characters of an expression with its repeats written out; engines compile it so. */
const MAX_SIZE = 256;

/** One character of the expression, as a place that a match passes (Glushkov's construction). */
interface Place {
  characters: Characters;
  /** Places that may come next; one that is reached in two ways stands here twice. */
  next: Place[];
}

/** A point where a match may go on in several ways. */
interface Choice {
  /** How it goes on without leaving the loop or the option. */
  onward: Place[];
  /** Infinite in a repeat without end; the length of the value bounds it. */
  ways: number;
  /** The next character does not tell the ways apart, so that a failing search tries each. */
  open: boolean;
}

/** A part of the expression: whether it matches nothing at all, its places, where it begins and ends. */
interface Part {
  empty: boolean;
  /** Characters with all repeats written out. */
  size: number;
  /** What it costs to compile, in plain characters. */
  weight: number;
  places: Place[];
  first: Place[];
  last: Place[];
  choices: Choice[];
}

/**
 * Refuses an expression that a backtracking engine may need too many steps for (ReDoS, D-26), and tells what any other
 * costs on one row (see SearchBudget). Inside a loop the next character must always decide the way; outside, open
 * choices and starting points multiply, bounded.
 * @param dynamic values have no bound of their own.
 * @throws IdentityError ERROR_DB_QUERY.
 */
export function costOfExpression(
  alternatives: readonly AST.Alternative[],
  source: string,
  dynamic: boolean,
): number {
  const parts = alternatives.map(({ elements }) => ({ elements, part: sequence(elements, source) }));
  const steps = (length: number) =>
    parts.reduce((sum, { elements, part }) => sum + stepsOf(elements, part, length), 0);
  const weight = parts.reduce((sum, { part }) => sum + part.weight, 0);
  const cost = COST_OF_EXPRESSION + weight + steps(dynamic ? DYNAMIC_LENGTH : LENGTH) / STEPS_IN_COST;
  if (cost > MAX_COST || (dynamic && steps(LONGEST_DYNAMIC) > MAX_DYNAMIC_STEPS))
    throw refusal(source, 'may take too long: use fewer open repeats, or begin it with ^');
  return cost;
}

function refusal(source: string, why: string): Error {
  return queryError(`the regular expression ${shown(source)} ${why}`);
}

/** Most steps of a search for this alternative in a value of that length. */
function stepsOf(elements: readonly AST.Element[], { choices }: Part, length: number): number {
  const begin = elements[0];
  const starts = begin?.type === 'Assertion' && begin.kind === 'start' ? 1 : length;
  let arrivals = starts;
  let steps = starts;
  for (const { ways, open } of choices) {
    const taken = Math.min(ways, length);
    steps = Math.max(steps, arrivals * taken);
    if (open) arrivals *= taken;
  }
  return steps;
}

const nothing = (): Part => ({
  empty: true,
  size: 0,
  weight: 0,
  places: [],
  first: [],
  last: [],
  choices: [],
});

function sequence(elements: readonly AST.Element[], source: string): Part {
  return elements.reduce((left, element) => join(left, partOf(element, source), source), nothing());
}

function join(left: Part, right: Part, source: string): Part {
  const size = left.size + right.size;
  if (size > MAX_SIZE) throw refusal(source, 'is too large');
  for (const place of left.last) place.next.push(...right.first);
  const follow = right.first.map(({ characters }) => characters);
  for (const choice of left.choices) {
    const onward = choice.onward.map(({ characters }) => characters);
    choice.open ||= anyOverlap(onward, follow);
  }
  // What follows a part that matches something is behind a decided choice; behind an empty one it still counts.
  if (!right.empty) for (const choice of left.choices) choice.onward = [];
  return {
    empty: left.empty && right.empty,
    size,
    weight: left.weight + right.weight,
    places: [...left.places, ...right.places],
    first: left.empty ? [...left.first, ...right.first] : left.first,
    last: right.empty ? [...left.last, ...right.last] : right.last,
    choices: [...left.choices, ...right.choices],
  };
}

function partOf(element: AST.Element, source: string): Part {
  switch (element.type) {
    case 'Group':
    case 'CapturingGroup':
      if (element.type === 'CapturingGroup' && element.name) break;
      return alternation(element.alternatives, source);
    case 'Quantifier':
      return repeat(element, source);
    case 'Assertion':
      if (element.kind === 'lookahead' || element.kind === 'lookbehind') break;
      return nothing();
    case 'Character':
    case 'CharacterSet':
    case 'CharacterClass': {
      const place = { characters: charactersOf(element), next: [] };
      const weight = weightOf(element);
      return { empty: false, size: 1, weight, places: [place], first: [place], last: [place], choices: [] };
    }
  }
  throw refusal(source, `uses ${shown(element.raw)}, which is not offered`);
}

/** Engines fold each member of a class to its other letter cases. */
function weightOf(element: AST.Character | AST.CharacterSet | AST.CharacterClass): number {
  if (element.type === 'Character') return 1;
  if (element.type === 'CharacterSet') return WEIGHT_OF_CLASS;
  const members = element.elements.map((member) =>
    member.type === 'CharacterClassRange' ? member.max.value - member.min.value + 1 : 1,
  );
  return WEIGHT_OF_CLASS + members.reduce((sum, count) => sum + count, 0) / MEMBERS_IN_WEIGHT;
}

function alternation(alternatives: readonly AST.Alternative[], source: string): Part {
  const parts = alternatives.map(({ elements }) => sequence(elements, source));
  const first = parts.flatMap((part) => part.first);
  const choice = { onward: first, ways: parts.length, open: !distinct(first) };
  return {
    empty: parts.some(({ empty }) => empty),
    size: parts.reduce((sum, { size }) => sum + size, 0),
    weight: parts.reduce((sum, { weight }) => sum + weight, 0),
    places: parts.flatMap(({ places }) => places),
    first,
    last: parts.flatMap(({ last }) => last),
    choices: [...(parts.length > 1 ? [choice] : []), ...parts.flatMap(({ choices }) => choices)],
  };
}

function repeat({ min, max, element }: AST.Quantifier, source: string): Part {
  if (min === max)
    return sequence(
      Array.from({ length: Math.min(max, MAX_SIZE + 1) }, () => element),
      source,
    );
  const body = partOf(element, source);
  const copies = max === Infinity ? Math.max(min, 1) : max;
  const size = body.size * copies;
  const weight = body.weight * copies;
  if (size > MAX_SIZE) throw refusal(source, 'is too large');
  if (max === 1)
    return { ...body, size, weight, empty: true, choices: [optional(body.first, 2), ...body.choices] };
  for (const place of body.last) place.next.push(...body.first);
  if (body.empty || !distinct(body.first) || !body.places.every(({ next }) => distinct(next))) {
    throw refusal(source, `repeats ${shown(element.raw)}, which can match the same text in several ways`);
  }
  const onward = body.last.flatMap(({ next }) => next);
  return { ...body, size, weight, empty: min === 0, choices: [optional(onward, max - min + 1)] };
}

const optional = (onward: Place[], ways: number): Choice => ({ onward, ways, open: false });

/** No character allows two of the places. */
function distinct(places: readonly Place[]): boolean {
  return places.every(({ characters }, index) => {
    const others = places.slice(index + 1).map((other) => other.characters);
    return !anyOverlap([characters], others);
  });
}
