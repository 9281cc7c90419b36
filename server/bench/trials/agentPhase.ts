import type { AgentChoice, RunLimits } from '../../../protocol/runs.ts';
import type { Usage } from '../../../protocol/usage.ts';
import type { Agent, AgentEvent } from '../../agents/agent.ts';
import type { PreparedEnvironment, Sandbox } from '../../executors/executor.ts';
import type { TreeDiff } from '../../git/tree.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import type { AgentPlace, AgentWork } from './tries.ts';

/** The agent's part of a trial: what it works on, with what, and who hears of it. */
export interface AgentPhase {
  readonly trialId: string;
  /** Names the sandbox apart from those of the trial's other tries. */
  readonly key: string;
  readonly task: PreparedTask;
  readonly agent: Agent;
  readonly choice: AgentChoice;
  readonly label: string;
  readonly limits: RunLimits;
  readonly environment: PreparedEnvironment;
  /** `agent/` of the trial's directory. */
  readonly logs: AgentLogs;
  /** An agent that an earlier server left at work; null to begin. */
  readonly adopted: AdoptedAgent | null;
  readonly journal: AgentJournal;
  /** What is done in the sandbox before an agent works in it; not where a reference or a prediction stands for its work. */
  readonly begin?: ((sandbox: Sandbox, signal: AbortSignal) => Promise<void>) | undefined;
  onEvent(event: AgentEvent): void;
  onUsage(usage: Usage): void;
  /** It is at work: from now on the machine may have time for something else. */
  onAtWork(): void;
}

/** What is written down before each step, so that a later server knows what has happened. Each returns when it is safe. */
export interface AgentJournal {
  onPlace(place: Omit<AgentPlace, 'executor'>): void;
  onAgentStarts(): void;
  onAgentStarted(): void;
  onWork(work: AgentWork, diff: TreeDiff): Promise<void>;
}

export interface AdoptedAgent {
  readonly sandbox: Sandbox;
  readonly scratch: string;
  /** When it was about to start, epoch ms. */
  readonly startedAt: number;
  /** Whether it is known to have started. */
  readonly hasStarted: boolean;
}

/** Where the agent's output is kept while it comes. More may come once what they answer with has resolved. */
export interface AgentLogs {
  stdout(chunk: Buffer): Promise<void> | undefined;
  stderr(chunk: Buffer): Promise<void> | undefined;
  /** What an earlier server has kept of them already, in bytes. */
  readonly stdoutFrom: number;
  readonly stderrFrom: number;
}
