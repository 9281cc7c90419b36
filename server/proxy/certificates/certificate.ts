import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bits, explicit, implicit, integer, octets, oid, sequence, set, time, utf8, yes } from './der.ts';

/** X.509 v3 certificates with P-256 keys (RFC 5280), written so that `openssl verify -x509_strict` takes them. */
export interface CertificateSpec {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly issuer: { readonly commonName: string; readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly days: number;
  readonly role: AuthorityRole | ServerRole;
}

interface AuthorityRole {
  readonly kind: 'authority';
  /** DNS names (with their subdomains) it may sign for, and no IP address; null for any name. */
  readonly permitted: readonly string[] | null;
}

interface ServerRole {
  readonly kind: 'server';
  readonly hosts: readonly string[];
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
const dayMs = 86_400_000;

/** @returns PEM */
export function createCertificate(spec: CertificateSpec): string {
  const now = Date.now();
  const serial = randomBytes(16);
  serial[0] = (serial.readUInt8(0) & 0x7f) | 0x40;
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    name(spec.issuer.commonName),
    // A day back: clocks of containers and machines differ.
    sequence(time(new Date(now - dayMs)), time(new Date(now + spec.days * dayMs))),
    hasCommonName(spec) ? name(spec.commonName) : sequence(),
    spkiOf(spec.publicKey),
    explicit(3, sequence(...extensions(spec))),
  );
  const signature = sign('sha256', body, spec.issuer.privateKey);
  const der = sequence(body, ecdsaWithSha256, bits(signature));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** A name as it stands in a certificate's name constraints and alternative names. */
function generalName(host: string): Buffer {
  return isIP(host) === 0 ? implicit(2, Buffer.from(host, 'latin1')) : implicit(7, addressBytes(host));
}

/**
 * What keeps an authority to TLS servers of these names (RFC 5280 §4.2.1.10 and §4.2.1.12), as it stands in its
 * certificate: the same bytes for the same names, in whatever order.
 */
export function restrictions(permitted: readonly string[]): Buffer {
  const subtrees = [...permitted].sort().map(host => sequence(generalName(host)));
  const excluded = noAddresses.map(subtree => sequence(subtree));
  const names = sequence(explicit(0, ...subtrees), explicit(1, ...excluded));
  return Buffer.concat([serverUse, extension('2.5.29.30', true, names)]);
}

/** A zero mask is every address: without it a DNS-only list leaves addresses unconstrained. */
const noAddresses = [implicit(7, Buffer.alloc(8)), implicit(7, Buffer.alloc(32))];

const serverUse = extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1')));

function extensions(spec: CertificateSpec): Buffer[] {
  const { role, publicKey, issuer } = spec;
  const common = [
    extension('2.5.29.14', false, octets(keyIdentifier(publicKey))),
    extension('2.5.29.35', false, sequence(implicit(0, keyIdentifier(issuer.publicKey)))),
  ];
  if (role.kind === 'server') {
    return [
      ...common,
      extension('2.5.29.19', true, sequence()),
      extension('2.5.29.15', true, bits(Buffer.from([0x80]), 7)),
      serverUse,
      // Critical where it is the only name (RFC 5280 §4.2.1.6).
      extension('2.5.29.17', !hasCommonName(spec), sequence(...role.hosts.map(generalName))),
    ];
  }
  const authority = [
    ...common,
    extension('2.5.29.19', true, sequence(yes(), integer(Buffer.from([0])))),
    extension('2.5.29.15', true, bits(Buffer.from([0x06]), 1)),
  ];
  return role.permitted === null ? authority : [...authority, restrictions(role.permitted)];
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return critical ? sequence(oid(id), yes(), octets(value)) : sequence(oid(id), octets(value));
}

/** A host name may be longer than a common name (64 characters, RFC 5280 appendix A.1). */
function hasCommonName({ commonName }: CertificateSpec): boolean {
  return commonName.length <= 64;
}

function name(commonName: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), utf8(commonName))));
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** SHA-1 of the key's bits (RFC 5280 §4.2.1.2, method 1); a P-256 point is the last 65 bytes. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1').update(spkiOf(key).subarray(-65)).digest();
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const middle = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return Buffer.from([...front, ...middle, ...back].map(group => group.padStart(4, '0')).join(''), 'hex');
}
