import type { Service } from '../harness.js';
import type { Answer } from '../wire-client.js';

/** Reads the records that work leaves behind, the oldest first, as the holder of the system token. */
export function recorder(service: Service, systemToken: string) {
  const request = { query: { sort: [{ key: 'created_at' }] } };
  const all = async () => {
    const { results = [] } = await service.call('audit.v1.AuditService.ListRecords', request, systemToken);
    return results as Answer[];
  };
  return async (work: () => Promise<unknown>): Promise<Answer[]> => {
    const known = new Set((await all()).map(({ record_id }) => record_id));
    service.clock.advance(1);
    await work();
    return (await all()).filter(({ record_id }) => !known.has(record_id));
  };
}

/** What was done, in short: `user.sign_in`, `user.sign_in ERROR_NOT_FOUND`. */
export function actions(records: Answer[]): string[] {
  return records.map(({ action, reason }) => (reason ? `${action} ${reason}` : action));
}

/** How often each of them was done. */
export function tally(records: Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const action of actions(records)) counts[action] = (counts[action] ?? 0) + 1;
  return counts;
}
