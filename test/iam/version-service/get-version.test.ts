import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Service } from '../../harness.js';
import { startService } from '../../harness.js';

let service: Service;

beforeAll(async () => {
  service = await startService({ PUBLIC_URL: 'https://identity.example.com/' });
});
afterAll(() => service.close());

it('VersionService.GetVersion tells everybody which version it is and where', async () => {
  expect(await service.call('iam.v3.VersionService.GetVersion')).toEqual({
    version: {
      id: 'v3.14',
      status: 'stable',
      updated: '2020-04-07T00:00:00Z',
      links: [{ rel: 'self', href: 'https://identity.example.com/v3/' }],
    },
  });
});

it('is answered whatever the token', async () => {
  const answer = await service.call('iam.v3.VersionService.GetVersion', {}, 'nonsense');
  expect(answer).toHaveProperty('version.id', 'v3.14');
});
