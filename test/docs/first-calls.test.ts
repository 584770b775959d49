import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Installation } from './installation.js';
import { commandsOf, startInstallation, steady } from './installation.js';
import { read, section } from './pages.js';

const commands = commandsOf(section(read('README.md'), '## The first calls'));
const [shortcuts, mailbox] = [commands.at(0)!, commands.pop()!];

let installation: Installation;

beforeAll(async () => {
  installation = await startInstallation();
});
afterAll(() => installation.close());

it('the first calls of the README are answered as it says', async () => {
  const answers = await installation.shell(commands.map(({ code }) => code));
  const comparable = (text = '') => (text ? steady(text) : '');
  expect(answers.map(comparable)).toEqual(commands.map(({ answer }) => comparable(answer)));
  expect(answers.filter(Boolean)).toHaveLength(9);

  const { text } = await installation.service.sink.waitFor(({ to }) => to.includes('newton@example.com'));
  await writeFile(join(installation.folder, 'mails.json'), JSON.stringify([{ text }]));
  const fromFile = mailbox.code.replace('curl -s http://127.0.0.1:1080/api/email', 'cat mails.json');
  const [, printed] = await installation.shell([shortcuts.code, fromFile]);
  expect(printed).toBe(mailbox.answer);
});
