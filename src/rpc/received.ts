import { BinaryReader } from '@bufbuild/protobuf/wire';
import { invalidParameter } from '../errors.js';
import type { Access } from './call.js';

/**
 * Most bytes of a message that anybody may send, and of one that needs a token. Elements of two bytes each become
 * objects: this many hold the event loop for some 30 and 60 ms. The largest that is of use has tags of 64 KiB as JSON.
 */
const MAX_BYTES = { anonymous: 262_144, known: 524_288 } as const;

/** Refuses what is no UTF-8, as protobuf demands: the generated code would store replacement characters. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A request as it came; nothing of it is decoded before it is known whether the caller may call. */
export interface Received {
  /** None when there are too many. */
  bytes?: Buffer;
}

/** What becomes of the bytes of a method's requests. */
export class Requests {
  /** A request that says nothing. */
  readonly empty: object;
  readonly #maxBytes: number;

  constructor(
    private readonly decode: (bytes: Buffer) => object,
    access: Access,
  ) {
    this.empty = decode(Buffer.alloc(0));
    this.#maxBytes = 'anonymous' in access ? MAX_BYTES.anonymous : MAX_BYTES.known;
  }

  /** Keeps the bytes, as far as they are not too many. */
  receive(bytes: Buffer): Received {
    return bytes.length > this.#maxBytes ? {} : { bytes };
  }

  /**
   * The message.
   * @throws IdentityError ERROR_INVALID_PARAMETER when it is too large, or no message of the method.
   */
  read({ bytes }: Received): object {
    if (!bytes) throw invalidParameter('request', `must be at most ${this.#maxBytes} bytes as a message`);
    const message = this.#decoded(bytes);
    if (!message) throw invalidParameter('request', 'is no message of this method');
    return message;
  }

  #decoded(bytes: Buffer): object | undefined {
    try {
      const reader = new BinaryReader(bytes, (text) => utf8.decode(text));
      // Generated decoders take a reader as well as bytes. They stop at a tag that cannot be.
      const message = this.decode(reader as unknown as Buffer);
      return reader.pos === reader.len ? message : undefined;
    } catch {
      return undefined;
    }
  }
}
