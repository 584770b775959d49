import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Problem } from './problem.mjs';

const SHOWN_LINES = 15;
const PATIENCE_MS = 15_000;

/** The programs that run together: started one after the other, stopped in the opposite order. */
export class Children {
  #running = [];
  #stopping = false;
  #died;
  #endings = [];

  /** Settles with the child that ended although nobody stopped it. */
  constructor() {
    this.died = new Promise((resolve) => (this.#died = resolve));
  }

  /** The process ids of what runs, with the name of each program. */
  get processes() {
    return this.#running.map(({ process: { pid }, program }) => ({ pid, program }));
  }

  /**
   * Starts one program; what it prints goes to the log file.
   * @param {{ name: string, command: string[], log: string, env?: object, passing?: boolean }} what
   *   passing: it does its work and ends by itself
   * @returns the child: name, log and whether it has ended
   */
  start({ name, command: [program, ...args], log, env, passing = false }) {
    if (this.#stopping) throw new Error('nothing is started any more');
    const output = openSync(log, 'w', 0o600);
    // A process group of its own: Ctrl-C reaches only this process, which then stops everything in order.
    const options = { env: { ...process.env, ...env }, stdio: ['ignore', output, output], detached: true };
    const child = {
      name,
      log,
      program: basename(program === process.execPath ? args[0] : program),
      ended: false,
      process: spawn(program, args, options),
    };
    closeSync(output);
    child.exit = new Promise((resolve) => {
      const end = (reason) => {
        child.ended = true;
        child.reason ??= reason;
        resolve();
        if (!this.#stopping && !(passing && reason === 'with code 0')) this.#died(child);
      };
      child.process.once('error', (error) => end(error.message));
      child.process.once('exit', (code, signal) => end(signal ? `by ${signal}` : `with code ${code}`));
    });
    this.#running.push(child);
    return child;
  }

  /** Has something done when everything is stopped. */
  atEnd(ending) {
    this.#endings.push(ending);
  }

  /** Stops everything, the last started first; each gets time to finish its work. */
  async stop() {
    this.#stopping = true;
    for (const child of this.#running.reverse()) {
      if (child.ended) continue;
      // What ends by itself is let finish: half of its work would be worse than none.
      if (!child.passing) child.process.kill('SIGTERM');
      const timer = setTimeout(() => child.process.kill('SIGKILL'), PATIENCE_MS);
      await child.exit;
      clearTimeout(timer);
    }
    this.#running = [];
    for (const ending of this.#endings) ending();
  }
}

/** What a child said last, for people. */
export function lastWords({ name, log, reason }) {
  const text = readFileSync(log, 'utf8').trimEnd();
  const lines = text.split('\n').slice(-SHOWN_LINES);
  const words = text
    ? `; the end of ${log}:\n${lines.map((line) => `    ${line}`).join('\n')}`
    : ' and said nothing.';
  return new Problem(`The ${name} ended ${reason ?? 'early'}${words}`);
}
