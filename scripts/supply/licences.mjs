// `npm run licences`: writes docs/licences.md and fails on a licence that is not allowed.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installPackages } from '../launch/packages.mjs';
import { inRoot } from '../launch/places.mjs';
import { Problem, reportFailure } from '../launch/problem.mjs';
import { lockedPackages } from './lock.mjs';

/** Licences of what is delivered: they ask for no more than to be named. */
const DELIVERED = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'MIT-0',
];
/** Tools of development are not delivered: a licence may also ask to pass on changes of the tool itself. */
const OF_TOOLS = [...DELIVERED, 'MPL-2.0'];

/**
 * Whether a licence is allowed.
 * @param {string} licence SPDX: a name, or names joined by AND or by OR
 * @param {boolean} dev whether only development needs the package
 */
export function isAllowed(licence, dev) {
  const allowed = dev ? OF_TOOLS : DELIVERED;
  const names = licence.replace(/^\(|\)$/g, '');
  if (names.includes(' OR ')) return names.split(' OR ').some((name) => allowed.includes(name));
  return names.split(' AND ').every((name) => allowed.includes(name));
}

/** What package-lock.json holds under a licence that is not allowed, as `name version: licence`. */
export function refusedLicences(packages = lockedPackages()) {
  return packages
    .filter(({ licence, dev }) => !isAllowed(licence, dev))
    .map(({ name, version, licence }) => `${name} ${version}: ${licence}`);
}

/** The text of docs/licences.md. */
export async function licencesPage() {
  const delivered = lockedPackages().filter(({ dev }) => !dev);
  const rows = delivered.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  const page = `# Licences

<!-- Written by \`npm run licences\` from package-lock.json: change it there. -->

Identity itself is under the [Apache License 2.0](../LICENSE). These ${delivered.length} packages are delivered with it.

Allowed are ${listed(DELIVERED)}.
Tools of development, which are not delivered, may also be under
${listed(OF_TOOLS.filter((name) => !DELIVERED.includes(name)))}. A test fails on anything else.

| package | version | licence |
| --- | --- | --- |
${rows.join('\n')}
`;
  const prettier = await import('prettier');
  const file = inRoot('docs/licences.md');
  return prettier.format(page, { ...(await prettier.resolveConfig(file)), filepath: file });
}

function listed(names) {
  return names.join(', ');
}

async function main() {
  await installPackages();
  writeFileSync(inRoot('docs/licences.md'), await licencesPage());
  const refused = refusedLicences();
  if (refused.length > 0) throw new Problem(`Licences that are not allowed:\n  ${refused.join('\n  ')}`);
  console.log('docs/licences.md is written; every licence is allowed.');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main().catch(reportFailure);
