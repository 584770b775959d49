import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { root } from './places.mjs';
import { Problem } from './problem.mjs';

const FIRST_LINES = 10;
const LAST_LINES = 15;
const NEWS_EVERY_MS = 10_000;

/**
 * Runs one command of the set-up to its end. Shows what it is about and, while it runs, that it still does.
 * @param {string} title what is done, for people
 * @param {string[]} command program and arguments
 * @param {{ env?: Record<string, string>, remedy?: string, brief?: boolean }} options
 *   remedy: what to try when it fails; brief: it mostly takes no time, and is then not spoken of
 * @throws {Problem} with the first and the last lines of its output
 */
export async function runStep(title, [program, ...args], { env = {}, remedy = '', brief = false } = {}) {
  const lines = [];
  const progress = brief ? undefined : showProgress(title, lines);
  const code = await new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk) => {
      lines.push(
        ...String(chunk)
          .split(/[\r\n]+/)
          .filter((line) => line.trim()),
      );
      if (lines.length > FIRST_LINES + LAST_LINES)
        lines.splice(FIRST_LINES, lines.length - FIRST_LINES - LAST_LINES);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve(error.message));
    child.on('close', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  progress?.end(code === 0);
  if (code === 0) return;
  const output = lines.join('\n');
  if (/ENOSPC|No space left/i.test(output))
    throw new Problem(`${title} failed: the disk is full. Free some space and start again.`);
  throw new Problem(`${title} failed (${code}). ${remedy}\n${output.replace(/^/gm, '    ')}`);
}

function showProgress(title, lines) {
  const began = Date.now();
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  return process.stdout.isTTY ? spinner(title, lines, seconds) : newsLines(title, seconds);
}

function spinner(title, lines, seconds) {
  const show = () => {
    const room = Math.max(0, process.stdout.columns - title.length - 16);
    const last = stripVTControlCharacters(lines.at(-1) ?? '').slice(0, room);
    process.stdout.write(`\r\x1b[K… ${title} (${seconds()}) ${last}`);
  };
  show();
  return closing(setInterval(show, 250), (mark) => `\r\x1b[K${mark} ${title} (${seconds()})\n`);
}

function newsLines(title, seconds) {
  process.stdout.write(`… ${title}\n`);
  const show = () => process.stdout.write(`  … still at it after ${seconds()}\n`);
  return closing(setInterval(show, NEWS_EVERY_MS), (mark) => `${mark} ${title} (${seconds()})\n`);
}

function closing(timer, text) {
  return {
    end(good) {
      clearInterval(timer);
      process.stdout.write(text(good ? '✓' : '✗'));
    },
  };
}
