import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SmtpSink } from '../smtp-sink.js';
import { startSmtpSink } from '../smtp-sink.js';
import type { MailSystem } from './mail-system.js';
import { aCode, newDatabase, startMailSystem } from './mail-system.js';

let sink: SmtpSink;
let database: string;
let systems: MailSystem[];

beforeEach(async () => {
  sink = await startSmtpSink();
  database = newDatabase();
  systems = [];
});
afterEach(async () => {
  await Promise.all(systems.map((system) => system.stop()));
  await sink.close();
});

async function start(settings: Record<string, string> = {}): Promise<MailSystem> {
  const system = await startMailSystem(database, sink.url, { MAIL_LIMIT_PER_HOUR: '1000', ...settings });
  systems.push(system);
  system.delivery.start();
  return system;
}

const put = (system: MailSystem, mail: Parameters<MailSystem['mails']['put']>[1]) =>
  system.transaction((tx) => system.mails.put(tx, mail));

/** Waits until no mail is queued any more, and answers what became of each. */
async function settled(system: MailSystem, milliseconds = 20_000): Promise<string[]> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const states = (await system.documents('outbox')).map((mail) => String(mail['state']));
    if (!states.includes('QUEUED') || Date.now() > end) return states.sort();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('a committed mail arrives, in HTML and plain text, with the headers of an automatic mail', async () => {
  const system = await start();
  await put(system, aCode('user@example.com'));
  const mail = await sink.waitFor('user@example.com');

  expect(mail.subject).toBe('[Identity] Your sign-in code');
  expect(mail.from).toBe('"Identity Tests" <no-reply@mail.example.com>');
  expect(mail.toHeader).toBe('user@example.com');
  expect(mail.html).toContain('482913');
  expect(mail.text).toContain('482913');
  expect(mail.headers.get('auto-submitted')).toBe('auto-generated');

  expect(await settled(system)).toEqual(['SENT']);
  const [kept] = await system.documents('outbox');
  expect(mail.messageId).toBe(`<${kept!['_id'] as unknown as string}@mail.example.com>`);
  expect(kept).not.toHaveProperty('payload');
  expect(kept!['purge_at']).toBeInstanceOf(Date);
});

test('subjects and words in Korean and Japanese arrive as they were written', async () => {
  const system = await start();
  await put(system, { ...aCode('ko@example.com'), language: 'ko' });
  await put(system, { ...aCode('ja@example.com'), language: 'ja' });
  expect((await sink.waitFor('ko@example.com')).subject).toBe('[Identity] 로그인 인증 코드');
  expect((await sink.waitFor('ja@example.com')).text).toContain('次のコードを入力して');
});

test('speaks TLS as soon as the server offers it, and reaches an international domain', async () => {
  await sink.close();
  sink = await startSmtpSink({ startTls: true });
  const system = await start();
  await put(system, aCode('user@bücher.example'));
  const mail = await sink.waitFor('user@bücher.example');
  expect(mail.secure).toBe(true);
});

test('two instances on one database send each of 50 mails exactly once', async () => {
  const [one, two] = [await start(), await start()];
  const addresses = Array.from({ length: 50 }, (_, index) => `user${index}@example.com`);
  await Promise.all(addresses.map((to, index) => put(index % 2 ? one : two, aCode(to))));
  for (const to of addresses) await sink.waitFor(to);
  expect(await settled(one)).toEqual(Array<string>(50).fill('SENT'));
  expect(sink.mails.map(({ to }) => to[0]).sort()).toEqual(addresses.sort());
});

test('F09: a mail queued by an instance that died is sent by another one', async () => {
  const dead = await start();
  await dead.delivery.stop();
  await put(dead, aCode('orphan@example.com'));
  await start();
  await sink.waitFor('orphan@example.com');
});

test('the mail server is away and comes back: no call fails, every mail arrives once', async () => {
  const system = await start();
  await sink.down();
  const addresses = Array.from({ length: 15 }, (_, index) => `later${index}@example.com`);
  for (const to of addresses) await put(system, aCode(to));
  await expect
    .poll(() => system.lines.filter(({ message }) => message === 'mail postponed').length)
    .not.toBe(0);
  await sink.up();
  for (const to of addresses) await sink.waitFor(to, 25_000);
  expect(await settled(system)).toEqual(Array<string>(15).fill('SENT'));
  expect(sink.mails).toHaveLength(15);
});

