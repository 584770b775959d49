import { randomUUID } from 'node:crypto';
import mongoose from 'mongoose';
import { databaseServer } from '../../database.js';
import type { Records } from '../../../src/connectors/mongo.js';
import type { Filter, Query, StatisticsQuery } from '../../../src/gen/spaceone/api/core/v2/query.js';
import { Query as QueryMessage } from '../../../src/gen/spaceone/api/core/v2/query.js';
import { StatisticsQuery as StatisticsMessage } from '../../../src/gen/spaceone/api/core/v2/query.js';

export const NOW = new Date('2026-11-25T10:20:30.400Z'); // a Wednesday
export const CONTEXT = { now: NOW, maxRows: 1000 };
export const SCOPE = { domain_id: 'domain-1', 'memberships.workspace_id': 'workspace-1' };
const DAY_MS = 86_400_000;

/** A query as it is after decoding: everything that is not given has its empty value. */
export function aQuery(parts: Partial<Query>): Query {
  return { ...QueryMessage.fromPartial({}), ...parts };
}

/** A statistics query as it is after decoding. */
export function aStatisticsQuery(
  parts: Parameters<typeof StatisticsMessage.fromPartial>[0],
): StatisticsQuery {
  return StatisticsMessage.fromPartial(parts);
}

/** A condition in short names. */
export const where = (k: string, o: string, v?: unknown): Filter => ({ k, o, v });

export interface Person {
  user_id: string;
  name: string;
  state: string;
  email: string;
  email_verified: boolean;
  auth_type: string;
  role_type: string;
  language: string;
  timezone: string;
  mfa?: { state: string; mfa_type: string; options: object };
  required_actions: string[];
  refresh_timeout?: number;
  tags: Record<string, unknown>;
  domain_id: string;
  memberships: object[];
  created_at: Date;
  last_accessed_at?: Date;
  password: string;
}

/** The person of that number; every field varies, some are missing. */
export function person(index: number): Person {
  const number = String(index).padStart(3, '0');
  return {
    user_id: `user-${number}@${index % 3 ? 'example.com' : 'x.io'}`,
    name: ['Ann', 'Bob', 'Olga (Owner)', '한지민', 'ann.b'][index % 5]! + (index % 2 ? ` ${number}` : ''),
    state: ['ENABLED', 'PENDING', 'DISABLED'][index % 3]!,
    email: index % 7 ? `person.${number}@mail.example.com` : '',
    email_verified: index % 4 === 0,
    auth_type: index % 6 ? 'LOCAL' : 'EXTERNAL',
    role_type: index % 50 ? 'USER' : 'DOMAIN_ADMIN',
    language: ['en', 'ko', 'ja'][index % 3]!,
    timezone: index % 2 ? 'UTC' : 'Asia/Seoul',
    ...(index % 5 === 0 && {
      mfa: { state: 'ENABLED', mfa_type: 'OTP', options: { user_secret_id: 'secret' } },
    }),
    required_actions: [[], ['UPDATE_PASSWORD'], ['UPDATE_PASSWORD', 'ENFORCE_MFA']][index % 3]!,
    ...(index % 10 === 0 && { refresh_timeout: 1800 + index * 60 }),
    tags: {
      ...(index % 2 && { team: `team-${index % 4}`, level: index % 8 }),
      ...(index % 8 === 0 && { teams: [{ id: index % 3, lead: true }, { id: 7 }], numbers: [1, index] }),
    },
    domain_id: 'domain-1',
    memberships: [
      { workspace_id: index % 25 ? 'workspace-1' : 'workspace-2', role_type: 'WORKSPACE_MEMBER' },
    ],
    created_at: new Date(NOW.getTime() - index * DAY_MS),
    ...(index % 3 && { last_accessed_at: new Date(NOW.getTime() - index * 3_600_000) }),
    password: '$2b$12$secret',
  };
}

export const PEOPLE = Array.from({ length: 200 }, (_, index) => person(index));
/** The people that the scope covers. */
export const MEMBERS = PEOPLE.filter((_, index) => index % 25 !== 0);

/** A database of its own that holds the people, indexed as users are. */
export async function storePeople(): Promise<{ people: Records<Person>; close: () => Promise<void> }> {
  const connection = mongoose.createConnection(databaseServer(), { dbName: `query-${randomUUID()}` });
  await connection.asPromise();
  const people = connection.db!.collection('people') as unknown as Records<Person>;
  await people.insertMany(PEOPLE);
  for (const key of ['name', 'email', 'created_at']) {
    await people.createIndex({ domain_id: 1, 'memberships.workspace_id': 1, [key]: 1, user_id: 1 });
  }
  const close = async () => {
    await connection.dropDatabase();
    await connection.close();
  };
  return { people, close };
}
