import type { Service } from './harness.js';

const CODE = /^\s*(\d{6})\s*$/m;
const LINK = /https?:\/\/\S+sso_access_token=\S+/;
const PASSWORD = /^\s{2,}([A-Za-z0-9]{12})\s*$/m;

/** The code in the next mail to the address that holds one. */
export async function mailedCode(service: Service, address: string): Promise<string> {
  return (await found(service, address, CODE))[1]!;
}

/** The link in the next mail to the address that holds one, and its token. */
export async function mailedLink(service: Service, address: string): Promise<{ link: URL; token: string }> {
  const link = new URL((await found(service, address, LINK))[0]);
  return { link, token: link.searchParams.get('sso_access_token')! };
}

/** The temporary password in the next mail to the address that holds one. */
export async function mailedPassword(service: Service, address: string): Promise<string> {
  return (await found(service, address, PASSWORD))[1]!;
}

/** How many mails came to the address once nothing is queued any more. */
export async function mailsTo(service: Service, address: string): Promise<number> {
  const { mongo, delivery } = service.app.rooms;
  const outbox = mongo.connection.collection('outbox');
  while ((await outbox.countDocuments({ state: 'QUEUED' })) > 0) {
    delivery.wake();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return service.sink.mails.filter(({ to }) => to.includes(address)).length;
}

/** A code that is not the given one. */
export function wrongCode(code: string): string {
  return code === '111111' ? '222222' : '111111';
}

async function found(service: Service, address: string, pattern: RegExp): Promise<RegExpExecArray> {
  const mail = await service.sink.waitFor(({ to, text }) => to.includes(address) && pattern.test(text));
  return pattern.exec(mail.text)!;
}
