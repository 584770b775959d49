import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A page for people, and where it is in the repository. */
export interface Page {
  path: string;
  text: string;
}

/** A file of the repository, as text. */
export function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

/** Every page for people. */
export function pages(): Page[] {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const top = readdirSync(root).filter((name) => name.endsWith('.md'));
  const docs = readdirSync(`${root}/docs`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  return [...top, ...docs, 'deploy/README.md'].map((path) => ({ path, text: read(path) }));
}

/** The part of a page below a heading, up to the next one of the same rank. */
export function section(text: string, heading: string): string {
  const rank = heading.indexOf(' ');
  const [, after] = text.split(`\n${heading}\n`);
  if (after === undefined) throw new Error(`there is no heading ${heading}`);
  return after.split(new RegExp(`^#{1,${rank}} `, 'm'))[0]!;
}

/** The rows of the first table of a text, without its head; backticks are taken off. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith('|'));
  const rest = lines.slice(first);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(2, end === -1 ? undefined : end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`|`$/g, '')),
  );
}

/** The code blocks of a text in their order, with the language that each names. */
export function codeBlocks(text: string): { language: string; code: string }[] {
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    language,
    code,
  }));
}
