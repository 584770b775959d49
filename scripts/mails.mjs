// Writes every mail in every language to .data/mails, to be looked at in a browser.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installPackages } from './launch/packages.mjs';

await installPackages();
const { register } = await import('tsx/esm/api');
register();
const { MailRenderer } = await import('../src/managers/mail-renderer.ts');
const { readConfig } = await import('../src/config.ts');
const { mailTemplates } = await import('../src/templates/mail-texts.ts');
const { sampleMail, sampleTime } = await import('../test/mail/samples.ts');

const languages = ['en', 'ko', 'ja'];
const folder = new URL('../.data/mails/', import.meta.url);
// The look follows the environment; what mails do not need has any value that passes.
const renderer = new MailRenderer(
  readConfig({
    MONGODB_URI: 'mongodb://unused',
    SERVICE_KEY: Buffer.alloc(32).toString('base64'),
    ...process.env,
  }),
);
mkdirSync(folder, { recursive: true });

const rows = mailTemplates.map((template) => {
  const cells = languages.map((language) => {
    const mail = renderer.render(sampleMail(template, language), sampleTime);
    const name = `${template}_${language}`;
    writeFileSync(new URL(`${name}.html`, folder), mail.html);
    writeFileSync(new URL(`${name}.txt`, folder), `Subject: ${mail.subject}\n\n${mail.text}`);
    return `<td><a href="${name}.html">${mail.subject}</a> · <a href="${name}.txt">text</a></td>`;
  });
  return `<tr><th>${template}</th>${cells.join('')}</tr>`;
});
const style = 'body{font:15px/1.6 system-ui;margin:32px}td,th{padding:6px 16px 6px 0;text-align:left}';
writeFileSync(
  new URL('index.html', folder),
  `<!doctype html><meta charset="utf-8"><title>Mails</title><style>${style}</style><h1>Mails</h1><table>${rows.join('\n')}</table>\n`,
);
console.log(
  `${mailTemplates.length * languages.length} mails written. Open ${fileURLToPath(new URL('index.html', folder))}`,
);
