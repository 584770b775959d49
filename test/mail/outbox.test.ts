import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { SmtpSink } from '../smtp-sink.js';
import { startSmtpSink } from '../smtp-sink.js';
import type { MailSystem } from './mail-system.js';
import { aCode, newDatabase, startMailSystem } from './mail-system.js';

let sink: SmtpSink;
let system: MailSystem;

beforeAll(async () => {
  sink = await startSmtpSink();
  system = await startMailSystem(newDatabase(), sink.url, { MAIL_LIMIT_PER_HOUR: '5' });
});
afterAll(async () => {
  await system.stop();
  await sink.close();
});
beforeEach(async () => {
  await system.mongo.connection.db!.collection('outbox').deleteMany({});
});

const put = (mail: Parameters<MailSystem['mails']['put']>[1]) =>
  system.transaction((tx) => system.mails.put(tx, mail));

test('a mail of an aborted transaction does not exist and counts for nothing', async () => {
  for (let round = 0; round < 6; round += 1) {
    const aborted = system.transaction(async (tx) => {
      await system.mails.put(tx, aCode('aborted@example.com'));
      throw new Error('the write behind it failed');
    });
    await expect(aborted).rejects.toThrow('the write behind it failed');
  }
  expect(await system.documents('outbox')).toEqual([]);
  await put(aCode('aborted@example.com'));
});

test('P08: a dump of the database shows no code, no link, no password and no address', async () => {
  const user = { domain_id: 'domain-1', user_id: 'dump.owner' };
  const expires_at = new Date(Date.now() + 300_000);
  const base = { to: 'dump@example.com', language: 'en', user };
  await put({ ...base, template: 'authentication_code', values: { code: '730518', expires_at } });
  await put({
    ...base,
    template: 'reset_pwd_link_when_pw_forgotten',
    values: { link: 'https://console.example.com/?sso_access_token=secret-token', expires_at },
  });
  await put({
    ...base,
    template: 'temp_pwd_when_user_added',
    values: {
      temporary_password: 'Secret12pass',
      console_link: 'https://console.example.com/',
      domain_display_name: 'Acme',
      expires_at,
    },
  });
  const dump = JSON.stringify([await system.documents('outbox'), await system.documents('mail_count')]);
  expect(dump).toContain('authentication_code');
  for (const secret of [
    '730518',
    'secret-token',
    'sso_access_token',
    'Secret12pass',
    'dump@',
    'dump.owner',
  ]) {
    expect(dump).not.toContain(secret);
  }
});

test('D-08 the sixth code in an hour is refused, for the user', async () => {
  for (let round = 0; round < 5; round += 1) await put(aCode(`many${round}@example.com`, 'many'));
  const refused = { reason: 'ERROR_TOO_MANY_REQUESTS' };
  await expect(put(aCode('other@example.com', 'many'))).rejects.toMatchObject(refused);
  await put(aCode('other@example.com', 'user-9'));
});

test('a silent caller is told by false, and an hour later all is free again', async () => {
  for (let round = 0; round < 5; round += 1) await put(aCode('silent@example.com'));
  expect(await put({ ...aCode('silent@example.com'), silent: true })).toBe(false);
  system.clock.aheadMs = 3_601_000;
  expect(await put({ ...aCode('silent@example.com'), silent: true })).toBe(true);
  system.clock.aheadMs = 0;
});

test('resets asked for by strangers do not use up the codes of the owner, and notices always go out', async () => {
  const to = 'victim@example.com';
  const user = { domain_id: 'domain-1', user_id: 'victim' };
  const values = { link: 'https://console.example.com/', expires_at: new Date(Date.now() + 3_600_000) };
  const reset = { template: 'reset_pwd_link_when_pw_forgotten' as const, to, language: 'en', user, values };
  for (let round = 0; round < 5; round += 1) await put({ ...reset, silent: true });
  expect(await put({ ...reset, silent: true })).toBe(false);
  expect(await put(aCode(to, 'victim'))).toBe(true);
  for (let round = 0; round < 7; round += 1) {
    const changed = { changed_at: new Date(), timezone: 'UTC' };
    expect(await put({ template: 'password_changed', to, language: 'ko', user, values: changed })).toBe(true);
  }
});

test('parallel requests cannot pass the limit together (CVE-2023-47111)', async () => {
  const requests = Array.from({ length: 20 }, () => put({ ...aCode('race@example.com'), silent: true }));
  const answers = await Promise.all(requests);
  expect(answers.filter(Boolean)).toHaveLength(5);
  expect(await system.documents('outbox')).toHaveLength(5);
});

test.each(['a@x.io,b@y.io', 'a@x.io\r\nBcc: b@y.io', 'Eve <a@x.io>', '"a b"@x.io', 'a@x', ''])(
  'D-21 refuses to mail to "%s"',
  async (to) => {
    await expect(put(aCode(to, 'somebody'))).rejects.toMatchObject({
      reason: 'ERROR_INCORRECT_EMAIL_FORMAT',
    });
  },
);

test('a notice to an address that cannot be mailed to does not fail the change', async () => {
  const values = { changed_at: new Date(), timezone: 'UTC' };
  const user = { domain_id: 'domain-1', user_id: 'imported' };
  const notice = {
    template: 'password_changed' as const,
    to: 'not an address',
    language: 'en',
    user,
    values,
  };
  expect(await put(notice)).toBe(false);
  expect(await system.documents('outbox')).toEqual([]);
});
