import * as z from 'zod';
import { TaskKind, TransferFormat } from '../../protocol/tasks.ts';
import { ReportFormat } from './testing/reportFormat.ts';

/*
 * What may stand in `task.toml`. The descriptions are what the editor tells of each key: meaning and unit; `names` says
 * what a text is the name of.
 */

/** What the editor offers first to run on the task. Written as with `--agent`. */
const OfferedAgents = z
  .array(z.string().min(1).meta({ names: 'agent' }))
  .optional()
  .describe('Agents that are offered first to run on it, as in `--agent`: `codex`, `codex/gpt-5.5`.');

/** What is ours in `task.toml`, under `[metadata.codex_coach]`, however the task is judged. */
const sealed = {
  format: z.literal(1).describe('Version of this section.'),
  kind: TaskKind.default('code').describe('What is asked for; it decides who judges.'),
  title: z.string().min(1).describe('What the task is called in lists and reports.'),
  task_id: z.string().min(1).describe('The created task that it was prepared from.'),
  session_id: z.string().nullable().default(null).describe('Recorded session that the task was made of.'),
  captured_at: z.iso.datetime().describe('When it was captured, in UTC: `"2026-11-21T09:30:00Z"`.'),
  start_commit: z.string().describe('Commit that the recorded change starts from.'),
  files: z.array(z.string()).min(1).describe('Paths of the recorded change, relative to the repository.'),
  workdir: z.string().startsWith('/').describe('Where the repository lies in the sandbox, absolute.'),
  agents: OfferedAgents,
};

const judges =
  'Who judges: hidden `tests`; `mutation`: faults that written tests must find; `rubric`: a model; `script`: one that came along.';

/** Of a task that hidden tests judge. */
export const CoachMetadata = z.object({
  ...sealed,
  verifier: z.literal('tests').default('tests').describe(judges),
  test_command: z.string().min(1).describe('Runs the tests in `workdir` and leaves their report at `result_file`.'),
  result_format: ReportFormat.describe('What the report at `result_file` is written in.'),
  result_file: z
    .string()
    .startsWith('/')
    .describe('Where the report lies in the sandbox: absolute, outside `workdir`.'),
});
export type CoachMetadata = z.infer<typeof CoachMetadata>;

/** Of a task that asks for tests, which mutants of the code judge. */
const MutationMetadata = z.object({
  ...sealed,
  verifier: z.literal('mutation').describe(judges),
  mutate: z
    .array(z.string().min(1))
    .min(1)
    .describe('Files that faults are planted in, with lines when not all of them: `src/sums.js`, `src/sums.js:10-40`.'),
  mutation_threshold: z
    .number()
    .positive()
    .max(1)
    .default(0.6)
    .describe('Share of the planted faults that the tests must find, from above 0 to 1.'),
});

/** Of a task that only its rubric judges. */
const RubricMetadata = z.object({ ...sealed, verifier: z.literal('rubric').describe(judges) });

/** Of every task that we prepare ourselves. */
export type SealedMetadata = CoachMetadata | z.infer<typeof MutationMetadata> | z.infer<typeof RubricMetadata>;

/** A directory of the task is called so. */
const stepName = z.string().regex(/^[A-Za-z0-9][\w.-]*$/);

/** Where a verifier has an environment of its own: its Dockerfile lies in a directory `verifier/`. */
const VerifierEnvironmentToml = z.object({
  workdir: z.string().startsWith('/').describe('Where the verifier’s command runs, absolute.'),
  /** Before they were told apart from the environment. */
  artifacts: z.array(z.string().startsWith('/')).optional(),
});

const artifactList = z
  .array(z.string().startsWith('/'))
  .default([])
  .describe('Files and directories that are handed to the verifier, absolute; also such outside of `workdir`.');

