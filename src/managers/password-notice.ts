import type { Tx } from '../connectors/mongo.js';
import type { User } from '../models/user.js';
import type { Mails } from './mail.js';
import { provenAddress } from './proven-address.js';

/** Tells the owner of an account, at the proven address if there is one, that the password was changed. */
export async function tellOfPassword(tx: Tx, mails: Mails, user: User, changed_at: Date): Promise<void> {
  const to = provenAddress(user);
  if (!to) return;
  const { language, timezone } = user;
  await mails.put(tx, { template: 'password_changed', to, language, values: { changed_at, timezone }, user });
}
