import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { read } from './pages.js';

/** What the service withstands, case by case: P01 to P24 by its rules, F01 to F12 in trouble and under load. */
const CASES = [...numbered('P', 24), ...numbered('F', 12)];

function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => letter + String(index + 1).padStart(2, '0'));
}

/** The text of every file below a folder whose name ends so. */
function textsOf(folder: string, ending: string): string[] {
  const names = readdirSync(new URL(`../../${folder}`, import.meta.url), {
    recursive: true,
    encoding: 'utf8',
  });
  return names.filter((name) => name.endsWith(ending)).map((name) => read(`${folder}/${name}`));
}

/** The cases that titles of tests begin with: `'P02 F10: …'`. */
function casesOfTests(): string[] {
  const titles = textsOf('test', '.test.ts').flatMap((text) => [
    ...text.matchAll(/^\s*(?:(?:it|test|describe)\b[^'"`\n]*|\]\)\(|)'((?:[PF]\d\d[ :]+)+)/gm),
  ]);
  return titles.flatMap(([, ids]) => ids!.match(/[PF]\d\d/g)!);
}

/** The cases that drills are said to be of: `(checks F01, F02)` in the lines above one. */
function casesOfDrills(): string[] {
  const drills = textsOf('drill', '.ts').flatMap((text) => [
    ...text.matchAll(/\(checks ([^)]+)\)[^\n]*\*\/\n(?:(?:async )?function|export const \w+Drills) /g),
  ]);
  return drills.flatMap(([, ids]) => ids!.split(', '));
}

it('every case has a test or a drill', () => {
  const proven = new Set([...casesOfTests(), ...casesOfDrills()]);
  expect(CASES.filter((id) => !proven.has(id))).toEqual([]);
});

it('no test and no drill is of a case that there is not', () => {
  const known = new Set(CASES);
  expect([...casesOfTests(), ...casesOfDrills()].filter((id) => !known.has(id))).toEqual([]);
});
