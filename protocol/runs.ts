import * as z from 'zod';
import { api, event, request } from './api.ts';
import { Comparison } from './comparison.ts';
import { ErrorShape } from './errors.ts';
import { IntegrityFlag } from './integrity.ts';
import { CriterionFlip, JudgeParams, Score } from './rubric.ts';
import { ProofBasis } from './tasks.ts';
import { TrialEnd } from './trialEnd.ts';
import { Cost, Usage } from './usage.ts';

/** Which agent runs, and how. Written on the command line as `id[/model][=label]`. */
export const AgentChoice = z.object({
  id: z.string().min(1),
  model: z.string().nullable().default(null),
  /** Shown in every table; two choices of one run must differ in it. */
  label: z.string().nullable().default(null),
  /** For `command`: the argv template, `{instruction}` and `{model}` are filled in. */
  command: z.array(z.string()).nullable().default(null),
  /** Answers the agent from a recording instead of a model: a recording file or `session:<id>`. */
  replay: z.string().nullable().default(null),
});
export type AgentChoice = z.infer<typeof AgentChoice>;

export const RunLimits = z.object({
  timeoutSec: z.coerce.number().int().min(1).max(86_400).default(1800),
  /** Input + output tokens per trial; null is no limit. */
  maxTokens: z.coerce.number().int().min(1).nullable().default(null),
  /** USD per trial, where the price is known; absent is no limit. */
  maxUsd: z.coerce.number().positive().optional(),
  /** Longest time without any sign of life of the agent; absent is 15 minutes. */
  idleSec: z.coerce.number().int().min(1).max(86_400).optional(),
});
export type RunLimits = z.infer<typeof RunLimits>;

export const TrialPhase = z.enum(['queued', 'building', 'agent', 'verifying', 'done']);
export type TrialPhase = z.infer<typeof TrialPhase>;

export const TestVerdict = z.object({
  id: z.string(),
  expected: z.enum(['failToPass', 'passToPass']),
  status: z.enum(['passed', 'failed', 'skipped', 'missing']),
  message: z.string().nullable().default(null),
});
export type TestVerdict = z.infer<typeof TestVerdict>;

/** One part of a trial whose task is worked on in steps. */
export const StepVerdict = z.object({
  name: z.string(),
  /** How the agent's part of it ended. */
  end: TrialEnd,
  reward: z.number().min(0).max(1).nullable(),
  /** Everything that its verifier scored, by name. */
  rewards: z.record(z.string(), z.number()),
});
export type StepVerdict = z.infer<typeof StepVerdict>;

export const TrialSummary = z.object({
  id: z.string(),
  runId: z.string(),
  task: z.string(),
  /** False marks a task that was run with `--unproven`. */
  taskProven: z.boolean(),
  /** What the verdict rests on: without hidden tests it says less. */
  proofBasis: ProofBasis.default('tests'),
  agent: AgentChoice,
  agentLabel: z.string(),
  agentVersion: z.string().nullable(),
  attempt: z.int().min(1),
  phase: TrialPhase,
  end: TrialEnd.nullable(),
  /** In [0,1]; null when no verdict was reached. Failing tests are 0, a broken verifier is null. */
  reward: z.number().min(0).max(1).nullable(),
  error: ErrorShape.nullable(),
  usage: Usage,
  cost: Cost,
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
  /** Time in each phase, null where it was not reached. */
  buildMs: z.number().nullable(),
  agentMs: z.number().nullable(),
  verifyMs: z.number().nullable(),
  diff: z.object({ files: z.int(), insertions: z.int(), deletions: z.int() }).nullable(),
  tests: z.array(TestVerdict),
  /** Of a task in steps, those that were reached. */
  steps: z.array(StepVerdict).optional(),
  /** What the reward is made of; absent where nothing was judged. */
  score: Score.optional(),
  directory: z.string(),
  sessionId: z.string().nullable(),
  /** How often it was begun: more than once after a failure of the machine. Absent before the first time. */
  tries: z.int().min(1).optional(),
  /** The finished trial, the same in all that counts, whose verdict this is; nothing was run then. */
  reusedFrom: z.string().optional(),
  /** What a person should look at before the verdict is believed; absent where nothing was found. */
  flags: z.array(IntegrityFlag).optional(),
});
export type TrialSummary = z.infer<typeof TrialSummary>;

export const RunState = z.enum(['running', 'finished', 'cancelled', 'interrupted']);
export type RunState = z.infer<typeof RunState>;

