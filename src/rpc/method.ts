import { z } from 'zod';
import type { Access, Call, CallerCall, Method } from './call.js';

type Shape = Record<string, z.ZodType>;
type Given<F extends Shape> = z.output<z.ZodObject<F>>;

/** Declares a method for known callers: who may call it, the rules of its fields, and its body. */
export function method<F extends Shape, Response>(
  declared: { access: Exclude<Access, { anonymous: true }>; fields: F },
  run: (request: Given<F>, call: CallerCall) => Promise<Response> | Response,
): Method<{ [K in keyof F]: unknown }, Response> {
  return { ...declared, schema: z.object(declared.fields), run };
}

/** Declares a method that needs no token. */
export function anonymousMethod<F extends Shape, Response>(
  fields: F,
  run: (request: Given<F>, call: Call) => Promise<Response> | Response,
): Method<{ [K in keyof F]: unknown }, Response> {
  return { access: { anonymous: true }, fields, schema: z.object(fields), run };
}
