import mongoose from 'mongoose';

/** The database that is used when the address names none; the driver's own choice would be `test`. */
export const DEFAULT_DATABASE = 'identity';

/** The database to ask for besides the address: none where the address names one. */
export function databaseBeside(uri: string): { dbName?: string } {
  return /^mongodb(\+srv)?:\/\/[^/?]+\/[^?]/.test(uri) ? {} : { dbName: DEFAULT_DATABASE };
}

/** What the driver does not understand about an address, in its words, which hold no password; else undefined. */
export function addressProblem(uri: string): string | undefined {
  try {
    // Reads the address and connects nowhere.
    new mongoose.mongo.MongoClient(uri);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

interface ServerFault {
  address: string;
  error?: (Error & { cause?: unknown }) | null;
  type: string;
}

/** Why no server was reached: for each server what it answered or what the network said. */
export function whyUnreached(error: unknown): string {
  const { message, reason } = error as { message: string; reason?: { servers?: Map<string, ServerFault> } };
  const servers = [...(reason?.servers?.values() ?? [])];
  if (servers.length === 0) return message;
  return servers.map((server) => `${server.address}: ${faultOf(server)}`).join(', ');
}

function faultOf({ error, type }: ServerFault): string {
  if (!error) return type === 'Unknown' ? 'no answer' : `is ${type}, and there is no primary`;
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  return code ?? error.message;
}
