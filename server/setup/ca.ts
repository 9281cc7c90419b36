import { constants, copyFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CoachError } from '../../protocol/errors.ts';
import { coachPaths } from '../base/paths.ts';
import type { Terminal } from '../surfaces/cli/terminal.ts';
import { type CertificateFacts, certificateFacts } from './certificateFacts.ts';

/** `codex-coach ca show|export`: the certificate, never its key. */
export function addCaCommands(program: Command, terminal: Terminal): void {
  const group = program.command('ca').description('The certificate that makes recording possible');
  group
    .command('show')
    .description('What it is, what it may sign for, and where it is kept')
    .option('--json', 'Print the answer as JSON', false)
    .action(({ json }: { json: boolean }) => {
      const facts = requireFacts(terminal);
      terminal.print(json ? JSON.stringify(facts, null, 2) : toWords(facts));
    });
  group
    .command('export <file>')
    .description('Copy the certificate to a file that does not exist yet')
    .option('--bundle', "the system's roots with it, for programs that take one file instead of their own roots", false)
    .action((file: string, { bundle }: { bundle: boolean }) => {
      const facts = requireFacts(terminal);
      const target = resolve(terminal.cwd, file);
      copyNew(bundle ? facts.bundleFile : facts.caFile, target);
      terminal.print(`Wrote ${target}. It is public; the key stays in ${facts.keyFile}.`);
    });
}

function requireFacts({ env }: Terminal): CertificateFacts {
  const facts = certificateFacts(coachPaths(env).ca);
  if (facts !== null) return facts;
  throw new CoachError('proxy.stopped', 'There is no certificate yet.', {
    hint: 'It is made when the proxy starts for the first time: codex-coach proxy start',
  });
}

function copyNew(source: string, target: string): void {
  try {
    copyFileSync(source, target, constants.COPYFILE_EXCL);
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new CoachError(
      'input.invalid',
      exists ? `${target} exists.` : `Can't write ${target}: ${(cause as Error).message}`,
      {
        cause,
        hint: 'Choose another file.',
      },
    );
  }
}

function toWords(facts: CertificateFacts): string {
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const mode = (bits: number) => bits.toString(8).padStart(4, '0');
  const names = facts.permitted === null ? 'any name' : facts.permitted.join(', ');
  return [
    facts.commonName,
    `  file:      ${facts.caFile}`,
    `  bundle:    ${facts.bundleFile}`,
    `  SHA-256:   ${facts.fingerprint}`,
    `  valid:     ${day(facts.validFrom)} to ${day(facts.validTo)}`,
    `  signs for: ${names}${facts.constraintsCritical ? ' (critical), and no address' : ''}`,
    `  key:       ${facts.keyFile} (${mode(facts.keyMode)}, directory ${mode(facts.directoryMode)})`,
    'It is in no certificate store: a recorded agent gets it through variables of its own launch.',
  ].join('\n');
}
