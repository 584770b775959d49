import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '@grpc/grpc-js';
import type { Rooms } from './rooms.js';

/** Share of the time that is kept for what comes after the calls: mails under way, connections. */
const ENDING_SHARE = 0.2;

/**
 * Stops within the given time: running calls are answered, new ones are turned to another instance (HTTP/2 GOAWAY,
 * which clients retry by themselves), mails under way are finished, connections are closed. What is not done when
 * the time is over is cut off; mails are sent after the next start.
 */
export async function shutDown(server: Server, rooms: Rooms, seconds: number): Promise<void> {
  const milliseconds = seconds * 1000;
  const end = Date.now() + milliseconds;
  await drain(server, milliseconds * (1 - ENDING_SHARE));
  await within(end - Date.now(), async () => {
    await rooms.reset.settled();
    await rooms.delivery.stop((end - Date.now()) / 2);
    await rooms.mongo.close();
  });
}

/** Waits for the running calls; those that last longer are cut off. */
async function drain(server: Server, milliseconds: number): Promise<void> {
  await within(milliseconds, () => new Promise<void>((resolve) => server.tryShutdown(() => resolve())));
  server.forceShutdown();
}

async function within(milliseconds: number, work: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  const timer = sleep(Math.max(0, milliseconds), undefined, { signal: over.signal }).catch(() => undefined);
  await Promise.race([work(), timer]);
  over.abort();
}
