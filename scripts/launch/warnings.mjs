import { closeSync, openSync, readSync } from 'node:fs';

const LOOK_EVERY_MS = 500;
const WARN = 40;
const BUFFER = Buffer.alloc(65_536);

/**
 * Shows the warnings and errors that a log of JSON lines gets from now on.
 * @param {string} file
 * @param {(line: string) => void} show
 * @returns {() => void} ends it
 */
export function followWarnings(file, show) {
  const log = openSync(file, 'r');
  let rest = '';
  const look = () => {
    for (let size; (size = readSync(log, BUFFER)) > 0;) rest += BUFFER.toString('utf8', 0, size);
    const lines = rest.split('\n');
    rest = lines.pop();
    lines.map(warning).filter(Boolean).forEach(show);
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    look();
    closeSync(log);
  };
}

/** What does not look like a line of the log is a message of Node itself, and worth seeing. */
function warning(line) {
  if (!line.startsWith('{')) return line;
  try {
    const { level, msg, ...fields } = JSON.parse(line);
    for (const known of ['time', 'pid', 'hostname']) delete fields[known];
    return level >= WARN
      ? `${level > WARN ? 'error' : 'warning'}: ${msg} ${JSON.stringify(fields)}`
      : undefined;
  } catch {
    return line;
  }
}
