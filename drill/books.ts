import { setTimeout as sleep } from 'node:timers/promises';
import bcrypt from 'bcrypt';
import mongoose from 'mongoose';
import type { Stack } from './stack.js';
import type { Ledger } from './work.js';

/** What is in the database and at the mail server, compared with what callers were told. */
export interface Books {
  /** Acknowledged writes that are not there. */
  lost: string[];
  /** Users of which something is missing, or something without its user. */
  halfMade: string[];
  /** Invited users who got no mail, after all were sent. */
  unsent: string[];
  /** Mails that came again, by Message-ID. */
  doubled: number;
  mails: number;
}

const MAIL_MS = 60_000;
const OURS = { $regex: '@drill[.]example$' };

/** Compares once the queue of mails is empty, or it takes too long. */
export async function compare(stack: Stack, ledger: Ledger): Promise<Books> {
  const client = await mongoose.mongo.MongoClient.connect(stack.uri);
  try {
    const database = client.db();
    await emptyQueue(database);
    const stored = await read(database);
    const lost = [...ledger.created]
      .filter((user_id) => !stored.users.has(user_id))
      .concat(await lostChanges(database, ledger));
    return { lost, halfMade: await halfMade(database, stored, stack), ...mails(stack, stored) };
  } finally {
    await client.close();
  }
}

type Database = mongoose.mongo.Db;
type Stored = Awaited<ReturnType<typeof read>>;

async function emptyQueue(database: Database): Promise<void> {
  const end = Date.now() + MAIL_MS;
  while (Date.now() < end && (await database.collection('outbox').countDocuments({ state: 'QUEUED' })) > 0)
    await sleep(250);
}

async function read(database: Database) {
  const ids = async (collection: string, field: string, filter: object) => {
    const rows = await database
      .collection(collection)
      .find(filter, { projection: { [field]: 1 } })
      .toArray();
    return rows.map((row) => String(row[field]));
  };
  const target = { target_id: OURS };
  return {
    users: new Set(await ids('user', 'user_id', { user_id: OURS })),
    withRole: new Set(await ids('user', 'user_id', { user_id: OURS, 'memberships.0': { $exists: true } })),
    bindings: await ids('role_binding', 'user_id', { user_id: OURS }),
    created: await ids('audit_record', 'target_id', { ...target, action: 'user.create' }),
    granted: await ids('audit_record', 'target_id', { ...target, action: 'role.grant' }),
    invitations: await database
      .collection('outbox')
      .countDocuments({ template: 'reset_pwd_link_when_user_added' }),
  };
}

async function halfMade(database: Database, stored: Stored, { seeded }: Stack): Promise<string[]> {
  const { users } = stored;
  const wrong: string[] = [];
  const parts = { bindings: stored.bindings, created: stored.created, granted: stored.granted };
  for (const [part, ids] of Object.entries(parts)) {
    const having = new Set(ids);
    for (const id of users) if (!having.has(id)) wrong.push(`${id} without ${part}`);
    for (const id of having) if (!users.has(id)) wrong.push(`${part} without user ${id}`);
    if (ids.length !== having.size) wrong.push(`${ids.length - having.size} ${part} twice`);
  }
  for (const id of users) if (!stored.withRole.has(id)) wrong.push(`${id} without role`);
  const invited = [...users].filter((id) => id.startsWith('invited')).length;
  if (invited !== stored.invitations) wrong.push(`${invited} invited, ${stored.invitations} invitations`);
  const { workspace_id } = seeded;
  const counted = await database.collection('workspace').findOne({ workspace_id });
  const members = await database
    .collection('user')
    .countDocuments({ 'memberships.workspace_id': workspace_id });
  if (counted?.['user_count'] !== members)
    wrong.push(`${members} members, counted ${counted?.['user_count']}`);
  return wrong;
}

/** Changes that were acknowledged and are not in force; one that came after them may be. */
async function lostChanges(database: Database, ledger: Ledger): Promise<string[]> {
  const lost: string[] = [];
  const users = database.collection('user');
  for (const [user_id, { sure, maybe }] of ledger.names) {
    const name = String((await users.findOne({ user_id }))?.['name']);
    if (sure && name !== sure && !maybe.has(name)) lost.push(`name of ${user_id}: ${name}, not ${sure}`);
  }
  for (const [user_id, { sure, maybe }] of ledger.passwords) {
    const hash = String((await users.findOne({ user_id }))?.['password']);
    const fits = [sure, ...maybe].some((password) => bcrypt.compareSync(password, hash));
    if (!fits) lost.push(`password of ${user_id}`);
  }
  return lost;
}

function mails({ sink }: Stack, { users }: Stored): Pick<Books, 'unsent' | 'doubled' | 'mails'> {
  const ids = new Set(sink.mails.map(({ messageId }) => messageId));
  const reached = new Set(sink.mails.flatMap(({ to }) => to));
  const unsent = [...users].filter((id) => id.startsWith('invited') && !reached.has(id));
  return { unsent, doubled: sink.mails.length - ids.size, mails: ids.size };
}