/** The same of a task that was imported: it is judged by a script of its own. */
export const ImportedMetadata = z.object({
  format: z.literal(1).describe('Version of this section.'),
  verifier: z.literal('script').describe(judges),
  title: z.string().min(1).describe('What the task is called in lists and reports.'),
  task_id: z.string().min(1).describe('Id of the task; its name, as it was not recorded.'),
  captured_at: z.iso.datetime().describe('When it was imported, in UTC.'),
  files: z.array(z.string()).max(0).default([]).describe('Empty: of an imported task no change was recorded.'),
  workdir: z.string().startsWith('/').describe('Where the repository lies in the sandbox, absolute.'),
  agents: OfferedAgents,
  imported_from: TransferFormat.describe('Program that the task was made for.'),
  verify_command: z
    .string()
    .min(1)
    .describe('Judges, and writes the reward to /logs/verifier/reward.json or reward.txt.'),
  solve_command: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Makes the reference solution of the start, with /solution at hand; absent where `solution.patch` came along.',
    ),
  /** Their files lie in `steps/<name>/`: instruction.md, tests, solution, workdir. */
  steps: z
    .array(
      z.object({
        name: stepName,
        verify_timeout_sec: z.number().positive().describe('Seconds that the verifier of this step may take.'),
        verify_env: z.record(z.string(), z.string()).default({}),
        solve_command: z.string().min(1).optional(),
        min_rewards: z.record(z.string(), z.number()).default({}),
        verifier_environment: z
          .union([z.literal('agent'), VerifierEnvironmentToml])
          .optional()
          .describe('`agent` for the one that agents have; else its own, in `steps/<name>/verifier/`.'),
        artifacts: artifactList,
      }),
    )
    .default([]),
  /** Where the verifier has an environment of its own: `verifier/` with its Dockerfile. */
  verifier_environment: VerifierEnvironmentToml.optional(),
  artifacts: artifactList,
  step_rewards: z
    .enum(['mean', 'final'])
    .default('mean')
    .describe('What the reward of a task in steps is: the mean over those that were reached, or the last one’s.'),
  rubrics: z.array(z.object({ id: z.string(), criterion: z.string(), weight: z.number() })).default([]),
  cannot_run: z
    .array(z.string())
    .default([])
    .describe('Why it can only be exported, not run; empty when it can be run.'),
  notes: z.array(z.string()).default([]).describe('What differs from the program that it came from.'),
});
export type ImportedMetadata = z.infer<typeof ImportedMetadata>;

const AnyMetadata = z.preprocess(
  // What we prepare ourselves need not say how it is judged.
  given =>
    typeof given === 'object' && given !== null && !('verifier' in given) ? { ...given, verifier: 'tests' } : given,
  z.discriminatedUnion('verifier', [CoachMetadata, MutationMetadata, RubricMetadata, ImportedMetadata]),
);

/** The part of a Harbor `task.toml` (schema 1.4) that we use; the rest of it is left to Harbor. */
export const TaskToml = z.object({
  schema_version: z.string().describe('Version of Harbor’s format: `"1.4"`.'),
  task: z
    .object({
      name: z
        .string()
        .regex(/^[^/]+\/[^/]+$/, 'must be org/name')
        .describe('Name in Harbor, with who it is of: `"local/median"`.'),
      keywords: z.array(z.string()).default([]).describe('Tags that lists show.'),
    })
    .describe('What Harbor calls the task.'),
  metadata: z
    .object({ codex_coach: AnyMetadata.describe('What Codex Coach knows of the task.') })
    .describe('What Harbor keeps and does not read.'),
  agent: z
    .object({
      timeout_sec: z
        .number()
        .positive()
        .nullable()
        .default(null)
        .describe('Seconds that an agent may work on it; without it, the limit of the run alone holds.'),
    })
    .default({ timeout_sec: null })
    .describe('Limits of agents.'),
  verifier: z
    .object({
      timeout_sec: z.number().positive().default(600).describe('Seconds that the verifier may take.'),
      env: z.record(z.string(), z.string()).default({}).describe('Environment variables of the verifier.'),
    })
    .default({ timeout_sec: 600, env: {} })
    .describe('Limits and environment of the verifier.'),
});
export type TaskToml = z.infer<typeof TaskToml>;
