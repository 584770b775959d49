import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

/** A way to the database that can be blocked: what a dead network or a stalled disk looks like to the service. */
export class DatabaseProxy {
  readonly #sockets = new Set<Socket>();
  readonly #target: URL;
  #server: Server | undefined;
  #port = 0;
  #stalled = false;
  #trap: { word: string; arrives: boolean } | undefined;
  #hold: { word: string; arrived: () => void } | undefined;
  /** Connections accepted since the start. */
  connections = 0;

  /** @param uri address of the real database, without a database name */
  constructor(uri: string) {
    this.#target = new URL(uri);
  }

  /** It accepts no connections. */
  get isDown(): boolean {
    return this.#server === undefined;
  }

  /** The address to give to the service. */
  uri(database: string): string {
    return `mongodb://127.0.0.1:${this.#port}/${database}?directConnection=true`;
  }

  /** Accepts connections, after `down` on the same port. */
  async up(): Promise<void> {
    if (this.#server) return;
    const server = createServer((client) => this.#forward(client));
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Refuses connections and cuts those that are open. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /**
   * Goes down, as `down` does, when something with this word in it is about to pass to the database: that never arrives,
   * or it does and its answer never comes back.
   */
  downAt(word: string, arrives: boolean): void {
    this.#trap = { word, arrives };
  }

  /**
   * Passes the next thing with this word in it to the database, and holds its answer back until `resume`.
   * @returns when it has passed.
   */
  holdAnswer(word: string): Promise<void> {
    return new Promise((arrived) => (this.#hold = { word, arrived }));
  }

  /** Lets nothing through any more, without closing anything. */
  stall(): void {
    this.#stalled = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Lets everything through that was held back. */
  resume(): void {
    this.#stalled = false;
    for (const socket of this.#sockets) socket.resume();
  }

  #spring(chunk: Buffer, to: Socket): void {
    const { arrives } = this.#trap!;
    this.#trap = undefined;
    if (!arrives) void this.down();
    // Long enough for the database to have done it; what it answers is held back.
    else {
      this.stall();
      to.write(chunk, () => setTimeout(() => void this.down().then(() => (this.#stalled = false)), 300));
    }
  }

  #forward(client: Socket): void {
    this.connections += 1;
    const database = connect(Number(this.#target.port), this.#target.hostname);
    for (const [from, to] of [
      [client, database],
      [database, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (chunk) => {
        if (from === client && this.#hold && chunk.includes(this.#hold.word)) {
          to.pause();
          to.write(chunk, this.#hold.arrived);
          this.#hold = undefined;
        } else if (from === client && this.#trap && chunk.includes(this.#trap.word)) this.#spring(chunk, to);
        else to.write(chunk);
      });
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      // Broken connections are what this is for.
      from.on('error', () => undefined);
      if (this.#stalled) from.pause();
    }
  }
}
