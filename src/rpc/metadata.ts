import { randomUUID } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import { addressOf } from '../peer-address.js';
import type { AddressRanges } from '../address-ranges.js';

/** The first value of a metadata key, or undefined. */
export function metadataText(metadata: Metadata, key: string): string | undefined {
  const [value] = metadata.get(key);
  return typeof value === 'string' ? value : undefined;
}

/** Tell the edge which HTTP status an answer has, and which code an error; they go no further. */
const STATUS_KEY = 'edge-status';
const CODE_KEY = 'edge-code';
/** Tells the edge that nothing of the call was begun here, so that another instance may do it. */
const RETRY_KEY = 'edge-retry';

/** Metadata for the edge: an HTTP status, the code of an error, and headers for the caller. */
export function answerMetadata(
  status: number | undefined,
  headers: Record<string, string> = {},
  code?: string,
): Metadata {
  const metadata = new Metadata();
  if (status !== undefined) metadata.set(STATUS_KEY, String(status));
  if (code !== undefined) metadata.set(CODE_KEY, code);
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

/** Lets the edge try the call at another instance: right only where nothing of it was begun. */
export function allowRetry(metadata: Metadata): void {
  metadata.set(RETRY_KEY, 'true');
}

/**
 * The caller's token: metadata `token` (gRPC clients), `x-auth-token` (clients of the IAM systems), or
 * `authorization: Bearer …` (REST callers).
 */
export function bearerToken(metadata: Metadata): string | undefined {
  const bare = metadataText(metadata, 'token') || metadataText(metadata, 'x-auth-token');
  if (bare) return bare;
  return /^Bearer +(\S+)$/i.exec(metadataText(metadata, 'authorization') ?? '')?.[1];
}

/** The id that Envoy or the caller gave the request, if it is one (docs/audit.md), else a new one. */
export function requestIdOf(metadata: Metadata): string {
  const given = metadataText(metadata, 'x-request-id');
  return given && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
}

/** The trace that the caller is part of (W3C Trace Context); anything else in its place is left out of the log. */
export function traceOf(metadata: Metadata): string | undefined {
  const given = metadataText(metadata, 'traceparent');
  return given && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(given) ? given : undefined;
}

/**
 * Where a call comes from. Behind a trusted proxy it is the last address that the proxy appended to
 * x-forwarded-for: earlier ones are the caller's own words. When that is no address it is the proxy.
 */
export function sourceOf(
  connectionPeer: string,
  metadata: Metadata,
  trustedProxies: AddressRanges,
): { peer: string; local: boolean } {
  const address = plainAddress(connectionPeer);
  const forwarded = metadataText(metadata, 'x-forwarded-for');
  if (forwarded === undefined || !trustedProxies.has(address))
    return { peer: address, local: isLoopback(address) };
  // What is no address would be any text of the caller in log and records.
  return { peer: addressOf(forwarded.split(',').at(-1)!.trim()) ?? address, local: false };
}

function plainAddress(peer: string): string {
  const address = peer
    .replace(/^ipv[46]:/, '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
  return address.replace(/^::ffff:/, '');
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
