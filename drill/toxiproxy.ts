import type { Children } from '../scripts/launch/children.mjs';
import { freePort } from '../scripts/launch/ports.mjs';
import { toxiproxy } from '../scripts/launch/tools.mjs';
import { accepts, until } from '../scripts/launch/wait.mjs';

/** A way to a server that can be made bad: toxiproxy with one proxy. */
export class BadWay {
  private constructor(
    private readonly api: string,
    /** Where the server is reached through it. */
    readonly port: number,
  ) {}

  /** Starts toxiproxy before a port of this machine. */
  static async start(children: Children, target: number, log: string): Promise<BadWay> {
    const [control, port] = [await freePort(), await freePort()];
    const command = [await toxiproxy(), '-host', '127.0.0.1', '-port', String(control)];
    const child = children.start({ name: 'toxiproxy', command, log });
    await until(
      () => accepts(control),
      10_000,
      () => child.ended,
    );
    const way = new BadWay(`http://127.0.0.1:${control}`, port);
    const proxy = { name: 'database', listen: `127.0.0.1:${port}`, upstream: `127.0.0.1:${target}` };
    await way.#ask('POST', '/proxies', proxy);
    return way;
  }

  /** Lets nothing through any more in either direction; connections stay open. */
  async stall(): Promise<void> {
    for (const stream of ['upstream', 'downstream']) {
      const toxic = { name: stream, type: 'timeout', stream, attributes: { timeout: 0 } };
      await this.#ask('POST', '/proxies/database/toxics', toxic);
    }
  }

  /** Ends the stall. */
  async heal(): Promise<void> {
    for (const stream of ['upstream', 'downstream'])
      await this.#ask('DELETE', `/proxies/database/toxics/${stream}`);
  }

  async #ask(method: string, path: string, body?: object): Promise<void> {
    const answer = await fetch(this.api + path, { method, body: body ? JSON.stringify(body) : undefined });
    if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path}: ${answer.status} ${await answer.text()}`);
  }
}
