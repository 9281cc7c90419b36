import * as z from 'zod';

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
