import type { DescMethod } from '@bufbuild/protobuf';
import { fromBinary, toJson } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Service } from '../harness.js';
import { startService } from '../harness.js';
import { WireClient, registry } from '../wire-client.js';
import { casesOf, encoded, metadataOf, showCase } from './cases.js';
import type { Case } from './cases.js';
import { pathOf, unaryMethods } from './descriptor.js';
import { PATIENCE_MS, attempt } from './effort.js';
import { Judge, UNHINDERED } from './verdict.js';
import { World } from './world.js';

/** Cases of each method in a quick run. */
const RUNS = 30;

let service: Service;
let client: WireClient;
let world: World;
let judge: Judge;

beforeAll(async () => {
  service = await startService(UNHINDERED);
  client = new WireClient(service.address);
  world = await World.create(service);
  judge = await Judge.of(service);
}, 60_000);
afterAll(async () => {
  client.close();
  await service.close();
});

/** Calls once; throws when the service did not take it as it should. */
async function tried(method: DescMethod, given: Case): Promise<void> {
  const bytes = encoded(method, given, world.filling);
  try {
    const answer = await client.callPath(
      pathOf(method),
      bytes,
      undefined,
      metadataOf(given, world.tokenOf(given.caller), world.filling),
    );
    world.learn(
      toJson(method.output, fromBinary(method.output, answer), { registry, useProtoFieldName: true }),
    );
  } catch (error) {
    const wrong = judge.ofError(error);
    if (wrong) throw new Error(`${wrong}\n  answer: ${String((error as Error).message)}`);
    // It may be the caller who is no longer known: then the next cases would not get far.
    if ((error as ServiceError).code === status.UNAUTHENTICATED && world.tokenOf(given.caller) && !given.raw)
      await world.mend();
  }
}

it.each(unaryMethods.map((method) => [pathOf(method), method] as const))(
  'nothing breaks %s',
  async (path, method) => {
    await world.mend();
    const welcome = await world.welcome((token) => client.callPath(path, Buffer.alloc(0), token));
    const property = fc.asyncProperty(casesOf(method, welcome), (given) => tried(method, given));
    await attempt(path, property, RUNS, 0.5 / unaryMethods.length, showCase);
    await world.mend();
    expect(service.logs.filter((line) => line.includes('"failed"'))).toEqual([]);
    expect(inherited({})).toEqual([]);
  },
  PATIENCE_MS,
);

/** What an empty object has from elsewhere: something, once a prototype was polluted. */
function inherited(object: object): string[] {
  const names: string[] = [];
  for (const name in object) names.push(name);
  return names;
}
