import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { writeFileAtomic } from '../../base/files.ts';
import { readOnlyError } from '../../base/paths.ts';
import { hostName } from '../hosts.ts';
import { authorityFiles } from './authorityFiles.ts';
import { createCertificate, restrictions } from './certificate.ts';
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
  /** A server certificate for one permitted host, made once per host and again when it is not valid at this time. */
  contextFor(host: string): SecureContext;
  /**
   * Widens the constraints: the certificate is renewed with the same key, so who trusts the old one still can. So it is
   * when the time has left it behind. Files that were deleted meanwhile are there again afterwards.
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

  async function update(more: readonly string[]): Promise<void> {
    const added = more.filter(host => isName(host) && !permitted.has(host));
    if (added.length === 0 && isCurrent(new X509Certificate(state.pem))) return;
    const wider = new Set([...permitted, ...added]);
    state = await renew(state.keys, wider);
    permitted = wider;
    contexts.clear();
    await writeBundle();
  }

  const serverKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serverKeyPem = serverKeys.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const contexts = new Map<string, { context: SecureContext; madeAt: number }>();

  /** One after the other: who is told that its host is permitted must find it in the files. */
  function inTurn(change: () => Promise<void>): Promise<void> {
    const renewal = renewals.then(change);
    renewals = renewal.catch(() => undefined);
    return renewal;
  }

  return {
    caFile,
    bundleFile,
    contextFor(host) {
      const now = Date.now();
      const known = contexts.get(host);
      // One that was made later than now is of a clock that was ahead.
      if (known !== undefined && known.madeAt <= now && now < known.madeAt + (serverDays - 1) * dayMs) {
        return known.context;
      }
      // Where it is time for a new one, it may be for a new authority too. A failure is told to the next launch.
      inTurn(() => update([])).catch(() => undefined);
      const cert = createCertificate({
        commonName: host,
        publicKey: serverKeys.publicKey,
        issuer: { commonName: authorityName, ...state.keys },
        days: serverDays,
        role: { kind: 'server', hosts: [host] },
      });
      const context = createSecureContext({ key: serverKeyPem, cert: cert + state.pem, minVersion: 'TLSv1.2' });
      contexts.set(host, { context, madeAt: now });
      return context;
    },
    permit(more) {
      return inTurn(async () => {
        await restore();
        await update(more);
      });
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
  return isCurrent(certificate) && certificate.raw.includes(restrictions([...hosts]));
}

/** Whether a certificate lasts for a while. One that was made while the clock was ahead is not valid yet. */
function isCurrent({ validFrom, validTo }: X509Certificate): boolean {
  const now = Date.now();
  return Date.parse(validFrom) <= now && Date.parse(validTo) - now > renewBeforeDays * dayMs;
}
