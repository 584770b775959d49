// `npm run sbom`: writes what is delivered, as CycloneDX JSON, to .data/sbom.cdx.json or to the file that is named.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inRoot, root } from '../launch/places.mjs';
import { reportFailure } from '../launch/problem.mjs';
import { lockedPackages } from './lock.mjs';

/**
 * The software bill of materials of what is delivered, from package-lock.json alone.
 * npm writes it. Its own `--omit dev` also leaves out what development and the product share, so the tools of
 * development are taken out here.
 */
export function sbom() {
  const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
  const written = execFileSync('npm', [...args, '--loglevel', 'error'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const bill = JSON.parse(written);
  const { name } = bill.metadata.component;
  // npm names it after its folder.
  bill.metadata.component.name = /^pkg:npm\/([^@]+)@/.exec(bill.metadata.component.purl)?.[1] ?? name;
  const delivered = new Set(
    lockedPackages()
      .filter(({ dev }) => !dev)
      .map((one) => `${one.name}@${one.version}`),
  );
  const self = bill.metadata.component['bom-ref'];
  const kept = (reference) => reference === self || delivered.has(reference);
  const { dependencies } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  // Development may ask for a package by name that the product has by way of another.
  const isDeclared = (reference) => reference.slice(0, reference.lastIndexOf('@')) in dependencies;
  bill.components = bill.components.filter((component) => kept(component['bom-ref']));
  bill.dependencies = bill.dependencies
    .filter(({ ref }) => kept(ref))
    .map(({ ref, dependsOn = [] }) => ({
      ref,
      dependsOn: dependsOn.filter(ref === self ? isDeclared : kept),
    }));
  return bill;
}

function main() {
  const file = resolve(process.argv[2] ?? inRoot('.data/sbom.cdx.json'));
  const bill = sbom();
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`);
  console.log(`${bill.components.length} components written to ${file}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main();
  } catch (error) {
    reportFailure(error);
  }
}
