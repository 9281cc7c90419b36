import * as z from 'zod';
import { api, event, request } from './api.ts';
import { JudgeParams } from './rubric.ts';
import { english, type Texts } from './texts.ts';

const Repository = z.string().min(1).describe('Directory inside the git repository');

export const TaskState = z.enum(['created', 'prepared', 'proven']);
export type TaskState = z.infer<typeof TaskState>;

/** One thing that `task validate` tried in a sandbox, and what came of it. */
export const ProofCheck = z.object({
  id: z.string(),
  /** What was tried, as words that follow "the reward of": "an agent that deletes the tests". */
  title: z.string(),
  /** Null for a check that is not judged by a reward. */
  reward: z.number().min(0).max(1).nullable(),
  passed: z.boolean(),
  detail: z.string(),
  durationMs: z.int().min(0),
});
export type ProofCheck = z.infer<typeof ProofCheck>;

/** A test that said different things of the same solution. It is listed, and never decides anything. */
export const QuarantinedTest = z.object({
  id: z.string(),
  /** What it said in each run with the reference solution, first to last; earlier validations stand before. */
  history: z.array(z.enum(['passed', 'failed', 'skipped', 'missing'])),
});
export type QuarantinedTest = z.infer<typeof QuarantinedTest>;

/** The base image that a task was proven on. */
export const PinnedImage = z.object({
  /** As the Dockerfile names it. */
  image: z.string(),
  /** Its digest in a registry; where it has none, `layers:` and the SHA-256 of its layers. */
  digest: z.string(),
});
export type PinnedImage = z.infer<typeof PinnedImage>;

/**
 * What a task asks for, which decides how it is judged: `code` by hidden tests, `documentation` by a rubric alone,
 * `test-writing` by mutants of the code that the written tests must find.
 */
export const TaskKind = z.enum(['code', 'documentation', 'test-writing']);
export type TaskKind = z.infer<typeof TaskKind>;

/** What the verdicts on a task rest on. */
export const ProofBasis = z.enum(['tests', 'mutation', 'rubric']);
export type ProofBasis = z.infer<typeof ProofBasis>;

/** Rewards of the checks that `task validate` ran; null when a check reached no verdict. */
export const TaskProof = z.object({
  reference: z.number().min(0).max(1).nullable(),
  noOp: z.number().min(0).max(1).nullable(),
  provenAt: z.iso.datetime(),
  executor: z.string(),
  checks: z.array(ProofCheck).default([]),
  quarantined: z.array(QuarantinedTest).default([]),
  /** Null where the executor has no images. */
  base: PinnedImage.nullable().default(null),
  basis: ProofBasis.default('tests'),
  /** Who was asked about a task that only a rubric judges; absent when nobody was. `rubric`: SHA-256 of its file. */
  judge: z.object({ name: z.string(), votes: z.int(), rubric: z.string() }).optional(),
});
export type TaskProof = z.infer<typeof TaskProof>;

/** Why a proof says less than one by hidden tests, as a sentence; null for those. */
export function proofCaveat(basis: ProofBasis, l10n: Texts = english): string | null {
  switch (basis) {
    case 'tests':
      return null;
    case 'mutation':
      return l10n.t(
        'Weaker proof: what is judged are tests, by the planted faults that they find, and not by hidden tests.',
      );
    case 'rubric':
      return l10n.t('Weaker proof: a model judges by the rubric, and nothing that runs decides.');
  }
}

export const TaskSummary = z.object({
  /** Directory name: the task id while created, the task's name once prepared. */
  id: z.string(),
  title: z.string(),
  state: TaskState,
  /** Root of the user's repository. */
  repository: z.string(),
  /** Absolute. The prepared directory once there is one, else the created one. */
  directory: z.string(),
  createdAt: z.iso.datetime(),
  tags: z.array(z.string()),
  proof: TaskProof.nullable(),
  /** Why the task can't be used as it stands, or null. */
  problem: z.string().nullable(),
  /** Agents that are offered first to run on it, as in `--agent`; absent where the task names none. */
  agents: z.array(z.string()).optional(),
});
export type TaskSummary = z.infer<typeof TaskSummary>;

export const Recording = z.object({
  taskId: z.string(),
  title: z.string(),
  repository: z.string(),
  startedAt: z.iso.datetime(),
  startCommit: z.string(),
  /** Where the created task will lie. */
  directory: z.string(),
});
export type Recording = z.infer<typeof Recording>;

export const Finding = z.object({
  id: z.string(),
  severity: z.enum(['error', 'warning', 'ok']),
  message: z.string(),
  /** What would mend it, in words; null when there is nothing to do. */
  hint: z.string().nullable(),
  /** True when `fix` can mend it. */
  fixable: z.boolean(),
});
export type Finding = z.infer<typeof Finding>;

/** Of a directory: in no git repository, in one without a commit, in one that tasks can start from. */
export const RepositoryState = z.enum(['none', 'empty', 'ready']);
export type RepositoryState = z.infer<typeof RepositoryState>;

