import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '../../fixtures.js';
import { PASSWORD, aTenant, aUser, signIn, tokenOf } from '../../fixtures.js';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';

let service: Service;
let tenant: Tenant;
let owner: string;

beforeAll(async () => {
  service = await startService();
  tenant = await aTenant(service);
  const ownerId = await aUser(service, tenant, { roles: { [tenant.alpha]: 'WORKSPACE_OWNER' } });
  owner = await tokenOf(service, tenant, ownerId, 'WORKSPACE', tenant.alpha);
});
afterAll(() => service.close());

const create = (user_id: string, given: object = {}) =>
  service.call(
    'WorkspaceUser.create',
    { user_id, password: PASSWORD, auth_type: 'LOCAL', role_id: 'managed-workspace-member', ...given },
    owner,
  );

describe('P20 D-36 an id that differs in letter case, width or composition alone', () => {
  it.each([
    ['STRASSE', 'straße'],
    ['groß', 'GROSS'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['λόγος', 'λόγοσ'],
    ['ıd-one', 'Id-one'],
    ['Вasya', 'ᲀasya'],
    ['caf\u00e9', 'CAFE\u0301'],
    ['kelvin', '\u212aelvin'],
    ['office', 'oﬃce'],
    ['wide-1', 'ＷＩＤＥ-１'],
  ])('is taken: after %j nobody is made as %j', async (first, second) => {
    await create(first);
    for (const taken of [second, second.toUpperCase(), second.toLowerCase()]) {
      const refused = await refusal(create(taken));
      expect(refused).toMatchObject({ code: status.ALREADY_EXISTS, reason: 'ERROR_SAVE_UNIQUE_VALUES' });
    }
  });

  it('signs nobody in: an id is taken as it was written', async () => {
    await create('Großmann');
    expect(await signIn(service, tenant, 'Großmann')).toHaveProperty('access_token');
    const refused = await refusal(signIn(service, tenant, 'GROSSMANN'));
    expect(refused.code).toBe(status.UNAUTHENTICATED);
  });
});

describe('P19 D-36 a character that nobody sees', () => {
  const unseen = [
    ...[
      '\ufff9',
      '\ufffa',
      '\ufffb',
      '\ufffc',
      '\u2800',
      '\ufffe',
      '\u{1ffff}',
      '\ue000',
      '\u{100000}',
      '\u0378',
    ],
    ...[
      '\u115f',
      '\u1160',
      '\u3164',
      '\uffa0',
      '\u{e0041}',
      '\ufe0e',
      '\u{e0100}',
      '\u180e',
      '\u2060',
      '\u{1d159}',
    ],
  ];

  it('is part of no id', async () => {
    for (const character of [...unseen, '\u200c', '\u200d', '\ufe0f']) {
      const refused = await refusal(create(`un${character}seen@example.com`));
      expect(refused).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
      expect(refused.text).toContain('key = user_id');
      expect(refused.text).toContain('must not hold control or invisible characters');
    }
  });

  it('is part of no name and no address', async () => {
    for (const character of unseen) {
      const named = await refusal(create('unseen-name', { name: `Un${character}seen` }));
      expect(named).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_INVALID_PARAMETER' });
      expect(named.text).toContain('key = name');
      const mailed = await refusal(create('unseen-mail', { email: `a@un${character}seen.example` }));
      expect(mailed.code).toBe(status.INVALID_ARGUMENT);
    }
    expect(await refusal(create('joined-mail', { email: 'a@un\ufe0fseen.example' }))).toMatchObject({
      reason: 'ERROR_INCORRECT_EMAIL_FORMAT',
    });
  });

  it('leaves the joiners of scripts and emoji in names', async () => {
    const name = 'نامه\u200cای 👩\u200d💻 ❤\ufe0f';
    expect(await create('joined-name', { name })).toMatchObject({ name });
  });
});
