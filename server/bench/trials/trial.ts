import type { CoachError } from '../../../protocol/errors.ts';
import type { Score } from '../../../protocol/rubric.ts';
import type { AgentChoice, RunLimits, TestVerdict, TrialPhase } from '../../../protocol/runs.ts';
import type { Cost, Usage } from '../../../protocol/usage.ts';
import type { Agent, AgentEvent } from '../../agents/agent.ts';
import type { InstalledAgent } from '../../agents/install.ts';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { PreparedEnvironment } from '../../executors/executor.ts';
import type { TreeDiff } from '../../git/tree.ts';
import type { ProxyService } from '../../proxy/proxy.ts';
import type { Replay } from '../../proxy/replay/replayServer.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import type { DeniedHost } from '../integrity/flags.ts';
import type { JudgeSettings } from '../rubric/judgeChoice.ts';
import type { RecordedExchange } from '../rubric/recordedAnswers.ts';
import type { AdoptedAgent, AgentJournal, AgentPhase } from './agentPhase.ts';
import type { Patience } from './limits.ts';
import type { AgentWork, DoneStep } from './tries.ts';

/** One agent at one task, once. */
export interface Trial {
  readonly id: string;
  readonly task: PreparedTask;
  readonly agent: Agent;
  readonly choice: AgentChoice;
  readonly label: string;
  readonly limits: RunLimits;
  /** Names this try's sandboxes. */
  readonly key: string;
  readonly from: TrialStart;
  /** Of a task in steps, those that earlier servers and tries have finished. */
  readonly done: readonly DoneStep[];
  /** What is done in the sandbox before an agent works in it. */
  readonly begin?: AgentPhase['begin'];
}

/** Where a try begins: at the start, with an agent that an earlier server left at work, or with work that is only to be judged. */
export type TrialStart =
  | { readonly kind: 'start' }
  | { readonly kind: 'adopt'; readonly agent: AdoptedAgent }
  | { readonly kind: 'judge'; readonly work: AgentWork };

export interface TrialDeps {
  readonly proxy: Pick<ProxyService, 'open'>;
  /** Environments are built once per run; this waits for the one of a task. */
  environment(task: PreparedTask): Promise<PreparedEnvironment>;
  install(agent: Agent, signal: AbortSignal): Promise<InstalledAgent>;
  /** @throws CoachError when there is no such recording */
  startReplay(recording: string): Promise<Replay>;
  /** Real keys by the names of their variables; they go to the proxy and nowhere else. */
  readonly keys: Readonly<Record<string, string | undefined>>;
  readonly traces: TrialTraces;
  /** Who judges rubrics. */
  readonly judge: JudgeSettings;
  /** Before a judge that failed is asked again. */
  readonly judgePauseMs: number;
  readonly workspaces: string;
  readonly patience: Patience;
  readonly clock: Clock;
  readonly log: Log;
  /** Sandboxes on their way out: waited for before the run ends, not before the next trial starts. */
  onRemoval(removal: Promise<void>): void;
}

/** What the bench asks the trace store. */
export interface TrialTraces {
  /** What a trial's agent used since then. `since`: ISO time */
  recorded(trialId: string, since: string): RecordedWork;
  cost(sessionIds: readonly string[]): Cost;
  /** What was asked and answered in a session. @throws CoachError `session.missing` */
  exchanges(sessionId: string): Iterable<RecordedExchange>;
  /** The trajectory in ATIF, or null when nothing was recorded. */
  trajectory(sessionIds: readonly string[]): object | null;
  /** Hosts that a trial's agent was kept from. */
  denied(trialId: string): readonly DeniedHost[];
}

export interface RecordedWork {
  readonly usage: Usage;
  /** Where the price is known. */
  readonly costUsd: number;
  readonly sessionIds: readonly string[];
}

/** Hears how a trial goes on. */
export interface TrialObserver extends Omit<AgentJournal, 'onWork'> {
  onPhase(phase: TrialPhase): void;
  onAgentEvent(event: AgentEvent): void;
  onUsage(usage: Usage): void;
  onAgentDone(diff: TreeDiff, work: AgentWork): void;
  /** A step is over. `done`: all that are. */
  onStep(done: readonly DoneStep[]): void;
}

/** How a trial ended. What an agent left is judged however its part ended, as long as a model was heard. */
export type TrialOutcome =
  | ({ readonly kind: 'verified' } & Judged)
  | ({ readonly kind: 'agentFailed'; readonly exitCode: number; readonly meaning?: string | undefined } & Judged)
  | ({ readonly kind: 'timedOut' } & Judged)
  | ({ readonly kind: 'budgetSpent'; readonly tokens: number } & Judged)
  | ({ readonly kind: 'diskSpent' } & Judged)
  | ({ readonly kind: 'stalled'; readonly idleMs: number; readonly waitedFor: string } & Judged)
  | { readonly kind: 'cancelled' }
  /** Its server ended, and nothing of it can be gone on with. */
  | { readonly kind: 'lost' }
  | {
      readonly kind: 'errored';
      readonly error: CoachError;
      /** Whether the same would fail in the same way once more. */
      readonly isFinal: boolean;
      /** What there is all the same, such as the tests' part where a judge failed. */
      readonly work?: TrialWork;
    };

interface Judged {
  /** Null when there is no verdict. */
  readonly reward: number | null;
  readonly work: TrialWork;
}

export interface TrialWork {
  readonly usage: Usage;
  readonly cost: Cost;
  readonly sessionIds: readonly string[];
  readonly tests: readonly TestVerdict[];
  /** What the reward is made of; absent where nothing was judged. */
  readonly score?: Score;
}
