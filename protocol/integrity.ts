import * as z from 'zod';
import type { Texts } from './texts.ts';

/** Something that an agent did and that a person should look at before its verdict is believed. It changes no reward. */
export const IntegrityFlag = z.object({
  kind: z.enum([
    'gitArchaeology',
    'upstreamSearch',
    'networkAttempt',
    'packageInstall',
    'outsideRead',
    'testEdit',
    'configEdit',
  ]),
  /** What it did, quoted. */
  evidence: z.string(),
  /** Where that stands, below the trial's directory: `agent/stdout.jsonl:12`, `diff.patch:3`. */
  place: z.string(),
});
export type IntegrityFlag = z.infer<typeof IntegrityFlag>;

export const integrityWords: Readonly<Record<IntegrityFlag['kind'], string>> = {
  gitArchaeology: 'dug in git history',
  upstreamSearch: 'searched for the change upstream',
  networkAttempt: 'tried to reach the network',
  packageInstall: 'tried to install packages',
  outsideRead: 'read outside of the repository',
  testEdit: 'changed existing tests',
  configEdit: 'changed what decides how tests run',
};

/** What an agent did, as a sentence in the language of the person. */
export function integritySentence(kind: IntegrityFlag['kind'], l10n: Texts): string {
  switch (kind) {
    case 'gitArchaeology':
      return l10n.t('The agent dug in git history.');
    case 'upstreamSearch':
      return l10n.t('The agent searched for the change upstream.');
    case 'networkAttempt':
      return l10n.t('The agent tried to reach the network.');
    case 'packageInstall':
      return l10n.t('The agent tried to install packages.');
    case 'outsideRead':
      return l10n.t('The agent read outside of the repository.');
    case 'testEdit':
      return l10n.t('The agent changed existing tests.');
    case 'configEdit':
      return l10n.t('The agent changed what decides how tests run.');
  }
}
