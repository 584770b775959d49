// Writes docs/configuration.md from the settings themselves: `npm run docs`.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installPackages } from './launch/packages.mjs';
import { inRoot } from './launch/places.mjs';
import { readSettings } from './launch/settings.mjs';

/** What `npm start`, `npm test` and `npm run bench` read beside the ports, whose names come from the launcher. */
const AROUND = [
  [
    'MONGODB_URI',
    'address',
    'none',
    'A database of your own: a replica set, with the database name in the path (without one: `identity`). No other one is started then. `npm test` and `npm run bench` take it too, and make databases of their own in it.',
  ],
  ['SMTP_URL', 'address', 'none', 'A mail server of your own. No mailbox is started then.'],
  [
    'PUBLIC_URL',
    'address',
    'the address of the REST edge',
    'Address at which callers reach the REST edge, where that is another one.',
  ],
  [
    'SERVICE_KEY',
    '32 bytes in base64',
    'made on the first start',
    'Key of the service. The one that is made stands in `service.env` of the data folder.',
  ],
  [
    'BOOTSTRAP_SECRET',
    'text',
    'made on the first start',
    'Secret for `System.init`. The one that is made stands in `service.env` of the data folder.',
  ],
  [
    'DATA_DIR',
    'folder',
    '`.data`',
    'Where data and logs are. Another folder and other ports make a second installation beside the first.',
  ],
  [
    'GRPC_TLS_CERT',
    'file',
    'none',
    'TLS between edge and service: see [deploy/README.md](../deploy/README.md#tls).',
  ],
  [
    'UPSTREAM_TLS_CA',
    'file',
    'none',
    'What the edge checks that certificate by; the other variables of its certificates are read as well.',
  ],
  ['PYTHON', 'program', 'the first fitting one of the PATH', 'Python that makes the environments.'],
  [
    'BENCH_USERS',
    'list, comma separated',
    '`1000,10000,100000`',
    'Sizes of the domains that `npm run bench` measures.',
  ],
  ['BENCH_SECONDS', 'number', '`4`', 'Seconds of each measurement of `npm run bench`.'],
];

/**
 * The whole page.
 * @param {Record<string, { type: string, meaning: string, fallback: string | undefined }>} settings of src/config.ts
 * @returns {Promise<string>} Markdown, formatted like every file here
 */
export async function configurationPage(settings) {
  const service = Object.entries(settings).map(([name, { type, meaning, fallback }]) => [
    name,
    type,
    fallback === undefined ? '**required**' : fallback === '' ? 'none' : `\`${fallback}\``,
    meaning,
  ]);
  const ports = readSettings({}).needed.map(({ variable, use, port }) => [
    variable,
    'port',
    `\`${port}\``,
    `Port of ${use}, on loopback.`,
  ]);
  const page = `# Configuration

<!-- Written by \`npm run docs\` from src/config.ts and scripts/configuration.mjs: change it there. -->

Everything is configured by environment variables. An empty variable counts as one that is not set.

## The service

\`node dist/main.js\` reads these at its start. It names what is missing or wrong and ends with exit code 1.

${table(service)}

Every instance on one database needs the same \`SERVICE_KEY\`, and should have the same of all others. The first one
keeps a known text in the database, sealed with its key; an instance that cannot open it says so, never serves, takes no
mail and ends with exit code 1. The list is also that of \`node dist/seed.js\`, which fills an empty database with the accounts to try things out.

## npm start, npm test, npm run bench

\`npm start\` sets \`GRPC_HOST\`, \`MONGODB_URI\`, \`SMTP_URL\` and \`ACCOUNTS_FILE\` of the service so that everything fits
together. Every other setting of the table above passes through to it, for example
\`DEFAULT_LANGUAGE=ko npm start\`.

${table([...ports, ...AROUND])}

## The REST edge

Addresses in \`envoy.yaml\` are filled in by \`scripts/render-envoy.mjs\`; its variables are listed in
[deploy/README.md](../deploy/README.md).
`;
  const prettier = await import('prettier');
  const file = inRoot('docs/configuration.md');
  return prettier.format(page, { ...(await prettier.resolveConfig(file)), filepath: file });
}

function table(rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const head = ['name', 'type', 'default', 'meaning'];
  const body = rows.map(([name, ...cells]) => line([`\`${name}\``, ...cells]));
  return [line(head), line(head.map(() => '---')), ...body].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await installPackages();
  const { register } = await import('tsx/esm/api');
  register();
  const { settings } = await import('../src/config.ts');
  writeFileSync(inRoot('docs/configuration.md'), await configurationPage(settings));
}
