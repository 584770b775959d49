import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { WireClient } from '../test/wire-client.js';
import type { Outcome } from './outcome.js';
import { Stack } from './stack.js';
import { issue, seededUser } from './work.js';

/** Seconds by which the clock of each instance is wrong; the first one is right. */
const CLOCKS = [0, 59, -59, 125] as const;
const TOKEN_SECONDS = 60;

/** Clocks that differ by up to a minute do not part the instances; a token is not good for long after its time. */
async function clock(): Promise<Outcome> {
  const stack = await Stack.start('clock', { instances: CLOCKS.length, clocks: CLOCKS });
  const clients = stack.instances.map(({ address }) => new WireClient(address));
  const [right, ahead, behind, far] = clients as [WireClient, WireClient, WireClient, WireClient];
  const seen: string[] = [];
  const broken: string[] = [];
  const expect = async (what: string, call: Promise<unknown>, wanted: status) => {
    const code = await call.then(
      () => status.OK,
      (error: ServiceError) => error.code,
    );
    seen.push(`${what}: ${status[code]}`);
    if (code !== wanted) broken.push(`${what} was ${status[code]}`);
  };
  const get = (client: WireClient, token: string) => client.call('UserProfile.get', {}, token);
  try {
    const long = await issue(right, stack, seededUser(10));
    await expect('a token at an instance 59 s ahead', get(ahead, long.access_token), status.OK);
    await expect('at one 59 s behind', get(behind, long.access_token), status.OK);
    const early = await issue(ahead, stack, seededUser(11));
    await expect('a token of the one ahead at the right one', get(right, early.access_token), status.OK);
    const request = {
      credentials: { user_id: seededUser(12), password: 'Passw0rd!' },
      auth_type: 'LOCAL',
      domain_id: stack.seeded.domain_id,
      timeout: TOKEN_SECONDS,
    };
    const { access_token } = await right.call('Token.issue', request);
    await expect('a token of one minute, at once', get(right, access_token), status.OK);
    // For an instance that is 125 s ahead it is over by 65 s.
    await expect('the same 65 s after its end', get(far, access_token), status.UNAUTHENTICATED);
    return { done: 'instances whose clocks are wrong by +59, -59 and +125 s', notes: seen, broken };
  } finally {
    for (const client of clients) client.close();
    await stack.stop();
  }
}

/** The drill of clocks (checks F12); authenticators and time are in the tests. */
export const clockDrills = { clock };
