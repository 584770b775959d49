/** Whether something accepts connections there. */
export function accepts(port: number, host?: string): Promise<boolean>;

/** Whether grpc.health.v1 answers SERVING at host:port; over TLS when the environment of the service says so. */
export function isServing(
  address: string,
  environment?: Record<string, string | undefined>,
): Promise<boolean>;

/** Asks again until the answer is yes; false when the time is over or `givenUp` says so. */
export function until(
  ask: () => Promise<boolean>,
  withinMs: number,
  givenUp?: () => boolean,
): Promise<boolean>;
