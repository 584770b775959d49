// `npm start`: installs, builds, and runs database, mailbox, service and REST edge until Ctrl-C.
import { join } from 'node:path';
import { Children, lastWords } from './launch/children.mjs';
import { checkReachable, startDatabase } from './launch/database.mjs';
import { forgetRunning, noteRunning, settleEarlierStart } from './launch/earlier-start.mjs';
import { build, checkMachine, installPackages } from './launch/packages.mjs';
import { checkPorts } from './launch/ports.mjs';
import { Problem, reportFailure } from './launch/problem.mjs';
import { makeDataFolder, readSettings, serviceSecrets } from './launch/settings.mjs';
import { serverTools } from './launch/tools.mjs';
import { accepts, isServing, until } from './launch/wait.mjs';
import { followWarnings } from './launch/warnings.mjs';

const START_MS = 60_000;
const LOOK_EVERY_MS = 500;

async function main() {
  const settings = readSettings(process.env);
  checkMachine();
  makeDataFolder(settings);
  await settleEarlierStart(settings.folder);
  await checkPorts(settings.needed);
  if (settings.mongoUri) await checkReachable(settings.mongoUri);
  await installPackages();
  const tools = await serverTools({ ownDatabase: !settings.mongoUri });
  await build();
  await run(settings, tools);
}

/** Starts everything, waits for the end, and stops everything, whatever that end was. */
async function run(settings, tools) {
  const children = new Children();
  const interrupted = interruption();
  try {
    const started = startAll(children, settings, tools);
    const failed = await Promise.race([started.then(() => children.died), children.died, interrupted]);
    if (failed) throw lastWords(failed);
    console.log('\nStopping …');
  } finally {
    await children.stop();
    forgetRunning(settings.folder);
  }
  console.log('Everything is stopped.');
}

/** Settles when somebody wants the end. */
function interruption() {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve(undefined));
    // A killed npm does not pass the signal on through its shell; that its process is gone is all there is to see.
    const parent = process.ppid;
    const look = () => process.ppid !== parent && resolve(undefined);
    if (process.env.npm_lifecycle_event) setInterval(look, LOOK_EVERY_MS).unref();
    // The terminal may be gone as well.
    process.stdout.on('error', () => resolve(undefined));
  });
}

async function startAll(children, settings, tools) {
  // Imported only now: it needs packages that a fresh clone has to install first.
  const programs = await import('./launch/programs.mjs');
  const database = settings.mongoUri ?? startDatabase(children, databaseOptions(settings, tools));
  const mailbox = settings.smtpUrl ? undefined : programs.startMailbox(children, settings);
  noteRunning(settings.folder, children.processes);
  const environment = programs.serviceEnvironment(settings, serviceSecrets(settings), await database);
  const service = programs.startService(children, settings, environment);
  const edge = programs.startEdge(children, settings, tools.envoy);
  const seed = programs.startSeed(children, settings, environment);
  noteRunning(settings.folder, children.processes);
  children.atEnd(followWarnings(service.log, (line) => console.log(`service ${line}`)));
  await Promise.all([
    ready(service, () => isServing(`127.0.0.1:${settings.port.GRPC_PORT}`, process.env)),
    ready(edge, () => accepts(settings.port.REST_PORT)),
    mailbox && ready(mailbox, () => accepts(settings.port.SMTP_PORT)),
    seed.exit,
  ]);
  const { greeting } = await import('./launch/greeting.mjs');
  console.log(greeting(settings));
}

function databaseOptions({ port, folder, logs }, tools) {
  return { tools, port: port.DB_PORT, folder, log: join(logs, 'database.log'), name: 'identity' };
}

async function ready(child, ask) {
  if (await until(ask, START_MS, () => child.ended)) return;
  throw child.ended
    ? lastWords(child)
    : new Problem(`The ${child.name} does not get ready: see ${child.log}.`);
}

main().catch(reportFailure);
