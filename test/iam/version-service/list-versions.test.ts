import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Service } from '../../harness.js';
import { startService } from '../../harness.js';

let service: Service;

beforeAll(async () => {
  service = await startService({ PUBLIC_URL: 'https://identity.example.com' });
});
afterAll(() => service.close());

it('VersionService.ListVersions lists the one version, as GetVersion shows it', async () => {
  const { version } = await service.call('iam.v3.VersionService.GetVersion');
  expect(await service.call('iam.v3.VersionService.ListVersions')).toEqual({
    versions: { values: [version] },
  });
});
