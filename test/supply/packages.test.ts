import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { verdict } from '../../scripts/supply/audit.mjs';
import { isAllowed, licencesPage, refusedLicences } from '../../scripts/supply/licences.mjs';
import { lockedPackages } from '../../scripts/supply/lock.mjs';
import { sbom } from '../../scripts/supply/sbom.mjs';
import { read, tableRows } from '../docs/pages.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const packages = lockedPackages();
const delivered = packages.filter(({ dev }) => !dev);
const named = ({ name, version }: { name: string; version: string }) => `${name}@${version}`;

interface Manifest {
  version: string;
  license?: string;
  dependencies?: Record<string, string>;
}
const manifest = (folder: string) =>
  JSON.parse(readFileSync(`${root}/${folder}/package.json`, 'utf8')) as Manifest;

describe('licences', () => {
  it('docs/licences.md is what `npm run licences` writes', async () => {
    expect(read('docs/licences.md')).toBe(await licencesPage());
  });

  it('has every package that is delivered, as it is installed', () => {
    const rows = new Map(
      tableRows(read('docs/licences.md')).map(([name, ...rest]) => [`${name}@${rest[0]}`, rest[1]]),
    );
    for (const { place } of delivered) {
      const { version, license } = manifest(place);
      const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
      expect(rows.get(`${name}@${version}`), place).toBe(license);
    }
    expect(rows.size).toBe(new Set(delivered.map(named)).size);
  });

  it('are all allowed', () => {
    expect(refusedLicences()).toEqual([]);
  });

  it.each([
    ['GPL-3.0-only', false, false],
    ['MPL-2.0', false, false],
    ['MPL-2.0', true, true],
    ['(MIT OR GPL-3.0-only)', false, true],
    ['(MIT AND GPL-3.0-only)', false, false],
    ['none named', true, false],
    ['UNLICENSED', true, false],
  ])('%s, for development: %s, is allowed: %s', (licence, dev, allowed) => {
    expect(isAllowed(licence, dev)).toBe(allowed);
  });
});

describe('the bill of materials', () => {
  const bill = sbom();

  it('names exactly what is delivered, each with its hash, licence and address', () => {
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'identity' } } });
    expect(bill.components.map(named).sort()).toEqual([...new Set(delivered.map(named))].sort());
    for (const { name, hashes, licenses, purl } of bill.components) {
      expect(hashes, name).not.toEqual([]);
      expect(licenses, name).not.toEqual([]);
      expect(purl).toMatch(/^pkg:npm\//);
    }
  });

  it('leads from the product to every dependency that package.json declares', () => {
    const self = bill.dependencies.find(({ ref }) => ref.startsWith('identity@'))!;
    const names = self.dependsOn.map((reference) => reference.slice(0, reference.lastIndexOf('@')));
    expect(names.sort()).toEqual(Object.keys(manifest('.').dependencies!).sort());
  });
});

describe('what is installed is pinned', () => {
  it('every Node package by its hash', () => {
    expect(packages.filter(({ integrity }) => !integrity?.startsWith('sha512-')).map(named)).toEqual([]);
  });

  const requirements = ['.', 'test']
    .flatMap((folder) =>
      readdirSync(`${root}/${folder}`).map((name) => (folder === '.' ? name : `${folder}/${name}`)),
    )
    .filter((path) => /(^|\/)requirements[\w-]*\.txt$/.test(path));

  it.each(requirements)('every Python package of %s by version and hash', (path) => {
    const entries = read(path)
      .replace(/^\s*#.*$/gm, '')
      .split(/\n(?=\S)/)
      .map((entry) => entry.trim())
      .filter(Boolean);
    expect(entries.length).toBeGreaterThan(0);
    for (const entry of entries) expect(entry).toMatch(/^[\w.-]+==[\w.]+[^]*--hash=sha256:[0-9a-f]{64}/);
  });

  it('every image by a version', () => {
    const stages = [...read('Dockerfile').matchAll(/^FROM \S+ AS (\w+)/gm)].map(([, name]) => name);
    const images = [
      ...[...read('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!),
      ...[...read('docker-compose.yml').matchAll(/^\s+image: (\S+)/gm)].map(([, image]) => image!),
    ].filter((image) => !stages.includes(image) && !image.startsWith('identity'));
    expect(images.length).toBeGreaterThan(0);
    for (const image of images) expect(image).toMatch(/:(?!latest)[\w.-]*\d[\w.-]*$/);
  });
});

describe('P24: npm run audit', () => {
  const weak = (severity: string) => ({
    vulnerabilities: { somepackage: { name: 'somepackage', severity, range: '<2' } },
    metadata: { vulnerabilities: { low: 0, high: 0, critical: 0, [severity]: 1 } },
  });

  it.each([
    ['an answer without weaknesses', { vulnerabilities: {}, metadata: { vulnerabilities: { high: 0 } } }, 0],
    ['a low one', weak('low'), 0],
    ['a high one', weak('high'), 1],
    ['a critical one', weak('critical'), 1],
    ['a registry without advisories', { message: '405 Method Not Allowed - POST somewhere', body: '' }, 2],
    ['an error', { error: { code: 'ENOAUDIT', summary: 'refused' } }, 2],
  ])('tells %s', (_what, answer, code) => {
    expect(verdict(JSON.stringify(answer)).code).toBe(code);
  });

  it('never takes silence for good news', () => {
    for (const output of ['', '{}', 'null', 'not found']) {
      expect(verdict(output).code).toBe(2);
      expect(verdict(output).lines[0]).toContain('NOT CHECKED');
    }
  });
});
