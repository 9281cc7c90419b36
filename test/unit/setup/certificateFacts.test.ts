import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openAuthority } from '../../../server/proxy/certificates/authority.ts';
import { authorityFiles } from '../../../server/proxy/certificates/authorityFiles.ts';
import { certificateFacts } from '../../../server/setup/certificateFacts.ts';
import { checkCertificate } from '../../../server/setup/checks/certificate.ts';
import type { Examined } from '../../../server/setup/finding.ts';
import { temporaryDirectory } from '../../temporary.ts';

async function anAuthority(hosts: readonly string[]) {
  const directory = join(temporaryDirectory(), 'ca');
  await openAuthority(directory, hosts, process.env);
  return directory;
}

const levels = (directory: string) => {
  const found = checkCertificate({ paths: { ca: directory } } as Examined);
  if (found instanceof Promise) throw new Error('It answers at once.');
  return found.map(({ level, what }) => `${level}: ${what}`);
};

it('reads the names that our certificate may sign for, and that they bind', async () => {
  const directory = await anAuthority(['api.openai.com', 'gateway.example']);
  expect(certificateFacts(directory)).toMatchObject({
    permitted: ['api.openai.com', 'gateway.example'],
    constraintsCritical: true,
    keyFits: true,
    keyMode: 0o600,
    directoryMode: 0o700,
  });
});

it('is null before there is a certificate', () => {
  expect(certificateFacts(temporaryDirectory())).toBeNull();
});

it('finds a key that others can read, and one of another certificate', async () => {
  const directory = await anAuthority(['api.openai.com']);
  expect(levels(directory)).toEqual([expect.stringMatching(/^note: It may not sign for chatgpt.com/)]);
  const { keyFile } = authorityFiles(directory);
  chmodSync(keyFile, 0o644);
  expect(levels(directory)).toContain('broken: Other users of this machine can reach its key.');
  chmodSync(keyFile, 0o600);
  writeFileSync(keyFile, 'no key');
  expect(levels(directory)).toEqual([expect.stringMatching(/^broken: Can't be read/)]);
});
