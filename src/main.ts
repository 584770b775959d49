import pino from 'pino';
import { NotListening, startApp } from './app.js';
import { systemClock } from './clock.js';
import { ConfigError, readConfig } from './config.js';
import { DatabaseRefused } from './connectors/mongo.js';

/** Starts the service from the environment and stops it on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const config = readConfig();
  const log = pino({ level: config.LOG_LEVEL, base: undefined, timestamp: pino.stdTimeFunctions.isoTime });
  const app = await startApp(config, systemClock, log);
  log.info({ port: app.port }, 'listening');
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    app.close().then(
      () => process.exit(0),
      (error: Error) => fail(error),
    );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  await app.ready;
  if (!stopping) log.info({}, 'database reached');
}

function fail(error: unknown): never {
  const expected = [ConfigError, DatabaseRefused, NotListening].some((kind) => error instanceof kind);
  process.stderr.write(
    `${expected || !(error as Error).stack ? (error as Error).message : (error as Error).stack}\n`,
  );
  process.exit(1);
}

main().catch(fail);