/** What a task can be made of afterwards. */
export const TaskSource = z.enum(['commit', 'range', 'patch', 'session']);
export type TaskSource = z.infer<typeof TaskSource>;

/** What `task edit` opens. */
export const TaskPart = z.enum(['instruction', 'settings']);
export type TaskPart = z.infer<typeof TaskPart>;

/** Programs whose tasks can be imported. */
export const TransferFormat = z.enum(['harbor', 'terminal-bench', 'oneshot', 'swe-bench']);
export type TransferFormat = z.infer<typeof TransferFormat>;

export const tasks = api('tasks', {
  list: request({
    summary: 'Tasks of a repository: created, prepared, proven.',
    params: z.object({ repository: Repository }),
    result: z.object({ rows: z.array(TaskSummary) }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
  }),
  show: request({
    summary: 'One task with its instruction, tests and changed files.',
    params: z.object({ repository: Repository, task: z.string().min(1) }),
    result: z.object({
      task: TaskSummary,
      kind: TaskKind,
      instruction: z.string(),
      /** Files of the recorded change, relative to the repository. */
      files: z.array(z.string()),
      failToPass: z.array(z.string()),
      passToPass: z.array(z.string()),
    }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
    positional: ['task'],
  }),
  check: request({
    summary: 'Whether a task can be recorded in this repository now, and what is in the way.',
    params: z.object({
      repository: Repository,
      tests: z.boolean().default(false).describe('Also run the tests as they are now, in a sandbox'),
      executor: z.string().default('auto').describe('Where the tests run: docker, local or auto'),
    }),
    result: z.object({ ready: z.boolean(), findings: z.array(Finding) }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
    tool: 'repo_check_readiness',
    isFailure: ({ ready }) => !ready,
  }),
  fix: request({
    summary: 'Mends what `check` found; without `apply` it only says what it would do.',
    params: z.object({ repository: Repository, apply: z.boolean().default(false) }),
    result: z.object({ actions: z.array(z.object({ id: z.string(), description: z.string(), done: z.boolean() })) }),
    expose: ['http', 'mcp', 'cli'],
    tool: 'repo_autofix_readiness',
  }),
  start: request({
    summary: 'Start recording a task: what changes from here on is its solution.',
    params: z.object({
      repository: Repository,
      title: z.string().trim().min(1).max(200),
      notes: z.string().default(''),
      labels: z.array(z.string()).default([]),
    }),
    result: Recording,
    expose: ['webview', 'http', 'mcp', 'cli'],
    positional: ['title'],
    tool: 'repo_start_task',
  }),
  end: request({
    summary: 'End the recording and write the created task.',
    params: z.object({
      repository: Repository,
      summary: z.string().default(''),
      labels: z.array(z.string()).default([]),
      sessionId: z
        .string()
        .optional()
        .describe('Session to attach; default: the newest one in this repository since the start'),
      preferredSession: z
        .string()
        .optional()
        .describe('Attached instead of the default when it was recorded, ignored otherwise'),
    }),
    result: TaskSummary,
    expose: ['webview', 'http', 'mcp', 'cli'],
    tool: 'repo_end_task',
  }),
  discard: request({
    summary: 'End the recording without writing a task. The working tree stays as it is.',
    params: z.object({ repository: Repository }),
    result: z.object({ discarded: z.boolean() }),
    expose: ['webview', 'http', 'cli'],
  }),
  recording: request({
    summary: 'The recording under way in a repository, or null.',
    params: z.object({ repository: Repository }),
    result: z.object({ recording: Recording.nullable() }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
  }),
  recorded: request({
    summary: 'What the recording under way has come to: the files that changed since its start, and what to look at.',
    params: z.object({ repository: Repository }),
    result: z.object({
      files: z.array(z.string()),
      /** What to look at before it ends, one sentence each. */
      notes: z.array(z.string()),
    }),
    readOnly: true,
  }),
  putAside: request({
    summary: 'Whether changes that `fix` put aside still wait in the stash.',
    params: z.object({ repository: Repository }),
    result: z.object({ waiting: z.boolean() }),
    readOnly: true,
  }),
  repository: request({
    summary: 'Whether a directory lies in a git repository, and whether that has a commit that a task can start from.',
    params: z.object({ repository: z.string().min(1).describe('Any directory') }),
    result: z.object({ state: RepositoryState }),
    readOnly: true,
  }),
  sample: request({
    summary: 'Make the sample project: a small git repository to try things on.',
    params: z.object({}),
    result: z.object({ repository: z.string() }),
  }),
  from: request({
    summary: 'Make a task of what already happened: a commit, a range a..b, a patch file or a recorded session.',
    params: z.object({
      repository: Repository,
      source: z.string().min(1).describe('Commit, range a..b, patch file, or id of a recorded session'),
      as: TaskSource.optional().describe('commit, range, patch or session; default: told by the source'),
      base: z.string().min(1).optional().describe('Commit that the change starts from'),
      end: z
        .string()
        .min(1)
        .optional()
        .describe('Commit that a session ended at, or "worktree" for the files as they are now'),
      title: z.string().trim().min(1).max(200).optional().describe('Default: from the commit, patch or prompt'),
      instruction: z.string().trim().min(1).optional().describe('What to ask of an agent; default: drafted'),
      kind: TaskKind.optional().describe('code, documentation or test-writing; default: told by the changed files'),
      sessionId: z.string().optional().describe('Recorded session to keep with a commit, range or patch'),
      labels: z.array(z.string()).default([]),
    }),
    result: z.object({
      task: TaskSummary,
      source: TaskSource,
      /** What was taken for granted, and what to look at before preparing; one sentence each. */
      notes: z.array(z.string()),
    }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    positional: ['source'],
    tool: 'repo_task_from',
  }),
  edit: request({
    summary: 'Show or replace what a person may change of a task; a change that breaks it is refused and not kept.',
    params: z.object({
      repository: Repository,
      task: z.string().min(1),
      part: TaskPart.default('instruction').describe('instruction, or settings: task.toml, tb_meta.json while created'),
      content: z.string().optional().describe('The new text; without it, the present one is shown'),
    }),
    result: z.object({
      task: TaskSummary,
      /** Where it stands. */
      file: z.string(),
      content: z.string(),
      changed: z.boolean(),
      /** Whether the change took the task's proof away. */
      lostProof: z.boolean(),
      /** What to look at before it is run, one sentence each. */
      notes: z.array(z.string()),
    }),
    expose: ['webview', 'http', 'mcp'],
    positional: ['task'],
  }),
  prepare: request({
    summary:
      'Seal a created task: start commit without a future, hidden tests, solution; runnable by Harbor and by us.',
    params: z.object({
      repository: Repository,
      task: z.string().min(1),
      name: z.string().optional().describe('Name of the prepared task; default: from its title'),
      dockerfile: z
        .string()
        .optional()
        .describe('Dockerfile or devcontainer.json in the repository; default: the environment that its files ask for'),
    }),
    result: TaskSummary,
    expose: ['webview', 'http', 'mcp', 'cli'],
    positional: ['task'],
  }),
  validate: request({
    summary: 'Prove a prepared task in a sandbox: the reference scores 1, doing nothing and cheating score 0.',
    params: z.object({
      repository: Repository,
      task: z.string().min(1),
      executor: z.string().default('auto'),
      repeats: z
        .int()
        .min(1)
        .max(100)
        .default(5)
        .describe('Runs of the reference solution, in shuffled order; a test that changes its mind is quarantined'),
      /** Model API keys by variable name, as for a run. */
      keys: z.record(z.string(), z.string()).default({}),
      ...JudgeParams,
    }),
    result: TaskSummary,
    expose: ['webview', 'http', 'mcp'],
    spends: true,
    positional: ['task'],
  }),
  import: request({
    summary: 'Make a task of one of Harbor, Terminal-Bench 1, OneShot or SWE-bench; the original is kept in it.',
    params: z.object({
      repository: Repository,
      path: z.string().min(1).describe('Task directory, or a JSON or JSONL file of SWE-bench instances'),
      format: TransferFormat.optional().describe(
        'harbor, terminal-bench, oneshot or swe-bench; default: told by its files',
      ),
      name: z.string().optional().describe('Name of the task; default: what it is called there'),
      instance: z.string().optional().describe('Which SWE-bench instance of the file'),
    }),
    result: z.object({
      task: TaskSummary,
      format: TransferFormat,
      /** What differs here from the program that it came from, one sentence each. */
      notes: z.array(z.string()),
    }),
    expose: ['webview', 'http', 'cli'],
    positional: ['path'],
  }),
  export: request({
    summary:
      'Write a prepared task for another program: as a Harbor directory, a SWE-bench instance, or as it was imported.',
    params: z.object({
      repository: Repository,
      task: z.string().min(1),
      format: z.enum(['harbor', 'swe-bench', 'original']).default('harbor'),
      output: z.string().min(1).describe('Directory that is made, or file that a SWE-bench instance is added to'),
    }),
    result: z.object({ output: z.string(), notes: z.array(z.string()) }),
    expose: ['webview', 'http', 'cli'],
    positional: ['task'],
  }),
  changed: event(z.object({ repository: z.string() })),
  recordingChanged: event(z.object({ repository: z.string(), recording: Recording.nullable() })),
});

/**
 * `task create`. Not one of `tasks`: whoever is asked runs Codex in its own environment, as a terminal would, so that
 * the background server has no part in it.
 */
export const taskCreation = request({
  summary: 'Let Codex work on a prompt in the working tree, recorded, and capture what it did as a created task.',
  params: z.object({
    repository: Repository,
    prompt: z.string().trim().min(1),
    model: z.string().min(1).optional().describe('Model for Codex; default: its own'),
    codexArgs: z.array(z.string()).default([]).describe('Further arguments for codex exec'),
  }),
  result: TaskSummary,
  spends: true,
});
