import type { AgentChoice, RunEvent, RunSummary, TestVerdict, TrialSummary } from '../../protocol/runs.ts';
import { addUsage, noUsage } from '../../protocol/usage.ts';

const agent = (id: string, replay: string | null = null): AgentChoice => ({
  id,
  model: id === 'codex' ? 'gpt-5.5' : null,
  label: null,
  command: null,
  replay,
});

export function aTrial(changes: Partial<TrialSummary> = {}): TrialSummary {
  const choice = changes.agent ?? agent('codex');
  const attempt = changes.attempt ?? 1;
  const task = changes.task ?? 'add-median';
  return {
    id: `run-1.${task}.${choice.id}.${attempt}`,
    runId: 'run-1',
    task,
    taskProven: true,
    proofBasis: 'tests',
    agent: choice,
    agentLabel: choice.id,
    agentVersion: choice.id === 'codex' ? '0.169.0' : null,
    attempt,
    phase: 'queued',
    end: null,
    reward: null,
    error: null,
    usage: noUsage,
    cost: { amountUsd: null, kind: choice.id === 'codex' ? 'replay' : 'none' },
    startedAt: null,
    finishedAt: null,
    buildMs: null,
    agentMs: null,
    verifyMs: null,
    diff: null,
    tests: [],
    directory: '/nowhere',
    sessionId: null,
    ...changes,
  };
}

export function aRun(changes: Partial<RunSummary> = {}): RunSummary {
  return {
    id: 'run-1',
    repository: '/nowhere',
    directory: '/nowhere/.coach/runs/run-1',
    state: 'running',
    tasks: ['add-median'],
    agents: [agent('codex', 'recording.json'), agent('oracle'), agent('nop')],
    attempts: 2,
    limits: { timeoutSec: 600, maxTokens: 100_000 },
    executor: 'local',
    notIsolated: ['The network is open.', 'Other files of this user can be read.'],
    createdAt: new Date().toISOString(),
    finishedAt: null,
    trialCounts: { total: 6, done: 0, errored: 0 },
    meanReward: null,
    usage: noUsage,
    cost: { amountUsd: null, kind: 'replay' },
    ...changes,
  };
}

export interface RunListener {
  changed(run: RunSummary): void;
  trialChanged(trial: TrialSummary): void;
  progress(event: RunEvent): void;
}

/** A run that plays itself: every `step()` is one thing that happens in a real one. Deterministic but for the clock. */
export class ScriptedRun {
  run: RunSummary;
  readonly trials: TrialSummary[];
  readonly journal: RunEvent[] = [];
  readonly #listener: RunListener;
  readonly #steps: (() => void)[];

  constructor(run: RunSummary, listener: RunListener) {
    this.run = run;
    this.#listener = listener;
    this.trials = run.tasks.flatMap(task =>
      run.agents.flatMap(choice =>
        Array.from({ length: run.attempts }, (_, index) =>
          aTrial({
            id: `${run.id}.${task}.${choice.id}.${index + 1}`,
            runId: run.id,
            task,
            agent: choice,
            agentLabel: choice.label ?? choice.id,
            agentVersion: choice.id === 'codex' ? '0.169.0' : null,
            attempt: index + 1,
            cost: { amountUsd: null, kind: choice.id === 'codex' ? 'replay' : 'none' },
            directory: run.directory,
          }),
        ),
      ),
    );
    this.#steps = this.trials.flatMap((_, index) => this.#stepsOf(index));
  }

