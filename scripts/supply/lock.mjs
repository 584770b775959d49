import { readFileSync } from 'node:fs';
import { inRoot } from '../launch/places.mjs';

/** Packages that name their licence in an old form, which the lock file leaves out; looked up in the package. */
const NAMED_IN_OLD_FORM = { 'xmlhttprequest-ssl': 'MIT' };

/**
 * Every package of package-lock.json in the order of its names.
 * @returns {{ name: string, version: string, licence: string, integrity: string | undefined, dev: boolean, place: string }[]}
 *   `dev` is true for what only development needs; `place` is its folder
 */
export function lockedPackages() {
  const { packages } = JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([place]) => place !== '')
    .map(([place, { version, license, integrity, dev = false }]) => {
      const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const licence = license ?? NAMED_IN_OLD_FORM[name] ?? 'none named';
      return { name, version, licence, integrity, dev, place };
    })
    .sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}
