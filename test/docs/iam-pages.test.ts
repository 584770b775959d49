import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Installation } from './installation.js';
import { commandsOf, startInstallation, steady } from './installation.js';
import { read, section } from './pages.js';

let installation: Installation;

beforeAll(async () => {
  installation = await startInstallation();
});
afterAll(() => installation.close());

it.each([
  { names: 'OpenStack Identity', paths: ['docs/iam-users.md'], count: 17 },
  { names: 'OS-USER and CSMS', paths: ['docs/iam-os-user.md', 'docs/csms.md'], count: 8 },
])('the calls of the pages of $names are answered as they say', async ({ paths, count }) => {
  const shortcuts = commandsOf(section(read('README.md'), '## The first calls'))[0]!;
  const pages = paths.flatMap((path) => commandsOf(read(path)));
  const [, ...answers] = await installation.shell([shortcuts, ...pages].map(({ code }) => code));
  expect(answers.filter(Boolean)).toHaveLength(count);
  const comparable = (text: string) => (text ? steady(text) : '');
  expect(answers.map(comparable)).toEqual(pages.map(({ answer }) => comparable(answer)));
});

it('leave nothing outside the folder of the data', async () => {
  expect(await readdir(installation.folder)).toEqual(['.data']);
});
