import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import families from '../../deploy/edge-families.json' with { type: 'json' };
import type { RestAnswer, Stack } from '../rest/edge.js';
import { startStack } from '../rest/edge.js';
import { httpBindings } from './descriptor.js';
import type { Binding } from './descriptor.js';
import { PATIENCE_MS, attempt } from './effort.js';
import { filled, jsonOf, messageOf, shown } from './messages.js';
import type { Tree } from './messages.js';
import { Known, textFor } from './values.js';
import { Judge, UNHINDERED } from './verdict.js';
import { World, callers } from './world.js';
import type { Caller } from './world.js';

/** Cases of each binding in a quick run. */
const RUNS = 15;

let stack: Stack;
let world: World;
let judge: Judge;

beforeAll(async () => {
  stack = await startStack(UNHINDERED);
  world = await World.create(stack.service);
  judge = await Judge.of(stack.service);
}, 60_000);
afterAll(() => stack.close());

/** The members of an error body of each family, sorted; the first is that of the service's own API. */
const shapes: [name: string, shape: string][] = [
  ['own', 'code,detail,details,message'],
  ...Object.entries(families).map(([name, { error }]): [string, string] => [
    name,
    shapeOf(JSON.parse(error.replaceAll('{status}', '0').replaceAll('"{', '"').replaceAll('}"', '"'))),
  ]),
];

/** Its members; of `error: {…}` those inside as well. */
function shapeOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return typeof body;
  const { error } = body as { error?: object };
  return `${Object.keys(body).sort().join()}${error ? `(${Object.keys(error).sort().join()})` : ''}`;
}

interface Case {
  caller: Caller;
  headers: Record<string, string | Known>;
  /** The fields of the message; those of the path and the query are taken out of it. */
  tree: Tree;
  /** In place of the JSON of the message. */
  body?: string;
  /** Put at the end of the path. */
  suffix: string;
}

const visible = fc.string({ unit: 'grapheme-ascii', maxLength: 60 }).map((text) => text.trim());
const names = fc.constantFrom(
  ...[
    'x-request-id',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-original-url',
    'grpc-timeout',
  ],
  ...[
    'x-envoy-original-path',
    'x-envoy-retry-on',
    'edge-status',
    'edge-code',
    'edge-path',
    'x-http-method-override',
  ],
  ...[
    'accept',
    'accept-encoding',
    'accept-language',
    'content-type',
    'token',
    'bootstrap-secret',
    'traceparent',
  ],
);
const headers: Arbitrary<Case['headers']> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Case['headers']>({}) },
  { weight: 2, arbitrary: fc.constant<Case['headers']>({ 'x-subject-token': new Known('token') }) },
  { weight: 2, arbitrary: fc.dictionary(names, visible, { maxKeys: 3, noNullPrototype: true }) },
);
const anyBody = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    'null',
    '[]',
    '{',
    '{"a":1,"a":2}',
    '{"__proto__":{"a":1}}',
    '\uFEFF{}',
    'a=b&c=d',
    '1e999',
  ),
  fc.constantFrom(100, 5000).map((levels) => '{"tags":'.repeat(levels) + '1' + '}'.repeat(levels)),
);
const suffixes = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '/',
      '//',
      '/%2e%2e',
      '/..%2f',
      '%00',
      '/x',
      ';a=b',
      '%',
      '%zz',
      '?',
      '??a',
      '?a[]=1',
    ),
  },
  { weight: 1, arbitrary: fc.tuple(visible, visible).map(([name, value]) => `?${name}=${value}`) },
);

function casesOf({ method }: Binding): Arbitrary<Case> {
  const tree = fc.oneof(
    { weight: 3, arbitrary: messageOf(method.input, true) },
    { weight: 1, arbitrary: messageOf(method.input, false) },
  );
  const call = { caller: fc.constantFrom(...callers), headers, tree, suffix: suffixes };
  return fc.oneof(
    { weight: 4, arbitrary: fc.record<Case>(call) },
    { weight: 1, arbitrary: fc.record<Case>({ ...call, body: anyBody }) },
  );
}

