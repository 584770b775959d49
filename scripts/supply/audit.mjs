// `npm run audit`: asks the registry for known weaknesses of what is delivered. Exit code 0: none of high or critical
// severity; 1: there are some; 2: nobody knows, because the registry did not answer. Arguments go to npm.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { root } from '../launch/places.mjs';

const SEVERE = ['critical', 'high'];

/**
 * What an answer of `npm audit --json` means.
 * @param {string} output what npm wrote
 * @returns {{ code: 0 | 1 | 2, lines: string[] }}
 */
export function verdict(output) {
  const answer = parsed(output);
  const counts = answer?.metadata?.vulnerabilities;
  if (!counts || !answer.vulnerabilities) {
    const reason = answer?.message ?? answer?.error?.summary ?? 'no answer';
    return {
      code: 2,
      lines: [
        `NOT CHECKED: the registry gives no advisories (${reason.split(' - ')[0]}).`,
        'This says nothing about the packages. Ask a registry that does: npm run audit -- --registry URL',
      ],
    };
  }
  const severe = Object.values(answer.vulnerabilities).filter(({ severity }) => SEVERE.includes(severity));
  const summary = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`);
  return {
    code: severe.length > 0 ? 1 : 0,
    lines: [
      ...severe.map(({ name, severity, range }) => `${severity}: ${name} ${range}`),
      `Known weaknesses: ${summary.join(', ') || 'none'}.`,
    ],
  };
}

function parsed(output) {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

function main() {
  const args = ['audit', '--omit', 'dev', '--json', '--loglevel', 'silent', ...process.argv.slice(2)];
  const { stdout } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const { code, lines } = verdict(stdout ?? '');
  console.log(lines.join('\n'));
  process.exitCode = code;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
