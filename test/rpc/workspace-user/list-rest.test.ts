import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Service } from '../../harness.js';
import { refusal, startService } from '../../harness.js';
import type { Edge } from '../../rest/edge.js';
import { startEdge } from '../../rest/edge.js';
import type { Team } from './team.js';
import { aTeam } from './team.js';

let service: Service;
let team: Team;
let edge: Edge;

beforeAll(async () => {
  service = await startService();
  team = await aTeam(service);
  edge = await startEdge(service.address);
});
afterAll(async () => {
  await edge.close();
  await service.close();
});

const PATH = '/identity/v2/workspace-user/list';
const lists = ['filter', 'filter_or'];

test.each(lists)('an empty condition in %s is refused, never dropped', async (list) => {
  const answer = await refusal(service.call('WorkspaceUser.list', { query: { [list]: [{}] } }, team.owner));
  expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'ERROR_DB_QUERY' });
  expect(answer.text).toContain('no key');
  const overRest = await edge.post(PATH, { query: { [list]: [{}] } }, team.owner);
  expect(overRest.status).toBe(400);
  expect(overRest.body.detail).toMatchObject({ code: 'ERROR_DB_QUERY' });
});
