import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Installation } from './installation.js';
import { commandsOf, startInstallation, steady } from './installation.js';
import { read, section } from './pages.js';

let installation: Installation;

beforeAll(async () => {
  installation = await startInstallation();
});
afterAll(() => installation.close());

it('the calls of the pages of OS-USER and CSMS are answered as they say', async () => {
  const shortcuts = commandsOf(section(read('README.md'), '## The first calls'))[0]!;
  const pages = ['docs/iam-os-user.md', 'docs/csms.md'].flatMap((path) => commandsOf(read(path)));
  const [, ...answers] = await installation.shell([shortcuts, ...pages].map(({ code }) => code));
  expect(answers.filter(Boolean)).toHaveLength(5);
  const comparable = (text: string) => (text ? steady(text) : '');
  expect(answers.map(comparable)).toEqual(pages.map(({ answer }) => comparable(answer)));
});
