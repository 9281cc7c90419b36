import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openAuthority } from '../../../../server/proxy/certificates/authority.ts';
import { createCertificate } from '../../../../server/proxy/certificates/certificate.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const hosts = ['api.openai.com', 'chatgpt.com'];

/** Whether openssl, strictly, takes a certificate for `names` that was signed with the authority's own key. */
function opensslTakes(directory: string, names: string[]): boolean {
  const { createPrivateKey, createPublicKey } = process.getBuiltinModule('node:crypto');
  const privateKey = createPrivateKey(readFileSync(join(directory, 'ca.key')));
  const subject = new X509Certificate(readFileSync(join(directory, 'ca.pem'))).subject.replace('CN=', '');
  const pem = createCertificate({
    commonName: names[0] ?? '',
    publicKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
    issuer: { commonName: subject, privateKey, publicKey: createPublicKey(privateKey) },
    days: 1,
    role: { kind: 'server', hosts: names },
  });
  const file = join(directory, 'leaf.pem');
  writeFileSync(file, pem);
  try {
    execFileSync('openssl', ['verify', '-x509_strict', '-CAfile', join(directory, 'ca.pem'), file], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

describe('the certificate authority', () => {
  it('has its files again at the next launch when somebody has deleted them', async () => {
    const directory = join(temporaryDirectory(), 'ca');
    const authority = await openAuthority(directory, hosts, {});
    const before = ['ca.pem', 'ca.key', 'bundle.pem'].map(name => readFileSync(join(directory, name), 'utf8'));
    rmSync(directory, { recursive: true });
    await authority.permit([]);
    const after = ['ca.pem', 'ca.key', 'bundle.pem'].map(name => readFileSync(join(directory, name), 'utf8'));
    expect(after).toEqual(before);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'ca.key')).mode & 0o777).toBe(0o600);
  });

  it('keeps its key to its owner', async () => {
    const directory = join(temporaryDirectory(), 'ca');
    await openAuthority(directory, hosts, {});
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'ca.key')).mode & 0o777).toBe(0o600);
  });

  it('keeps its key to its owner also where files are made for everyone', async () => {
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const directory = join(temporaryDirectory(), 'ca');
    const authority = await openAuthority(directory, hosts, {});
    await authority.permit(['api.example.com']);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'ca.key')).mode & 0o777).toBe(0o600);
  });

  it('says about itself what strict readers ask for', async () => {
    const directory = temporaryDirectory();
    const { caFile } = await openAuthority(directory, hosts, {});
    const text = execFileSync('openssl', ['x509', '-in', caFile, '-noout', '-text'], { encoding: 'utf8' });
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(text).toMatch(/Extended Key Usage: \s+TLS Web Server Authentication/);
    expect(text).toMatch(
      /Name Constraints: critical\s+Permitted:\s+DNS:api\.openai\.com\s+DNS:chatgpt\.com\s+Excluded:/,
    );
    expect(text).toContain('IP:0.0.0.0/0.0.0.0');
    expect(text).toContain('IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0');
    expect(text).toContain('Subject Key Identifier');
    expect(text).toContain('Authority Key Identifier');
    const { serialNumber } = new X509Certificate(readFileSync(caFile));
    expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  it('can sign for the intercepted hosts and for nothing else, even in other hands', async () => {
    const directory = temporaryDirectory();
    await openAuthority(directory, hosts, {});
    expect(opensslTakes(directory, ['api.openai.com'])).toBe(true);
    expect(opensslTakes(directory, ['bank.com'])).toBe(false);
    expect(opensslTakes(directory, ['openai.com'])).toBe(false);
    expect(opensslTakes(directory, ['api.openai.com.evil.example'])).toBe(false);
    expect(opensslTakes(directory, ['::1'])).toBe(false);
    expect(opensslTakes(directory, ['127.0.0.1'])).toBe(false);
    expect(opensslTakes(directory, ['api.openai.com', 'bank.example'])).toBe(false);
  });

  it('stays the same from start to start', async () => {
    const directory = temporaryDirectory();
    await openAuthority(directory, hosts, {});
    const before = readFileSync(join(directory, 'ca.pem'), 'utf8');
    await openAuthority(directory, hosts, {});
    expect(readFileSync(join(directory, 'ca.pem'), 'utf8')).toBe(before);
  });

  it('is renewed where it was made while the clock was ahead, so that it is not valid yet', async () => {
    const directory = temporaryDirectory();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 86_400_000 });
    onTestFinished(() => void vi.useRealTimers());
    await openAuthority(directory, hosts, {});
    vi.useRealTimers();
    expect(opensslTakes(directory, ['api.openai.com'])).toBe(false);
    await openAuthority(directory, hosts, {});
    expect(opensslTakes(directory, ['api.openai.com'])).toBe(true);
  });

  it('serves programs again, without a new start, once a clock that was ahead is set right', async () => {
    const directory = temporaryDirectory();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3 * 86_400_000 });
    onTestFinished(() => void vi.useRealTimers());
    const authority = await openAuthority(directory, hosts, {});
    const early = readFileSync(authority.caFile);
    authority.contextFor('api.openai.com');
    vi.useRealTimers();
    const servesWith = (ca: Buffer) => handshake(authority.contextFor('api.openai.com'), ca, 'api.openai.com');
    await expect(servesWith(early)).rejects.toThrow('not yet valid');
    await expect.poll(() => readFileSync(authority.caFile).equals(early)).toBe(false);
    await expect(servesWith(readFileSync(authority.caFile))).resolves.toBe(true);
  });

  it('has files that are valid at the next launch when the clock was set', async () => {
    const directory = temporaryDirectory();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 800 * 86_400_000 });
    onTestFinished(() => void vi.useRealTimers());
    const authority = await openAuthority(directory, hosts, {});
    vi.useRealTimers();
    await authority.permit([]);
    const ca = readFileSync(authority.caFile);
    expect(Date.parse(new X509Certificate(ca).validTo)).toBeGreaterThan(Date.now() + 800 * 86_400_000);
    expect(readFileSync(authority.bundleFile, 'utf8')).toContain(ca.toString().trim());
  });

  it('permits names only, as strict readers take no constraint that is none', async () => {
    const directory = temporaryDirectory();
    const authority = await openAuthority(directory, [...hosts, '*.corp.example', 'bücher.example'], {});
    await authority.permit(['a..b', 'gateway.example:8443', 'http://localhost:11434', 'gateway_1.example']);
    const text = execFileSync('openssl', ['x509', '-in', authority.caFile, '-noout', '-text'], { encoding: 'utf8' });
    expect(text.match(/DNS:\S+/g)).toEqual(['DNS:api.openai.com', 'DNS:chatgpt.com', 'DNS:gateway_1.example']);
  });

  it('is renewed with the same key for a new host, so that who trusts the old one still does', async () => {
    const directory = temporaryDirectory();
    const authority = await openAuthority(directory, hosts, {});
    const old = readFileSync(authority.caFile);
    await authority.permit(['api.example.com', '10.0.0.1']);
    const renewed = readFileSync(authority.caFile);
    expect(new X509Certificate(renewed).publicKey.equals(new X509Certificate(old).publicKey)).toBe(true);
    await expect(handshake(authority.contextFor('api.openai.com'), old, 'api.openai.com')).resolves.toBe(true);
    await expect(handshake(authority.contextFor('api.example.com'), renewed, 'api.example.com')).resolves.toBe(true);
    await expect(handshake(authority.contextFor('api.example.com'), old, 'api.example.com')).rejects.toThrow();
  });

  it('gives up the hosts that are no longer intercepted', async () => {
    const directory = temporaryDirectory();
    await (await openAuthority(directory, hosts, {})).permit(['gateway.example']);
    expect(opensslTakes(directory, ['gateway.example'])).toBe(true);
    await openAuthority(directory, hosts, {});
    expect(opensslTakes(directory, ['gateway.example'])).toBe(false);
    expect(opensslTakes(directory, ['api.openai.com'])).toBe(true);
  });

  it('permits hosts that are asked for at the same time, in its files too once it has answered', async () => {
    const directory = temporaryDirectory();
    const authority = await openAuthority(directory, hosts, {});
    const more = Array.from({ length: 8 }, (_, index) => `gateway${index}.example`);
    await Promise.all(
      more.map(async host => {
        await authority.permit([host]);
        expect(new X509Certificate(readFileSync(authority.caFile)).raw.includes(host)).toBe(true);
      }),
    );
    const ca = readFileSync(authority.caFile);
    const { raw } = new X509Certificate(ca);
    expect(more.every(host => raw.includes(host))).toBe(true);
    expect(readFileSync(authority.bundleFile, 'utf8')).toContain(ca.toString().trim());
  });

  it('certifies a host whose name is too long for a common name', async () => {
    const directory = temporaryDirectory();
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`;
    const authority = await openAuthority(directory, [...hosts, long], {});
    expect(opensslTakes(directory, [long])).toBe(true);
    await expect(handshake(authority.contextFor(long), readFileSync(authority.caFile), long)).resolves.toBe(true);
  });

  it('is made anew when its files do not fit each other', async () => {
    const directory = temporaryDirectory();
    await openAuthority(directory, hosts, {});
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(join(directory, 'ca.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await openAuthority(directory, hosts, {});
    expect(opensslTakes(directory, ['api.openai.com'])).toBe(true);
  });

  it('writes a bundle of what the machine trusts and itself', async () => {
    const directory = temporaryDirectory();
    const company = join(directory, 'company.pem');
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const issuer = { commonName: 'Company root', ...keys };
    const role = { kind: 'authority', permitted: null } as const;
    writeFileSync(
      company,
      createCertificate({ commonName: 'Company root', publicKey: keys.publicKey, issuer, days: 9, role }),
    );
    const { bundleFile, caFile } = await openAuthority(join(directory, 'ca'), hosts, { SSL_CERT_FILE: company });
    const bundle = readFileSync(bundleFile, 'utf8');
    expect(bundle).toContain(readFileSync(company, 'utf8').trim());
    expect(bundle).toContain(readFileSync(caFile, 'utf8').trim());
    expect(bundle.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(100);
  });

  it('says so when its place cannot be written', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    await expect(openAuthority(join(file, 'ca'), hosts, {})).rejects.toMatchObject({ code: 'disk.readOnly' });
  });
});

/** Resolves when a client that trusts only `ca` takes the server certificate. */
async function handshake(
  secureContext: ReturnType<typeof import('node:tls').createSecureContext>,
  ca: Buffer,
  servername: string,
): Promise<boolean> {
  const server = createServer({ SNICallback: (_name, done) => done(null, secureContext) }, socket => socket.end());
  server.on('tlsClientError', () => undefined);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  return new Promise((resolve, reject) => {
    const client = connect({ port, host: '127.0.0.1', ca, servername }, () => {
      client.destroy();
      resolve(true);
    });
    client.once('error', reject);
  });
}
