import { spawn } from 'node:child_process';
import { root } from './places.mjs';
import { Problem } from './problem.mjs';

const KEPT_LINES = 25;
const NEWS_EVERY_MS = 10_000;

/**
 * Runs one command of the set-up to its end. Shows what it is about and, while it runs, that it still does.
 * @param {string} title what is done, for people
 * @param {string[]} command program and arguments
 * @param {{ env?: Record<string, string>, remedy?: string }} options remedy: what to try when it fails
 * @throws {Problem} with the last lines of its output
 */
export async function runStep(title, [program, ...args], { env = {}, remedy = '' } = {}) {
  const lines = [];
  const progress = showProgress(title, lines);
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
      lines.splice(0, lines.length - KEPT_LINES);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve(error.message));
    child.on('close', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  progress.end(code === 0);
  if (code === 0) return;
  const output = lines.join('\n');
  if (/ENOSPC|No space left/i.test(output))
    throw new Problem(`${title} failed: the disk is full. Free some space and start again.`);
  throw new Problem(`${title} failed (${code}). ${remedy}\n${output.replace(/^/gm, '    ')}`);
}

function showProgress(title, lines) {
  const began = Date.now();
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  const terminal = process.stdout.isTTY;
  const show = () => {
    const last = (lines.at(-1) ?? '').slice(
      0,
      Math.max(0, (process.stdout.columns ?? 80) - title.length - 16),
    );
    process.stdout.write(
      terminal ? `\r\x1b[K… ${title} (${seconds()}) ${last}` : `  … still at it after ${seconds()}\n`,
    );
  };
  process.stdout.write(`… ${title}${terminal ? '' : '\n'}`);
  const timer = setInterval(show, terminal ? 250 : NEWS_EVERY_MS);
  return {
    end(good) {
      clearInterval(timer);
      process.stdout.write(`${terminal ? '\r\x1b[K' : ''}${good ? '✓' : '✗'} ${title} (${seconds()})\n`);
    },
  };
}
