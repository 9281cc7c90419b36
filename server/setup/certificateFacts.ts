import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { authorityFiles } from '../proxy/certificates/authorityFiles.ts';

/** What is in the certificate that we made, and how its key is kept. */
export interface CertificateFacts {
  readonly caFile: string;
  readonly keyFile: string;
  readonly bundleFile: string;
  readonly commonName: string;
  readonly fingerprint: string;
  readonly validFrom: Date;
  readonly validTo: Date;
  /** Names that it may sign for; null when nothing constrains it. */
  readonly permitted: readonly string[] | null;
  /** Whoever does not understand the constraints must refuse the certificate. */
  readonly constraintsCritical: boolean;
  readonly keyFits: boolean;
  /** Permission bits of the key and of its directory. */
  readonly keyMode: number;
  readonly directoryMode: number;
}

/** Null while no certificate has been made. @throws Error when its files can't be read */
export function certificateFacts(directory: string): CertificateFacts | null {
  const { caFile, keyFile, bundleFile } = authorityFiles(directory);
  if (!existsSync(caFile)) return null;
  const certificate = new X509Certificate(readFileSync(caFile));
  const constraints = nameConstraints(certificate.raw);
  return {
    caFile,
    keyFile,
    bundleFile,
    commonName: /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? certificate.subject,
    fingerprint: certificate.fingerprint256,
    validFrom: new Date(certificate.validFrom),
    validTo: new Date(certificate.validTo),
    permitted: constraints?.permitted ?? null,
    constraintsCritical: constraints?.critical ?? false,
    keyFits: certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile))),
    keyMode: statSync(keyFile).mode & 0o777,
    directoryMode: statSync(directory).mode & 0o777,
  };
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** Offset after it. */
  readonly end: number;
}

/** The permitted DNS names of the extension 2.5.29.30 (RFC 5280 §4.2.1.10), which Node's own class leaves out. */
function nameConstraints(der: Buffer): { permitted: string[]; critical: boolean } | null {
  const id = Buffer.from('0603551d1e', 'hex');
  const at = der.indexOf(id);
  if (at < 0) return null;
  const next = elementAt(der, at + id.length);
  const critical = next.tag === 0x01 && next.content[0] !== 0;
  const value = next.tag === 0x01 ? elementAt(der, next.end) : next;
  const trees = childrenOf(elementAt(value.content, 0).content);
  const permitted = trees
    .filter(({ tag }) => tag === 0xa0)
    .flatMap(({ content }) => childrenOf(content))
    .flatMap(({ content }) => childrenOf(content))
    .filter(({ tag }) => tag === 0x82)
    .map(({ content }) => content.toString('latin1'));
  return { permitted, critical };
}

function childrenOf(content: Buffer): Element[] {
  const children: Element[] = [];
  for (let at = 0; at < content.length; ) {
    const child = elementAt(content, at);
    children.push(child);
    at = child.end;
  }
  return children;
}

function elementAt(der: Buffer, at: number): Element {
  const tag = der.readUInt8(at);
  const first = der.readUInt8(at + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
  const start = at + 2 + lengthBytes;
  return { tag, content: der.subarray(start, start + length), end: start + length };
}