test('a mail that the server puts off is sent when the server takes it', async () => {
  const system = await start();
  sink.refuse({ code: 451 });
  await put(system, aCode('greylisted@example.com'));
  await expect.poll(() => system.lines.some(({ message }) => message === 'mail postponed')).toBe(true);
  sink.refuse();
  await sink.waitFor('greylisted@example.com');
  expect(await settled(system)).toEqual(['SENT']);
  expect(sink.mails).toHaveLength(1);
});

test.each([false, true])(
  'a mail refused for good is given up, others go out (after the message: %s)',
  async (atData) => {
    const system = await start({ MAIL_BATCH: '1' });
    sink.refuse({ code: 550, to: 'nobody@example.com', atData });
    await put(system, aCode('nobody@example.com'));
    await put(system, aCode('somebody@example.com'));
    await sink.waitFor('somebody@example.com');
    expect(await settled(system)).toEqual(['FAILED', 'SENT']);
    for (const mail of await system.documents('outbox')) expect(mail).not.toHaveProperty('payload');
    expect(system.lines).toContainEqual({
      level: 'error',
      message: 'mail given up',
      fields: expect.objectContaining({ reply: 550, template: 'authentication_code' }) as object,
    });
  },
);

test('one address that is always put off does not hold the queue', async () => {
  const system = await start({ MAIL_BATCH: '1' });
  sink.refuse({ code: 451, to: 'full@example.com' });
  for (let round = 0; round < 3; round += 1) await put(system, aCode('full@example.com'));
  for (let index = 0; index < 10; index += 1) await put(system, aCode(`free${index}@example.com`));
  for (let index = 0; index < 10; index += 1) await sink.waitFor(`free${index}@example.com`);
});

test('a server that is slow to greet delays mails, not calls', async () => {
  const system = await start();
  sink.greetAfter(1000);
  await put(system, aCode('patient@example.com'));
  expect(sink.mails).toEqual([]);
  await sink.waitFor('patient@example.com');
  expect(await settled(system)).toEqual(['SENT']);
});

test('a connection that breaks before the answer is tried again with the same Message-ID', async () => {
  const system = await start();
  sink.dropAfterData(true);
  await put(system, aCode('broken@example.com'));
  await expect.poll(() => system.lines.some(({ message }) => message === 'mail postponed')).toBe(true);
  sink.dropAfterData(false);
  const { messageId } = await sink.waitFor('broken@example.com');
  expect(messageId).toContain((await system.documents('outbox'))[0]!['_id'] as unknown as string);
});

test('a code that has expired is not sent any more', async () => {
  const system = await start();
  await sink.down();
  await put(system, aCode('late@example.com'));
  system.clock.aheadMs = 301_000;
  await put(system, {
    ...aCode('timely@example.com'),
    values: { code: '555555', expires_at: new Date(Date.now() + 900_000) },
  });
  await sink.up();
  await sink.waitFor('timely@example.com');
  expect(await settled(system)).toEqual(['EXPIRED', 'SENT']);
  expect(sink.mails).toHaveLength(1);
});

test('a mail that cannot be read with this key is given up and harms no other', async () => {
  const system = await start({ SERVICE_KEY: Buffer.alloc(32, 7).toString('base64') });
  const other = await startMailSystem(database, sink.url);
  systems.push(other);
  await put(other, aCode('unreadable@example.com'));
  await put(system, aCode('readable@example.com'));
  await sink.waitFor('readable@example.com');
  expect(await settled(system)).toEqual(['FAILED', 'SENT']);
});

test('stopping waits for the mail under way and takes no other', async () => {
  const system = await start({ MAIL_BATCH: '1' });
  sink.greetAfter(500);
  await put(system, aCode('first@example.com'));
  await expect.poll(() => sink.connections).toBe(1);
  await put(system, aCode('second@example.com'));
  await system.delivery.stop();
  expect(sink.mails.map(({ to }) => to[0])).toEqual(['first@example.com']);
  expect(await settled(system, 0)).toEqual(['QUEUED', 'SENT']);
});

test('the log names no address, no code and no link', async () => {
  const system = await start();
  sink.refuse({ code: 550, to: 'secret-refused@example.com' });
  await put(system, aCode('secret-refused@example.com', 'secret-id', '918273'));
  await put(system, aCode('secret-taken@example.com', 'secret-id', '918273'));
  await sink.waitFor('secret-taken@example.com');
  await settled(system);
  await sink.down();
  await put(system, aCode('secret-away@example.com', 'secret-id', '918273'));
  await expect.poll(() => system.lines.some(({ message }) => message === 'mail postponed')).toBe(true);
  expect(JSON.stringify(system.lines)).not.toMatch(/secret|918273|@example/);
});
