import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configurationPage } from '../../scripts/configuration.mjs';
import { readHttpRoutes } from '../../scripts/launch/http-routes.mjs';
import { settings } from '../../src/config.js';
import { domainMethods } from '../../src/handlers/domain.js';
import { systemMethods } from '../../src/handlers/system.js';
import { tokenMethods } from '../../src/handlers/token.js';
import { userProfileMethods } from '../../src/handlers/user-profile.js';
import { workspaceUserMethods } from '../../src/handlers/workspace-user.js';
import type { Access } from '../../src/rpc/call.js';
import { declaredMethods } from '../wire-client.js';
import { codeBlocks, pages, read, section, tableRows } from './pages.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const methodRows = tableRows(section(read('README.md'), '## Methods'));
/** Rows of the tables whose first column is a call, `GET /v3/users`, and the second the method behind it. */
const callRows = read('README.md')
  .split(/^(?=\| call +\| method)/m)
  .slice(1)
  .flatMap(tableRows);
/** Methods of spaceone.api.identity.v2, which are named without their package, and the others. */
const spaceone = declaredMethods().filter((method) => method.split('.').length === 2);
const others = declaredMethods().filter((method) => !spaceone.includes(method));

/** What each method declares of its callers; the managers behind it are not asked. */
function declaredAccess(): Map<string, Access> {
  const none = undefined as never;
  const services: Record<string, Record<string, { access: Access }>> = {
    System: systemMethods(none),
    Domain: domainMethods(none),
    Token: tokenMethods(none, none),
    UserProfile: userProfileMethods(none, none, none, none),
    WorkspaceUser: workspaceUserMethods(none),
  };
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return new Map(
    Object.entries(services).flatMap(([service, methods]) =>
      Object.entries(methods).map(([name, { access }]) => [`${service}.${snake(name)}`, access] as const),
    ),
  );
}

function inWords(access: Access): string {
  if ('anonymous' in access) return 'anybody';
  if ('self' in access) return 'every user';
  if ('anyToken' in access) return 'every token';
  return access.roleTypes.map((type) => type.toLowerCase().replace('_', ' ')).join(', ');
}

describe('the tables of calls in the README', () => {
  it('list exactly the methods that there are, each with what the descriptor binds first', () => {
    const { bindings } = readHttpRoutes(`${root}/src/gen/descriptor.binpb`);
    const bound = bindings.filter(({ path }) => !path.startsWith('/identity/'));
    expect(callRows.map(([, method]) => method).sort()).toEqual(others.sort());
    const calls = bound.map(({ method, path }) => `${method} ${path}`);
    const unknown = callRows.filter(([call]) => !calls.includes(call!));
    expect(unknown).toEqual([]);
    const paths = new Set(callRows.map(([call]) => call!.split(' ')[1]));
    expect(bound.filter(({ path }) => !paths.has(path))).toEqual([]);
  });
});

describe('the table of methods in the README', () => {
  it('lists exactly the methods that there are', () => {
    expect(methodRows.map(([method]) => method).sort()).toEqual(spaceone.sort());
  });

  it('gives each the path that the descriptor binds first', () => {
    const routes = readHttpRoutes(`${root}/src/gen/descriptor.binpb`);
    const bound = routes.bindings.filter(({ path }) => path.startsWith('/identity/'));
    const first = new Map(bound.toReversed().map(({ path }) => [withoutVersion(path), path]));
    const shown = methodRows.flatMap(([, path]) => (path === '–' ? [] : [path!]));
    expect(shown.map(withoutVersion).sort()).toEqual([...first.keys()].sort());
    expect(shown).toEqual(shown.map((path) => first.get(withoutVersion(path))));
    const misplaced = methodRows.filter(
      ([method, path]) => path !== '–' && !path!.endsWith(`/${kebab(method!)}`),
    );
    expect(misplaced).toEqual([]);
  });

  it('says of each who may call it, as the method declares', () => {
    const declared = declaredAccess();
    for (const [method, , callers] of methodRows) {
      const words = inWords(declared.get(method!)!);
      expect(words === 'anybody' ? callers!.split(' ')[0] : callers, method).toBe(words);
    }
  });
});

describe('docs/configuration.md', () => {
  it('is what `npm run docs` writes', async () => {
    expect(read('docs/configuration.md')).toBe(await configurationPage(settings));
  });

  it('has a row for everything that the scripts read from the environment', () => {
    const scripts = [
      'start.mjs',
      'test.mjs',
      'launch/settings.mjs',
      'launch/programs.mjs',
      'launch/python.mjs',
    ];
    const sources = [...scripts.map((name) => `scripts/${name}`), 'bench/main.ts', 'bench/database.ts'];
    const names = sources.flatMap((path) =>
      [...read(path).matchAll(/(?:process\.env|environment)(?:\.|\[')([A-Z_]+)|variable: '([A-Z_]+)'/g)].map(
        ([, plain, variable]) => plain ?? variable!,
      ),
    );
    const page = section(read('docs/configuration.md'), '## npm start, npm test, npm run bench');
    const rows = tableRows(page).map(([name]) => name);
    expect([...new Set(names)].sort()).toEqual([...rows].sort());
  });

  it('leaves the addresses of the edge to deploy/README.md, which has them all', () => {
    const configuration = read('envoy.yaml').replace(/^\s*#.*$/gm, '');
    const names = [...configuration.matchAll(/\$\{([A-Z_]+):-/g)].map(([, name]) => name!);
    const page = read('deploy/README.md');
    expect([...new Set(names)].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('every page', () => {
  it.each(pages())('$path links to nothing that is missing', ({ path, text }) => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
    const missing = links
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !exists(target, path));
    expect(missing).toEqual([]);
  });

  it.each(pages())('$path names no npm script that is missing', ({ text }) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run ([a-z]+)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

it('CONTRIBUTING shows code as it stands', () => {
  const [, ...parts] = section(read('CONTRIBUTING.md'), '## Four files for a new method').split(
    /^\*\*\d\. /m,
  );
  for (const part of parts) {
    const [, file] = /In\s+\[[^\]]+\]\(([^)]+)\):/.exec(part)!;
    expect(unindented(read(file!)), file).toContain(unindented(codeBlocks(part)[0]!.code));
  }
  expect(parts).toHaveLength(4);
});

/** Prettier indents what stands in a page as if it stood alone. */
function unindented(code: string): string {
  return code.replace(/^ +/gm, '').trim();
}

function exists(target: string, from: string): boolean {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? from : new URL(file, `file:///${from}`).pathname.slice(1);
  if (!existsSync(`${root}/${path}`)) return false;
  return anchor === undefined || headings(read(path)).includes(anchor);
}

/** Anchors of the headings of a page. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  );
}

function withoutVersion(path: string): string {
  return path.replace(/\/v\d\//, '/');
}

/** `UserProfile.get_workspaces` as it ends in a path: `user-profile/get-workspaces`. */
function kebab(method: string): string {
  return method
    .replace('.', '/')
    .replace(/(?<=[a-z])(?=[A-Z])|_/g, '-')
    .toLowerCase();
}
