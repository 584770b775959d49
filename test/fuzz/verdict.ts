import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { registry } from '../wire-client.js';
import type { Service } from '../harness.js';

/** What existing clients expect as INTERNAL (contract/errors.md 3); there is no other one. */
const KNOWN_INTERNAL = /^ERROR_MFA_(REQUIRED|NOT_ACTIVATED|ALREADY_ENABLED|ALREADY_DISABLED|NOT_ENABLED)$/;

/** What belongs to the inside: stacks, files, the database, the runtime. No input of the fuzzer says any of it. */
const INNER = new RegExp(
  [
    String.raw`\n\s+at |node_modules|node:|file:/|\.[cm]?[jt]s:\d`,
    String.raw`mongo|bson|\bE11000\b|dup key|duplicate key|cast to|aggregat(e|ion) (command|pipeline)|WiredTiger|secantus`,
    'TypeError|RangeError|SyntaxError|ReferenceError|undefined is|is not a function|cannot read prop',
    String.raw`grpc-js|protobuf|\b(zod|pino|jose|heap)\b|handlebars|nodemailer|bcrypt|ECONN|ENOENT|stack size`,
  ].join('|'),
  'i',
);

/** Tokens that a caller sent and reads again are letters of any order. */
const TOKEN = /eyJ[\w.-]+/g;

/** Statuses that no input may bring about: nothing is broken, late or unavailable here. */
const NEVER = new Set([
  status.UNKNOWN,
  status.UNIMPLEMENTED,
  status.DEADLINE_EXCEEDED,
  status.UNAVAILABLE,
  status.DATA_LOSS,
  status.ABORTED,
  status.CANCELLED,
]);

/** Settings without the limits that would hide everything behind them; what they do is tested elsewhere. */
export const UNHINDERED = {
  SIGN_IN_ATTEMPTS: '100',
  SIGN_IN_ATTEMPTS_PER_PEER: '1000000',
  MAIL_LIMIT_PER_HOUR: '10000',
  RESET_PASSWORD_STRICT: 'true',
};

/** Judges refusals of one service. */
export class Judge {
  /** @param collections names of collections that are no words of the API */
  private constructor(private readonly collections: RegExp | undefined) {}

  static async of(service: Service): Promise<Judge> {
    const stored = await service.app.rooms.mongo.connection.db!.listCollections().toArray();
    const api = JSON.stringify([...registry].map((type) => type.toString())).toLowerCase();
    const inner = stored.map(({ name }) => name).filter((name) => !api.includes(name.toLowerCase()));
    return new Judge(inner.length > 0 ? new RegExp(`\\b(${inner.join('|')})\\b`) : undefined);
  }

  /** What is wrong with a refusal, or undefined. */
  ofError(error: unknown): string | undefined {
    if (!isServiceError(error)) return `the answer is no message: ${String(error)}`;
    const { code, details, metadata } = error;
    const [reason = ''] = /^ERROR_\w+/.exec(details) ?? [];
    const told = reason || reasonIn(metadata.get('grpc-status-details-bin')[0]);
    if (NEVER.has(code)) return `${status[code]} is never an answer to an input`;
    if (told === 'ERROR_UNKNOWN') return 'ERROR_UNKNOWN: something broke inside';
    if (code === status.INTERNAL && !KNOWN_INTERNAL.test(told))
      return 'INTERNAL is never an answer to an input';
    return this.ofText(details) ?? this.ofText(String(metadata.get('grpc-status-details-bin')[0] ?? ''));
  }

  /** What is wrong with an error over REST, or undefined. */
  ofRest(http: number, body: unknown): string | undefined {
    const text = JSON.stringify(body);
    const reason = (body as { detail?: { code?: string } } | undefined)?.detail?.code ?? '';
    if (http >= 500 && !KNOWN_INTERNAL.test(reason)) return `HTTP ${http} is never an answer to an input`;
    if (text.includes('ERROR_UNKNOWN')) return 'ERROR_UNKNOWN: something broke inside';
    return this.ofText(text);
  }

  /** What is wrong with a text that a caller reads, or undefined. */
  ofText(text: string): string | undefined {
    const said = text.replace(TOKEN, '');
    const found = INNER.exec(said) ?? this.collections?.exec(said);
    return found ? `the text tells of the inside: ${found[0].trim()}` : undefined;
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;
}

/** The reason of an error whose text is worded for another family of clients. */
function reasonIn(details: string | Buffer | undefined): string {
  return /ERROR_[A-Z0-9_]+/.exec(details?.toString('latin1') ?? '')?.[0] ?? '';
}
