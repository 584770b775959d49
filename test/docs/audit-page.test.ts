import { afterAll, beforeAll, expect, it } from 'vitest';
import { auditActions } from '../../src/audit-actions.js';
import type { Installation } from './installation.js';
import { commandsOf, startInstallation, steady } from './installation.js';
import { read, section, tableRows } from './pages.js';

const page = read('docs/audit.md');
let installation: Installation;

beforeAll(async () => {
  installation = await startInstallation();
});
afterAll(() => installation.close());

it('the calls of the page are answered as it says', async () => {
  const shortcuts = commandsOf(section(read('README.md'), '## The first calls'))[0]!;
  const commands = commandsOf(page);
  const [, ...answers] = await installation.shell([shortcuts, ...commands].map(({ code }) => code));
  expect(answers.filter(Boolean)).toHaveLength(4);
  expect(answers.map(comparable)).toEqual(commands.map(({ answer }) => comparable(answer)));
});

/** Ids of records are shorter than others, and the caller's address is that of the machine. */
function comparable(text: string): unknown {
  if (!text.startsWith('{')) return text;
  return steady(
    text.replace(/"[0-9a-f]{24}"/g, '"<record>"').replace(/("peer": ?)"[\d.]+"/g, '$1"<address>"'),
  );
}

it('the page lists exactly what is recorded', () => {
  const rows = tableRows(section(page, '## Actions'));
  expect(rows.map(([action, , meaning]) => [action, meaning])).toEqual(Object.entries(auditActions));
});
