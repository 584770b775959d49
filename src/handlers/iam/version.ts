import type { Version, VersionServiceService } from '../../gen/iam/v3/version.js';
import type { Methods } from '../../rpc/call.js';
import { anonymousMethod } from '../../rpc/method.js';
import type { Addresses } from './addresses.js';

/** HTTP "Multiple Choices": what a list of versions is answered with. */
const MULTIPLE_CHOICES = 300;

/** Version discovery of OpenStack Identity: GET / and GET /v3, without a token. */
export function versionMethods({ publicUrl }: Addresses): Methods<typeof VersionServiceService> {
  const version: Version = {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${publicUrl}/v3/` }],
  };
  return {
    listVersions: anonymousMethod({}, (_request, call) => {
      call.answer.status = MULTIPLE_CHOICES;
      return { versions: { values: [version] } };
    }),
    getVersion: anonymousMethod({}, () => ({ version })),
  };
}