/** What is sent for a case. */
function requestOf({ verb, path, body }: Binding, given: Case): { path: string; body: unknown } {
  const left = jsonOf(given.tree, world.filling) as Record<string, unknown>;
  const filledPath = path.replace(/\{([^}=]+)[^}]*\}/g, (_, name: string) => {
    const value = left[name];
    delete left[name];
    return encodeURIComponent(wellFormed(queryText(value ?? 'none'))) || '%20';
  });
  if (body === '*') return { path: filledPath, body: given.body ?? JSON.stringify(left) };
  const inBody = left[body];
  delete left[body];
  const query = new URLSearchParams(
    Object.entries(left).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, queryText(value)]],
    ),
  );
  const sent =
    verb === 'GET' ? undefined : (given.body ?? (body === '' ? undefined : JSON.stringify(inBody ?? {})));
  return { path: query.size > 0 ? `${filledPath}?${query.toString()}` : filledPath, body: sent };
}

function queryText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Halves of a character cannot be written in an address. */
function wellFormed(text: string): string {
  return Buffer.from(text.slice(0, 3000)).toString();
}

/** From time to time it is looked whether the callers are still good: that costs a call for each. */
let calls = 0;

/** Sends once; throws when the edge and the service did not take it as they should. */
async function tried(binding: Binding, given: Case): Promise<void> {
  const { path, body } = requestOf(binding, given);
  const token = world.tokenOf(given.caller);
  const own = path.startsWith('/identity');
  const sent = {
    ...Object.fromEntries(
      Object.entries(given.headers).map(([name, value]) => [name, filled(value, world.filling)]),
    ),
    ...(token ? (own ? { authorization: `Bearer ${token}` } : { 'x-auth-token': token }) : {}),
  };
  const answer = await stack.edge.send(binding.verb, path + given.suffix, body, sent);
  expectSound(answer, given.suffix === '' ? familyOf(binding.path) : undefined);
  calls += 1;
  if (calls % 10 === 0) await world.mend();
}

function expectSound(answer: RestAnswer, family?: string): void {
  const { status, body } = answer;
  if (status < 400) return world.learn(body || {});
  // Headers over the limit are refused before the path is known.
  const wrong = judge.ofRest(status, body) ?? wrongShape(body, status === 431 ? undefined : family);
  if (wrong) throw new Error(`${wrong}\n  answer: ${status} ${shown(body)}`);
}

/** @param family whose body it has to be; without, the one of any */
function wrongShape(body: unknown, family?: string): string | undefined {
  const shape = shapeOf(body);
  const fits = shapes.some(([name, known]) => known === shape && (!family || name === family));
  return fits ? undefined : `${shape} is no error body of ${family ?? 'any family'}`;
}

/** The family that a path belongs to. */
function familyOf(path: string): string {
  const within = ({ paths, below }: { paths: string[]; below: string[] }) =>
    paths.includes(path) || below.some((root) => path === root || path.startsWith(`${root}/`));
  return Object.entries(families).find(([, family]) => within(family))?.[0] ?? 'own';
}

const showCase = (binding: Binding) => (given: Case) =>
  shown({ ...given, sent: { verb: binding.verb, ...requestOf(binding, given) } });

it.each(httpBindings().map((binding) => [`${binding.verb} ${binding.path}`, binding] as const))(
  'nothing breaks %s',
  async (name, binding) => {
    await world.mend();
    const property = fc.asyncProperty(casesOf(binding), (given) => tried(binding, given));
    await attempt(name, property, RUNS, 0.5 / httpBindings().length, showCase(binding));
    expect(stack.service.logs.filter((line) => line.includes('"failed"'))).toEqual([]);
  },
  PATIENCE_MS,
);

it(
  'nothing breaks paths that nobody serves',
  async () => {
    const roots = fc.constantFrom(
      '/identity/v2/',
      '/v3/',
      '/v3.0/',
      '/v1/csms/',
      '/',
      '//',
      '/grpc.health.v1.Health/',
    );
    const tails = fc.oneof(
      visible,
      textFor('path', false).map((text) =>
        encodeURIComponent(wellFormed(text instanceof Known ? text.name : text)),
      ),
    );
    const verbs = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND');
    const property = fc.asyncProperty(fc.record({ verb: verbs, root: roots, tail: tails }), async (given) => {
      expectSound(await stack.edge.send(given.verb, given.root + given.tail));
    });
    await attempt('paths', property, RUNS * 10, 0.02, shown);
  },
  PATIENCE_MS,
);
