import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificate } from '../../server/proxy/certificates/certificate.ts';

export interface TestAuthority {
  /** PEM file of the authority. */
  readonly caFile: string;
  issue(...hosts: string[]): { key: string; cert: string };
  dispose(): void;
}

/** A certificate authority that no one trusts, for fake upstreams. `days` < 0 issues expired certificates. */
export function testAuthority(days = 2): TestAuthority {
  const directory = mkdtempSync(join(tmpdir(), 'coach-ca-'));
  const caFile = join(directory, 'ca.pem');
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = { commonName: 'Test authority', ...keys };
  const caPem = createCertificate({
    commonName: issuer.commonName,
    publicKey: keys.publicKey,
    issuer,
    days: 2,
    role: { kind: 'authority', permitted: null },
  });
  writeFileSync(caFile, caPem);
  return {
    caFile,
    issue(...hosts) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const cert = createCertificate({
        commonName: hosts[0] ?? 'nobody',
        publicKey: own.publicKey,
        issuer,
        days,
        role: { kind: 'server', hosts },
      });
      return { key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: cert + caPem };
    },
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  };
}
