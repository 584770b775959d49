// Exit code 0 when grpc.health.v1 of the service in this container answers SERVING.
import { isServing } from '../scripts/launch/wait.mjs';

process.exitCode = (await isServing(`127.0.0.1:${process.env.GRPC_PORT ?? 50051}`, process.env)) ? 0 : 1;
