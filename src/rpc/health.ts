import { status } from '@grpc/grpc-js';
import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { HealthCheckResponse_ServingStatus as Serving, HealthService } from '../gen/health/v1/health.js';
import type {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthListRequest,
  HealthListResponse,
} from '../gen/health/v1/health.js';
import { MALFORMED, tolerant } from './tolerant.js';

type Watcher = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/** Decoded requests have every field. */
function isMalformed(request: Partial<HealthCheckRequest>): boolean {
  return request.service === undefined;
}

/** grpc.health.v1: one state for the whole service, asked for by its names (gRPC health checking protocol). */
export class Health {
  #serving = false;
  #closed = false;
  /** Everybody who watches, those with an unknown name too: it might become known, says the protocol. */
  readonly #watchers = new Set<Watcher>();

  /** @param names `''`, `identity` (the reference's name) and every served service. */
  constructor(private readonly names: ReadonlySet<string>) {}

  /** Adds the health service to a server. */
  serve(server: Server): void {
    server.addService(tolerant(HealthService), {
      check: (
        call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
        respond: sendUnaryData<HealthCheckResponse>,
      ) => {
        if (isMalformed(call.request)) respond(MALFORMED);
        else if (this.names.has(call.request.service)) respond(null, this.#answer(call));
        else respond({ code: status.NOT_FOUND, details: 'unknown service' });
      },
      list: (
        _call: ServerUnaryCall<HealthListRequest, HealthListResponse>,
        respond: sendUnaryData<HealthListResponse>,
      ) => {
        const statuses = [...this.names].map((service) => [service, this.#answer({ request: { service } })]);
        respond(null, { statuses: Object.fromEntries(statuses) as HealthListResponse['statuses'] });
      },
      watch: (stream: Watcher) => {
        if (isMalformed(stream.request)) {
          stream.emit('error', MALFORMED);
          return;
        }
        stream.write(this.#answer(stream));
        this.#watchers.add(stream);
        const forget = () => this.#watchers.delete(stream);
        stream.on('cancelled', forget).on('close', forget).on('error', forget);
      },
    });
  }

  /** Tells everybody who asks, and everybody who watches, whether calls are answered now. */
  set(serving: boolean): void {
    if (this.#closed || this.#serving === serving) return;
    this.#serving = serving;
    for (const watcher of this.#watchers) {
      if (this.names.has(watcher.request.service)) watcher.write(this.#answer(watcher));
    }
  }

  /** Is NOT_SERVING from now on, and ends the watches, so that they do not hold up a shutdown. */
  close(): void {
    this.set(false);
    this.#closed = true;
    for (const watcher of this.#watchers) watcher.end();
  }

  #answer({ request }: { request: HealthCheckRequest }): HealthCheckResponse {
    if (!this.names.has(request.service)) return { status: Serving.SERVICE_UNKNOWN };
    return { status: this.#serving ? Serving.SERVING : Serving.NOT_SERVING };
  }
}