export const RunSummary = z.object({
  id: z.string(),
  repository: z.string(),
  directory: z.string(),
  state: RunState,
  tasks: z.array(z.string()),
  agents: z.array(AgentChoice),
  attempts: z.int(),
  limits: RunLimits,
  executor: z.string(),
  /** What the executor does not isolate, one sentence each; shown in every report. */
  notIsolated: z.array(z.string()),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
  trialCounts: z.object({ total: z.int(), done: z.int(), errored: z.int() }),
  meanReward: z.number().nullable(),
  usage: Usage,
  cost: Cost,
});
export type RunSummary = z.infer<typeof RunSummary>;

/** One line of a run's journal. `seq` is 1-based and gapless per run. */
export const RunEvent = z.object({
  runId: z.string(),
  seq: z.int().min(1),
  at: z.iso.datetime(),
  trialId: z.string().nullable(),
  kind: z.enum(['phase', 'agent', 'usage', 'log', 'end']),
  phase: TrialPhase.nullable().default(null),
  text: z.string(),
  usage: Usage.nullable().default(null),
});
export type RunEvent = z.infer<typeof RunEvent>;

export const DiffFile = z.object({
  path: z.string(),
  status: z.enum(['added', 'modified', 'deleted']),
  binary: z.boolean(),
});
export type DiffFile = z.infer<typeof DiffFile>;

/** What a run would do, before it does anything. */
export const RunPlan = z.object({
  executor: z.string(),
  trials: z.int(),
  /** Of those, taken from earlier runs. */
  reused: z.int(),
  agents: z.array(
    z.object({
      label: z.string(),
      /** To be run, without the reused ones. */
      trials: z.int(),
      /** Whether its model is paid for: it gets a key, and no recording. */
      mayCost: z.boolean(),
      /** Medians of its earlier trials, times the trials to be run; null when there are none to go by. */
      costUsd: z.number().nullable(),
      agentMs: z.number().nullable(),
      /** Earlier trials that the estimate comes from. */
      basis: z.int(),
    }),
  ),
  /** Of rubrics; absent where nothing is judged by one. */
  judge: z.object({ name: z.string(), questions: z.int(), costUsd: z.number().nullable() }).optional(),
  /** Tasks whose rubric nobody would judge, as no judge is set: trials that come to it end without a verdict. */
  unjudged: z.array(z.string()).optional(),
  /** Sum over the agents and the judge; null as soon as one that may cost is unknown. */
  costUsd: z.number().nullable(),
  /** Expected time of the whole run with its concurrency, without building and tests; null when unknown. */
  wallMs: z.number().nullable(),
  mayCost: z.boolean(),
});
export type RunPlan = z.infer<typeof RunPlan>;

/** What came of one step of a trial when it was judged anew. */
export const StepRegrade = z.object({
  name: z.string(),
  before: z.number().nullable(),
  /** Null without `error`: it counts no more, as one before it fell below its smallest reward. */
  after: z.number().nullable(),
  /** Everything that its verifier scored now, by name. */
  rewards: z.record(z.string(), z.number()),
  /** Why it has no verdict now. */
  error: ErrorShape.nullable(),
});
export type StepRegrade = z.infer<typeof StepRegrade>;

/** A verdict given anew to what a trial left. */
export const Regrade = z.object({
  trialId: z.string(),
  at: z.iso.datetime(),
  before: z.number().nullable(),
  /** Null when there is no verdict now; `error` says why. */
  after: z.number().nullable(),
  tests: z.array(TestVerdict),
  score: Score.optional(),
  /** Criteria that are judged otherwise than before. */
  flips: z.array(CriterionFlip).default([]),
  /** Of a task in steps. */
  steps: z.array(StepRegrade).optional(),
  error: ErrorShape.nullable(),
});
export type Regrade = z.infer<typeof Regrade>;

const StartParams = z.object({
  repository: z.string().min(1),
  tasks: z.array(z.string().min(1)).min(1),
  agents: z.array(AgentChoice).min(1),
  attempts: z.coerce.number().int().min(1).max(100).default(1),
  limits: RunLimits.default({ timeoutSec: 1800, maxTokens: null }),
  executor: z.string().default('auto'),
  /** Trials at the same time. */
  concurrency: z.coerce.number().int().min(1).max(64).default(1),
  /** Sandboxes that are started at the same time. */
  startConcurrency: z.coerce.number().int().min(1).max(64).default(2),
  /** How often a trial is begun again after a failure of the machine; never after a verdict. */
  retries: z.coerce.number().int().min(0).max(10).default(2),
  /** Run every trial, also where a finished one is the same in all that counts. */
  fresh: z.boolean().default(false),
  /** Also run tasks that `task validate` has not proven; marked in every report. */
  unproven: z.boolean().default(false),
  /** Model API keys by variable name, over those of the server. Kept in memory until the run ends. */
  keys: z.record(z.string(), z.string()).default({}),
  ...JudgeParams,
});