  /** Does the next thing; false when the run has ended. */
  step(): boolean {
    const step = this.#steps.shift();
    if (step === undefined || this.run.state !== 'running') return false;
    step();
    if (this.#steps.length === 0) this.#end('finished');
    return true;
  }

  cancel(): RunSummary {
    for (const [index, trial] of this.trials.entries()) {
      if (trial.phase !== 'done') this.#change(index, { phase: 'done', end: 'cancelled' });
    }
    this.#end('cancelled');
    return this.run;
  }

  #stepsOf(index: number): (() => void)[] {
    const id = this.trials[index]?.agent.id ?? '';
    const talk =
      id === 'codex'
        ? ['command: node --test', 'edit: update src/stats.js', 'command: node --test', 'message: All tests pass.']
        : [];
    const passes = id !== 'nop';
    return [
      () => {
        this.#change(index, { phase: 'building', startedAt: now() });
        this.#log(index, { kind: 'phase', phase: 'building', text: 'Building the sandbox' });
      },
      () => {
        this.#change(index, { phase: 'agent', buildMs: this.#sinceStart(index) });
        this.#log(index, { kind: 'phase', phase: 'agent', text: `Agent ${id} started` });
      },
      ...talk.map((text, turn) => () => {
        const usage = { inputTokens: 4000, cachedInputTokens: turn * 900, outputTokens: 160, reasoningTokens: 64 };
        const sum = addUsage(this.trials[index]?.usage ?? noUsage, usage);
        this.#change(index, { usage: sum });
        this.#log(index, { kind: 'agent', text });
        this.#log(index, { kind: 'usage', text: '', usage: sum });
      }),
      () => {
        const buildMs = this.trials[index]?.buildMs ?? 0;
        this.#change(index, { phase: 'verifying', agentMs: this.#sinceStart(index) - buildMs });
        this.#log(index, { kind: 'phase', phase: 'verifying', text: 'Verifying in a fresh sandbox' });
      },
      () => {
        const { buildMs, agentMs } = this.trials[index] ?? {};
        this.#change(index, {
          phase: 'done',
          end: 'verified',
          reward: passes ? 1 : 0,
          finishedAt: now(),
          verifyMs: this.#sinceStart(index) - (buildMs ?? 0) - (agentMs ?? 0),
          diff: passes ? { files: 2, insertions: 14, deletions: 1 } : { files: 0, insertions: 0, deletions: 0 },
          tests: verdicts(passes),
        });
        this.#log(index, { kind: 'end', text: passes ? 'Passed, reward 1.00' : 'Failed, reward 0.00' });
      },
    ];
  }

  #change(index: number, changes: Partial<TrialSummary>): void {
    const before = this.trials[index];
    if (before === undefined) return;
    const trial = { ...before, ...changes };
    this.trials[index] = trial;
    this.#listener.trialChanged(trial);
    this.#changeRun({});
  }

  #log(index: number, line: Pick<RunEvent, 'kind' | 'text'> & Partial<RunEvent>): void {
    const event: RunEvent = {
      runId: this.run.id,
      seq: this.journal.length + 1,
      at: now(),
      trialId: this.trials[index]?.id ?? null,
      phase: null,
      usage: null,
      ...line,
    };
    this.journal.push(event);
    this.#listener.progress(event);
  }

  #end(state: 'finished' | 'cancelled'): void {
    this.#changeRun({ state, finishedAt: now() });
  }

  #changeRun(changes: Partial<RunSummary>): void {
    const rewards = this.trials.flatMap(trial => trial.reward ?? []);
    this.run = {
      ...this.run,
      trialCounts: {
        total: this.trials.length,
        done: this.trials.filter(trial => trial.phase === 'done').length,
        errored: 0,
      },
      meanReward: rewards.length === 0 ? null : rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length,
      usage: this.trials.reduce((sum, trial) => addUsage(sum, trial.usage), noUsage),
      ...changes,
    };
    this.#listener.changed(this.run);
  }

  #sinceStart(index: number): number {
    return Date.now() - Date.parse(this.trials[index]?.startedAt ?? now());
  }
}

function verdicts(passes: boolean): TestVerdict[] {
  return [
    {
      id: 'test/stats.test.js > median of an even number of values',
      expected: 'failToPass',
      status: passes ? 'passed' : 'failed',
      message: passes
        ? null
        : 'TypeError: median is not a function\n    at TestContext.<anonymous> (test/stats.test.js:12:16)',
    },
    { id: 'test/stats.test.js > mean', expected: 'passToPass', status: 'passed', message: null },
    { id: 'test/stats.test.js > mean of nothing', expected: 'passToPass', status: 'passed', message: null },
  ];
}

function now(): string {
  return new Date().toISOString();
}
