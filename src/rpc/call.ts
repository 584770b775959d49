import type { Metadata } from '@grpc/grpc-js';
import type { z } from 'zod';
import type { Origin, Reach } from '../connectors/mongo.js';
import type { Caller } from '../managers/sessions.js';

/** The role types an access token can carry (contract/behaviour.md 1.3, `rol`). */
export type CallerRole = 'SYSTEM_ADMIN' | 'DOMAIN_ADMIN' | 'WORKSPACE_OWNER' | 'WORKSPACE_MEMBER' | 'USER';

/**
 * Who may call a method. `anonymous` has to be said aloud; `self` is a method on the caller's own account,
 * open to every role type; `anyToken` is open to every token that is good, however narrow; else the role types and the
 * permissions of which one is enough. A method that changes nothing says so: only then may what is remembered of the
 * caller be good enough.
 */
export type Access =
  | { anonymous: true }
  | ((
      | { anyToken: true }
      | { self: true; permissions: readonly string[] }
      | { roleTypes: readonly CallerRole[]; permissions: readonly string[] }
    ) & { onlyReads?: true });

/** What is known of a call before anything of it is read. */
export interface Called {
  /** Full name of the method, `spaceone.api.identity.v2.UserProfile/get`. */
  method: string;
}

/** What a method knows of its call besides the message. */
export interface Call extends Called {
  requestId: string;
  /** Address of the caller, behind a trusted proxy the one that the proxy names. */
  peer: string;
  /** The call comes from this machine, and not through a proxy. */
  local: boolean;
  reach: Reach & { call: Origin };
  metadata: Metadata;
  /** What a method wants to have in its log line: ids alone, never what may be a secret. */
  noted: Record<string, string>;
  /** Whether anything of it was done here; until then another instance may do it. */
  begun: boolean;
  /** What a REST caller gets beside the message: the HTTP status if it is not 200, and headers. */
  answer: { status?: number; headers: Record<string, string> };
}

/** A call by a known caller. */
export type CallerCall = Call & { caller: Caller };

/** How a family of REST systems words an error: what the edge answers over HTTP, and what it says. */
export interface Wording {
  http: number;
  /** The family's code of the error, where it is not the one that the edge has for the status. */
  code?: string;
  /** The whole text, without anything that a caller must not see. */
  message: string;
  headers?: Record<string, string>;
}

/** A method of a service: who may call it, what its fields must be, and what it does. */
export interface Method<Request, Response> {
  access: Access;
  fields: Record<keyof Request, z.ZodType>;
  schema: z.ZodType;
  run: (request: never, call: never) => Promise<Response> | Response;
}

/** The methods of a service, typed by its generated definition: leaving one out does not compile. */
export type Methods<Definition> = {
  [Name in keyof Definition]: Definition[Name] extends {
    requestDeserialize: (bytes: Buffer) => infer Request;
    responseSerialize: (message: infer Response) => Buffer;
  }
    ? Method<Request, Response>
    : never;
};
