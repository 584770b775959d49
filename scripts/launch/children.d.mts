/** A program that was started. */
export interface Child {
  name: string;
  log: string;
  ended: boolean;
  process: import('node:child_process').ChildProcess;
  /** Settles when it has ended. */
  exit: Promise<void>;
}

/** The programs that run together: started one after the other, stopped in the opposite order. */
export class Children {
  /** The process ids of what runs, with the name of each program. */
  readonly processes: { pid: number; program: string }[];
  /** Starts one program; what it prints goes to the log file. */
  start(what: { name: string; command: string[]; log: string; env?: Record<string, string> }): Child;
  /** Stops everything, the last started first. */
  stop(): Promise<void>;
}

/** What a child said last, as an error. */
export function lastWords(child: Child): Error;
