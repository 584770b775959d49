/** The complete Envoy configuration, its addresses taken from the given values. */
export function renderEnvoy(environment: Record<string, string | undefined>, descriptor?: string): string;

/** Writes the files of the folder EDGE_SECRETS of that configuration: where the certificates are. */
export function writeSecrets(environment: Record<string, string | undefined>, folder: string): void;
