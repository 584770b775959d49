import { inject } from 'vitest';
import type { Service } from './harness.js';

/** Address of the database server of this worker, without a database name: every file uses a name of its own. */
export function databaseServer(): string {
  const servers = inject('databaseServers');
  return servers[Number(process.env['VITEST_POOL_ID']) % servers.length]!;
}

/** What instances say of themselves, every few seconds and whatever is called (src/connectors/abandoned.ts). */
const HEARTBEAT = 'service_instance';

/** True for a command with which an instance says that it lives, or looks for those that do not. */
export function isHeartbeat(command: object): boolean {
  const [[name, collection] = []] = Object.entries(command);
  return collection === HEARTBEAT || name === 'hello' || name === 'killSessions';
}

/** Everything that is stored, by collection: what a stolen copy of the database would show. */
export async function storedDocuments(service: Service): Promise<Record<string, object[]>> {
  const { connection } = service.app.rooms.mongo;
  const collections = await connection.db!.listCollections({}, { nameOnly: true }).toArray();
  const dump: Record<string, object[]> = {};
  for (const { name } of collections.filter((one) => one.name !== HEARTBEAT))
    dump[name] = await connection.collection(name).find({}).toArray();
  return dump;
}

/** Number of documents by collection. */
export async function storedCounts(service: Service): Promise<Record<string, number>> {
  const dump = await storedDocuments(service);
  return Object.fromEntries(Object.entries(dump).map(([name, documents]) => [name, documents.length]));
}