export const ReportFormat = z.enum(['html', 'json', 'junit', 'ctrf']);
export type ReportFormat = z.infer<typeof ReportFormat>;

const runId = z
  .string()
  .min(1)
  .describe('Id of a run, 4 or more characters of its beginning, or latest; see `runs list`');

export const runs = api('runs', {
  start: request({
    summary: 'Run agents on prepared tasks in sandboxes. Answers at once; follow it with events or show.',
    params: StartParams,
    result: RunSummary,
    expose: ['webview', 'http', 'mcp'],
    spends: true,
  }),
  plan: request({
    summary: 'What a run would do: how many trials, and what they cost and last by earlier ones. Runs nothing.',
    params: StartParams,
    result: RunPlan,
    expose: ['webview', 'http', 'mcp'],
    readOnly: true,
  }),
  resume: request({
    summary: 'Go on with a run that was cut off or cancelled, or whose machine failed. Verdicts are kept.',
    params: z.object({
      runId,
      /** Model API keys by variable name, as for `start`. */
      keys: z.record(z.string(), z.string()).default({}),
    }),
    result: RunSummary,
    expose: ['webview', 'http', 'mcp'],
    spends: true,
  }),
  regrade: request({
    summary: 'Judge what the trials of a run left once more, without their agents. Earlier verdicts stay.',
    params: z.object({
      runId,
      executor: z.string().default('auto'),
      rubricOnly: z.boolean().default(false).describe('Keep what the tests gave, and judge the rubric alone'),
      /** Model API keys by variable name, as for `start`. */
      keys: z.record(z.string(), z.string()).default({}),
      ...JudgeParams,
    }),
    result: z.object({ rows: z.array(Regrade) }),
    expose: ['webview', 'http', 'mcp'],
    spends: true,
    positional: ['runId'],
  }),
  list: request({
    summary: 'Runs, newest first.',
    params: z.object({
      repository: z.string().optional().describe('Only runs on tasks of this repository'),
      limit: z.coerce.number().int().min(1).max(500).default(50),
    }),
    result: z.object({ rows: z.array(RunSummary) }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
  }),
  show: request({
    summary: 'One run and its trials.',
    params: z.object({ runId }),
    result: z.object({
      run: RunSummary,
      trials: z.array(TrialSummary),
      /** The latest verdict given anew, of each trial that has one. */
      regrades: z.array(Regrade).optional(),
    }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
    positional: ['runId'],
  }),
  events: request({
    summary: 'The journal of a run after a sequence number.',
    params: z.object({
      runId,
      after: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(5000).default(1000),
    }),
    result: z.object({ events: z.array(RunEvent) }),
    expose: ['webview', 'http', 'cli'],
    readOnly: true,
    positional: ['runId'],
  }),
  cancel: request({
    summary: 'Stop a run: its agents and sandboxes end within 10 s, verdicts reached are kept.',
    params: z.object({ runId }),
    result: RunSummary,
    expose: ['webview', 'http', 'mcp', 'cli'],
    positional: ['runId'],
  }),
  report: request({
    summary: 'Write the report of a run: one HTML file, or JSON, JUnit or CTRF for programs.',
    params: z.object({ runId, format: ReportFormat.default('html') }),
    result: z.object({ file: z.string() }),
    expose: ['webview', 'http', 'cli'],
    positional: ['runId'],
  }),
  export: request({
    summary: 'Write a run for other programs: a Harbor job directory, or SWE-bench predictions, logs and report.',
    params: z.object({
      runId,
      format: z.enum(['harbor', 'swe-bench']).default('harbor'),
      output: z.string().min(1).describe('Directory that is made'),
    }),
    result: z.object({ output: z.string(), trials: z.int() }),
    expose: ['webview', 'http', 'cli'],
    positional: ['runId'],
  }),
  compare: request({
    summary: 'Compare the agents of one or several runs: rewards with intervals, pass@k, paired tests, cost.',
    params: z.object({ runIds: z.array(runId).min(1) }),
    result: Comparison,
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
    positional: ['runIds'],
  }),
  diff: request({
    summary: 'Files that a trial changed against the start of its task.',
    params: z.object({ trialId: z.string().min(1) }),
    result: z.object({ files: z.array(DiffFile), patch: z.string() }),
    expose: ['webview', 'http', 'cli'],
    readOnly: true,
    positional: ['trialId'],
  }),
  file: request({
    summary: 'One file as it was at the start, after the agent, or in the reference solution.',
    params: z.object({
      trialId: z.string().min(1),
      side: z.enum(['start', 'agent', 'reference']),
      path: z.string().min(1),
    }),
    result: z.object({ contentBase64: z.string().nullable() }),
    readOnly: true,
  }),
  changed: event(RunSummary),
  trialChanged: event(TrialSummary),
  progress: event(RunEvent),
});
