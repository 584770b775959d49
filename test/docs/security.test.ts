import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { read, section, tableRows } from './pages.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = read('SECURITY.md');
const promises = tableRows(section(page, '## What is promised')).filter(
  ([promise]) => !promise!.startsWith('**'),
);

describe('SECURITY.md', () => {
  it.each(promises)('promises what a test proves: %s', (_promise, how, tests) => {
    const paths = [...`\`${tests}\``.matchAll(/(test\/[\w./-]+)/g)].map(([, path]) => path!);
    expect(how).not.toBe('');
    expect(paths.length).toBeGreaterThan(0);
    expect(paths.filter((path) => !path.endsWith('.test.ts') || !existsSync(`${root}/${path}`))).toEqual([]);
  });

  it('names drills that there are', () => {
    const named = promises.flatMap(([, , tests]) => [...`\`${tests}\``.matchAll(/drill `([^`]+)`/g)]);
    const drills = tableRows(section(read('docs/drills.md'), '## What each proves')).map(([name]) => name);
    expect(named.map(([, name]) => name).filter((name) => !drills.includes(name))).toEqual([]);
    expect(new Set(named.map(([, name]) => name)).size).toBe(drills.length);
  });

  it('promises something about each who attacks', () => {
    const groups = tableRows(section(page, '## What is promised')).filter(([promise]) =>
      promise!.startsWith('**'),
    );
    expect(groups.length).toBeGreaterThan(4);
    expect(promises.length).toBeGreaterThan(20);
  });

  it('names settings that there are', () => {
    const configuration = read('docs/configuration.md');
    const settings = [...page.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, name]) => name!);
    expect(settings.filter((name) => !configuration.includes(`\`${name}\``))).toEqual([]);
  });
});
