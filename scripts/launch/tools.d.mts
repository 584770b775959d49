/** Full path of a program of the PATH or of the further folders. */
export function findProgram(name: string, more?: string[]): string | undefined;

/** Database server and Envoy, installed when they are not there. */
export function serverTools(need: {
  ownDatabase: boolean;
}): Promise<{ envoy: string; mongod?: string; secantusd?: string }>;

/** A Python with the client packages of the tests, installed when it is not there. */
export function clientPython(): Promise<string>;

/** grpcurl, built when it is not there. */
export function grpcurl(): Promise<string>;

/** The server of toxiproxy, built when it is not there. */
export function toxiproxy(): Promise<string>;
