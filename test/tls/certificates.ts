import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** Files of a certificate and its key, and what is in them. */
export interface Certificate {
  certFile: string;
  keyFile: string;
  cert: string;
  key: string;
}

/** An authority that signs certificates, made on the spot; everything is in a folder of its own. */
export interface Authority extends Certificate {
  /** A certificate for these names: host names and 127.0.0.1, and for callers as well as for servers. */
  issue(name: string): Promise<Certificate>;
  /** Signs a new one into the files of an earlier one. */
  renew(earlier: Certificate, name: string): Promise<Certificate>;
  close(): Promise<void>;
}

/** Makes an authority; nobody trusts it but who is told to. */
export async function anAuthority(name = 'Test authority'): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'identity-tls-'));
  const write = async (to: string, pair: { cert: string; private: string }): Promise<Certificate> => {
    const written = { certFile: `${to}.crt`, keyFile: `${to}.key`, cert: pair.cert, key: pair.private };
    await writeFile(written.certFile, pair.cert);
    await writeFile(written.keyFile, pair.private, { mode: 0o600 });
    return written;
  };
  const own = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const authority = await write(join(folder, 'authority'), own);
  const sign = async (to: string, subject: string): Promise<Certificate> =>
    write(to, await signed(subject, authority));
  let issued = 0;
  return {
    ...authority,
    issue: (subject) => sign(join(folder, `issued-${(issued += 1)}`), subject),
    renew: (earlier, subject) => sign(earlier.certFile.replace(/\.crt$/, ''), subject),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

function signed(name: string, { cert, key }: Certificate): Promise<{ cert: string; private: string }> {
  return generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: { cert, key },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
}
