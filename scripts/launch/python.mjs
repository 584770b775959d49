import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from './places.mjs';
import { Problem } from './problem.mjs';
import { runStep } from './steps.mjs';

const NAMES = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

/**
 * Makes a private virtual environment with exactly the packages of a requirements file, checked by their hashes.
 * @param {string} folder where it stands, inside the clone
 * @param {string} requirements the file with pinned versions and hashes, inside the clone
 * @param {string} purpose what the packages are for, for people
 * @returns {Promise<string>} the folder of its programs
 * @throws {Problem} when there is no Python that can make one
 */
export async function virtualEnvironment(folder, requirements, purpose) {
  const bin = inRoot(folder, 'bin');
  const stamp = inRoot(folder, '.requirements.sha256');
  const wanted = createHash('sha256')
    .update(readFileSync(inRoot(requirements)))
    .digest('hex');
  if (runs(join(bin, 'python')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return bin;
  const python = findPython(purpose);
  rmSync(inRoot(folder), { recursive: true, force: true });
  await runStep(`Making a Python environment for ${purpose}`, [python, '-m', 'venv', inRoot(folder)], {
    remedy: 'The venv module of Python is needed (Debian, Ubuntu: apt install python3-venv).',
  });
  const install = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--require-hashes'];
  await runStep(
    `Installing ${purpose}`,
    [join(bin, 'python'), ...install, '--only-binary', ':all:', '-r', inRoot(requirements)],
    { remedy: 'Is the Python package index reachable, and are there wheels for this system?' },
  );
  writeFileSync(stamp, wanted);
  return bin;
}

function findPython(purpose) {
  const names = process.env.PYTHON ? [process.env.PYTHON] : NAMES;
  const found = names.map((name) => ({ name, version: versionOf(name) })).filter(({ version }) => version);
  const fit = found.find(({ version }) => version[0] === 3 && version[1] >= 10);
  if (!fit) {
    const tooOld =
      found.length > 0 ? `Python ${found[0].version.join('.')} is too old` : 'There is no Python on the PATH';
    throw new Problem(
      `${tooOld}, but ${purpose} can only be installed with Python 3.10 or newer: install it, or set PYTHON to the one to use.`,
    );
  }
  if (!runs(fit.name, 'import venv, ensurepip')) {
    throw new Problem(
      `Python ${fit.version.join('.')} cannot make virtual environments: install its venv module (Debian, Ubuntu: apt install python3-venv).`,
    );
  }
  return fit.name;
}

function versionOf(python) {
  const output = outputOf(python, ['-c', 'import sys; print(*sys.version_info[:2])']);
  return output?.trim().split(' ').map(Number);
}

function runs(python, program = 'pass') {
  return outputOf(python, ['-c', program]) !== undefined;
}

function outputOf(program, args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}
