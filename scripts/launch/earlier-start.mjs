import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './places.mjs';
import { Problem } from './problem.mjs';
import { until } from './wait.mjs';

const PATIENCE_MS = 20_000;
const fileOf = (folder) => join(folder, 'running.json');

/** Writes down who runs on this folder of data, so that a later start can tell. */
export function noteRunning(folder, processes) {
  const note = { launcher: { pid: process.pid, program: 'start.mjs' }, processes };
  writeFileSync(fileOf(folder), JSON.stringify(note), { mode: 0o600 });
}

export function forgetRunning(folder) {
  rmSync(fileOf(folder), { force: true });
}

/**
 * Makes sure that nobody else uses this folder of data. What a killed start left running is stopped.
 * @throws {Problem} when another start runs on it
 */
export async function settleEarlierStart(folder) {
  const note = readNote(folder);
  if (!note) return;
  if (isAlive(note.launcher)) {
    const other = `DATA_DIR=${relative(root, folder)}-2 and other ports`;
    throw new Problem(
      `It runs already, as process ${note.launcher.pid}: stop that one, or set ${other} to start another beside it.`,
    );
  }
  const left = note.processes.filter(isAlive);
  if (left.length > 0) {
    console.log(
      `Stopping what an earlier start left behind: ${left.map(({ program, pid }) => `${program} (${pid})`).join(', ')}`,
    );
    // Newest first, so that the database goes last.
    for (const entry of left.reverse()) {
      process.kill(entry.pid, 'SIGTERM');
      if (!(await until(async () => !isAlive(entry), PATIENCE_MS))) process.kill(entry.pid, 'SIGKILL');
    }
  }
  forgetRunning(folder);
}

function readNote(folder) {
  try {
    return JSON.parse(readFileSync(fileOf(folder), 'utf8'));
  } catch {
    return undefined;
  }
}

/** A process id may belong to another program by now, so the command line has to name the same one. */
function isAlive({ pid, program }) {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', 'args='], { encoding: 'utf8' }).includes(program);
  } catch {
    return commandLine(pid).includes(program);
  }
}

function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
