import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { writeFileAtomic } from '../base/files.ts';
import { readOnlyError } from '../base/paths.ts';
import { createCertificate, restrictions } from './certificate.ts';
import { hostName } from './hosts.ts';
import { systemRoots } from './roots.ts';

const authorityName = 'Codex Coach local recording CA';
const authorityDays = 825;
const renewBeforeDays = 30;
const serverDays = 30;
const dayMs = 86_400_000;

/**
 * The local certificate authority. Its key never leaves its 0600 file and this process; critical name constraints
 * keep it from signing for anything but the intercepted hosts, even if it is stolen.
 */
export interface Authority {
  readonly caFile: string;
  /** The system's roots with ours: for programs that replace their roots by one file. */
  readonly bundleFile: string;
  /** A server certificate for one permitted host, made once per host. */
  contextFor(host: string): SecureContext;
  /**
   * Widens the constraints: the certificate is renewed with the same key, so who trusts the old one still can. Files
   * that were deleted meanwhile are there again afterwards.
   */
  permit(hosts: readonly string[]): Promise<void>;
}

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

interface AuthorityState {
  readonly keys: KeyPair;
  readonly pem: string;
}

export function authorityFiles(directory: string): { caFile: string; keyFile: string; bundleFile: string } {
  return {
    caFile: join(directory, 'ca.pem'),
    keyFile: join(directory, 'ca.key'),
    bundleFile: join(directory, 'bundle.pem'),
  };
}

/** Opens the authority in `directory` (0700), and makes or renews it where needed. @throws CoachError `disk.readOnly` */
export async function openAuthority(
  directory: string,
  hosts: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Authority> {
  const { caFile, keyFile, bundleFile } = authorityFiles(directory);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
  } catch (cause) {
    throw readOnlyError(directory, cause);
  }
  let permitted = new Set(hosts.filter(isName));
  const kept = readState(caFile, keyFile);
  let state = kept !== null && fits(kept.pem, permitted) ? kept : await renew(kept?.keys ?? null, permitted);
  await writeBundle();
  let renewals: Promise<void> = Promise.resolve();

  async function renew(oldKeys: KeyPair | null, names: ReadonlySet<string>): Promise<AuthorityState> {
    const keys = oldKeys ?? generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = createCertificate({
      commonName: authorityName,
      publicKey: keys.publicKey,
      issuer: { commonName: authorityName, ...keys },
      days: authorityDays,
      role: { kind: 'authority', permitted: [...names] },
    });
    if (oldKeys === null) {
      await writeFileAtomic(keyFile, keys.privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
    }
    await writeFileAtomic(caFile, pem);
    return { keys, pem };
  }

  /** For who deleted them under us: a launch names these files. */
  async function restore(): Promise<void> {
    if ([caFile, keyFile, bundleFile].every(file => existsSync(file))) return;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    await writeFileAtomic(keyFile, state.keys.privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
    await writeFileAtomic(caFile, state.pem);
    await writeBundle();
  }

  function writeBundle(): Promise<void> {
    return writeFileAtomic(bundleFile, `${systemRoots(env).join('\n')}\n${state.pem}`);
  }

  async function widen(more: readonly string[]): Promise<void> {
    const added = more.filter(host => isName(host) && !permitted.has(host));
    if (added.length === 0) return;
    const wider = new Set([...permitted, ...added]);
    state = await renew(state.keys, wider);
    permitted = wider;
    contexts.clear();
    await writeBundle();
  }

  const serverKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serverKeyPem = serverKeys.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const contexts = new Map<string, { context: SecureContext; expiresAt: number }>();

  return {
    caFile,
    bundleFile,
    contextFor(host) {
      const known = contexts.get(host);
      if (known !== undefined && known.expiresAt > Date.now()) return known.context;
      const cert = createCertificate({
        commonName: host,
        publicKey: serverKeys.publicKey,
        issuer: { commonName: authorityName, ...state.keys },
        days: serverDays,
        role: { kind: 'server', hosts: [host] },
      });
      const context = createSecureContext({ key: serverKeyPem, cert: cert + state.pem, minVersion: 'TLSv1.2' });
      contexts.set(host, { context, expiresAt: Date.now() + (serverDays - 1) * dayMs });
      return context;
    },
    permit(more) {
      // One after the other: who is told that its host is permitted must find it in the files.
      const renewal = renewals.then(() => restore()).then(() => widen(more));
      renewals = renewal.catch(() => undefined);
      return renewal;
    },
  };
}

/**
 * Addresses stay excluded: no certificate is needed where a base URL leads. What is no host name must not get into the
 * constraints: strict readers would take no certificate of ours.
 */
function isName(host: string): boolean {
  return isIP(host) === 0 && hostName(host) === host;
}

/** Null when there is none or its files do not fit each other. */
function readState(caFile: string, keyFile: string): AuthorityState | null {
  try {
    const pem = readFileSync(caFile, 'utf8');
    const privateKey = createPrivateKey(readFileSync(keyFile));
    chmodSync(keyFile, 0o600);
    if (!new X509Certificate(pem).checkPrivateKey(privateKey)) return null;
    return { keys: { privateKey, publicKey: createPublicKey(privateKey) }, pem };
  } catch {
    return null;
  }
}

/** Whether a certificate lasts for a while and permits these hosts and no others. */
function fits(pem: string, hosts: ReadonlySet<string>): boolean {
  const certificate = new X509Certificate(pem);
  const now = Date.now();
  // One that was made while the clock was ahead is not valid yet.
  const current =
    Date.parse(certificate.validFrom) <= now && Date.parse(certificate.validTo) - now > renewBeforeDays * dayMs;
  return current && certificate.raw.includes(restrictions([...hosts]));
}
