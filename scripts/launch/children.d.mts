/** A program that was started. */
export interface Child {
  name: string;
  log: string;
  ended: boolean;
}

/** The programs that run together: started one after the other, stopped in the opposite order. */
export class Children {
  /** Starts one program; what it prints goes to the log file. */
  start(what: { name: string; command: string[]; log: string; env?: Record<string, string> }): Child;
  /** Stops everything, the last started first. */
  stop(): Promise<void>;
}

/** What a child said last, as an error. */
export function lastWords(child: Child): Error;
