/** The source of time. Passed in, so that tests move it and nothing else reads the system clock. */
export interface Clock {
  /** Now, as a Date. */
  now(): Date;
}

/** The system's clock. */
export const systemClock: Clock = { now: () => new Date() };

/** Seconds since 1970, as JWT claims count them. */
export function epochSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}

/** The time that many seconds later. */
export function secondsAfter(at: Date, seconds: number): Date {
  return new Date(at.getTime() + seconds * 1000);
}
