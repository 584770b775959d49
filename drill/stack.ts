import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { benchDatabase } from '../bench/database.js';
import { seed } from '../bench/seed.js';
import type { Seeded } from '../bench/seed.js';
import { Children, lastWords } from '../scripts/launch/children.mjs';
import type { Child } from '../scripts/launch/children.mjs';
import { startDatabase } from '../scripts/launch/database.mjs';
import { freePort } from '../scripts/launch/ports.mjs';
import { serverTools } from '../scripts/launch/tools.mjs';
import { accepts, isServing, until } from '../scripts/launch/wait.mjs';
import { renderEnvoy } from '../scripts/render-envoy.mjs';
import { startSmtpSink } from '../test/smtp-sink.js';
import type { SmtpSink } from '../test/smtp-sink.js';
import { NotPossible } from './outcome.js';
import { BadWay } from './toxiproxy.js';

/** How a stack differs from the usual one. */
export interface StackOptions {
  instances?: number;
  /** Settings of the service. */
  settings?: Record<string, string>;
  /** The services reach the database through toxiproxy. */
  badWay?: boolean;
  /** Takes the database of the benchmark, whose data are gone afterwards: the fastest that there is. */
  fastDatabase?: boolean;
  /** The database is started later, by `databaseUp`. */
  withoutDatabase?: boolean;
  /** Users made before the services start. */
  users?: number;
  /** How far the clock of each instance is wrong, in seconds. */
  clocks?: readonly number[];
}

/** One process of the service. */
export interface Instance {
  port: number;
  address: string;
  child: Child;
}

const START_MS = 60_000;

/** Everything that runs in production, as processes of their own: database, instances, edge; and a mail server. */
export class Stack {
  readonly children = new Children();
  readonly instances: Instance[] = [];
  /** Who was made before the start. */
  seeded!: Seeded;
  sink!: SmtpSink;
  /** host:port of Envoy. */
  edge = '';
  edgePid = 0;
  /** Address of the database itself. */
  uri = '';
  way?: BadWay;
  #tools!: Awaited<ReturnType<typeof serverTools>>;
  #databasePort = 0;
  #databasePid?: number;
  #starts = 0;
  readonly #environment: Record<string, string> = {};

  private constructor(
    private readonly folder: string,
    private readonly options: StackOptions,
  ) {}

  /** Starts a stack with data and logs in .data/drill/<name>. */
  static async start(name: string, options: StackOptions = {}): Promise<Stack> {
    const folder = resolve('.data/drill', name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const stack = new Stack(folder, options);
    try {
      await stack.#start();
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  async #start(): Promise<void> {
    const given = process.env['MONGODB_URI'];
    this.#tools = await serverTools({ ownDatabase: !given });
    this.sink = await startSmtpSink();
    this.#databasePort = await freePort();
    if (given) this.uri = given.replace(/\/([^/?]*)(\?|$)/, `/$1-drill-${Date.now()}$2`);
    else this.uri = `mongodb://127.0.0.1:${this.#databasePort}/drill?directConnection=true`;
    const { badWay, withoutDatabase, fastDatabase, settings, users = 40, instances = 1 } = this.options;
    if (!given && fastDatabase) this.uri = (await benchDatabase(this.children)).uri;
    else if (!given && !withoutDatabase) await this.databaseUp();
    Object.assign(this.#environment, {
      MONGODB_URI: this.uri,
      SERVICE_KEY: randomBytes(32).toString('base64'),
      SMTP_URL: this.sink.url,
      BCRYPT_COST: '4',
      LOG_LEVEL: 'info',
      SIGN_IN_ATTEMPTS_PER_PEER: '1000000',
      ...settings,
    });
    if (!withoutDatabase) this.seeded = await seed(this.#environment, users);
    if (badWay) await this.#throughBadWay();
    for (let at = 0; at < instances; at += 1) await this.startInstance(await freePort(), at);
    await this.#startEdge();
    if (!withoutDatabase) await this.untilServing(...this.instances);
  }

  /** @throws NotPossible with a database that is not ours. */
  async databaseUp(): Promise<void> {
    this.#assertOwn();
    const [tools, port, log] = [this.#tools, this.#databasePort, this.#log('database')];
    await startDatabase(this.children, { tools, port, folder: this.folder, log, name: 'drill' });
    this.#databasePid = this.children.processes.at(-1)!.pid;
  }

  /** @throws NotPossible with a database that is not ours. */
  async databaseDown(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#assertOwn();
    process.kill(this.#databasePid!, signal);
    await until(async () => !(await accepts(this.#databasePort)), START_MS);
  }

  #assertOwn(): void {
    if (process.env['MONGODB_URI']) throw new NotPossible('needs a database of its own; MONGODB_URI is set');
  }

  async #throughBadWay(): Promise<void> {
    this.#assertOwn();
    this.way = await BadWay.start(this.children, this.#databasePort, this.#log('toxiproxy'));
    this.#environment['MONGODB_URI'] = this.uri.replace(`:${this.#databasePort}/`, `:${this.way.port}/`);
  }

  /** Key of all instances. */
  get serviceKey(): string {
    return this.#environment['SERVICE_KEY']!;
  }

  /** Starts an instance, in the place of an earlier one if there was one; answers when its port is open. */
  async startInstance(port: number, at: number): Promise<Instance> {
    const clock = this.options.clocks?.[at];
    const child = this.children.start({
      name: 'service',
      command: [process.execPath, ...(clock ? ['--import', './drill/moved-clock.mjs'] : []), 'dist/main.js'],
      log: this.#log(`service-${at}`),
      env: { ...this.#environment, GRPC_PORT: String(port), DRILL_CLOCK_SECONDS: String(clock ?? 0) },
    });
    const open = await until(
      () => accepts(port),
      START_MS,
      () => child.ended,
    );
    if (!open) throw lastWords(child);
    const instance = { port, address: `127.0.0.1:${port}`, child };
    this.instances[at] = instance;
    return instance;
  }

  /** Waits until all of these are SERVING. */
  async untilServing(...instances: Instance[]): Promise<void> {
    for (const { address, child } of instances) {
      const serving = await until(
        () => isServing(address),
        START_MS,
        () => child.ended,
      );
      if (!serving) throw lastWords(child);
    }
  }

  async #startEdge(): Promise<void> {
    const port = await freePort();
    const configuration = join(this.folder, 'envoy.yaml');
    const GRPC_ENDPOINTS = this.instances.map(({ address }) => address).join(',');
    const EDGE_SECRETS = join(this.folder, 'secrets');
    writeFileSync(configuration, renderEnvoy({ REST_PORT: String(port), GRPC_ENDPOINTS, EDGE_SECRETS }));
    const options = ['--disable-hot-restart', '--concurrency', '2', '-l', 'warning'];
    const command = [this.#tools.envoy, '-c', configuration, ...options];
    const child = this.children.start({ name: 'edge', command, log: this.#log('edge') });
    const open = await until(
      () => accepts(port),
      START_MS,
      () => child.ended,
    );
    if (!open) throw lastWords(child);
    this.edge = `127.0.0.1:${port}`;
    this.edgePid = child.process.pid!;
  }

  #log(name: string): string {
    this.#starts += 1;
    return join(this.folder, `${name}-${this.#starts}.log`);
  }

  /** Stops everything; logs and data stay. */
  async stop(): Promise<void> {
    await this.children.stop();
    await this.sink?.close();
  }
}
