import type { ForgeableService } from '../forge.js';
import { DOCUMENTED_DOMAIN, DOCUMENTED_USER } from './requests.js';

/** Makes the printed code the right one for the flow that is open, as if it had been the one that was mailed. */
export async function expectPrintedCode(
  { service, cipher }: ForgeableService,
  purpose: 'MFA',
  code: string,
): Promise<void> {
  const codes = service.app.rooms.mongo.connection.collection('pending_code');
  const key = { domain_id: DOCUMENTED_DOMAIN, user_id: DOCUMENTED_USER, purpose };
  const { address } = (await codes.findOne(key)) as unknown as { address: string };
  const bound = JSON.stringify([DOCUMENTED_DOMAIN, DOCUMENTED_USER, address, code]);
  await codes.updateOne(key, { $set: { code_mac: cipher.mac(`code:${purpose}`, bound) } });
}
