/** The complete Envoy configuration, its addresses taken from the given values. */
export function renderEnvoy(environment: Record<string, string | undefined>, descriptor?: string): string;
