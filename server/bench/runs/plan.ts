import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CoachError } from '../../../protocol/errors.ts';
import type { AgentChoice, TrialSummary } from '../../../protocol/runs.ts';
import { noCost, noUsage } from '../../../protocol/usage.ts';
import type { Agent } from '../../agents/agent.ts';
import { isProven } from '../../tasks/format.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';

export interface PlannedAgent {
  readonly agent: Agent;
  readonly choice: AgentChoice;
  readonly label: string;
}

/**
 * The agents of a run with the labels that tell them apart.
 * @throws CoachError `input.invalid` when two have the same label; `agent.unknown`
 */
export function planAgents(choices: readonly AgentChoice[], find: (id: string) => Agent): PlannedAgent[] {
  const planned = choices.map(choice => ({ agent: find(choice.id), choice, label: labelOf(choice) }));
  const seen = new Set<string>();
  for (const { label } of planned) {
    if (seen.has(toFileName(label))) {
      throw new CoachError('input.invalid', `Two agents of this run are both called ${label}.`, {
        hint: 'Give one of them a label of its own: codex/gpt-5.5=first',
      });
    }
    seen.add(toFileName(label));
  }
  return planned;
}

/** Every trial of a run, in the order in which they start: all agents and tasks once, then all again. */
export function planTrials(
  run: { readonly id: string; readonly directory: string },
  tasks: readonly PreparedTask[],
  agents: readonly PlannedAgent[],
  attempts: number,
): TrialSummary[] {
  const trials: TrialSummary[] = [];
  for (let attempt = 1; attempt <= attempts; attempt++) {
    for (const task of tasks) {
      for (const { agent, choice, label } of agents) {
        trials.push({
          id: `${run.id}.${trials.length + 1}`,
          runId: run.id,
          task: task.name,
          taskProven: isProven(task.proof),
          proofBasis: task.proof?.basis ?? 'tests',
          agent: { ...choice, model: choice.model ?? agent.defaultModel },
          agentLabel: label,
          agentVersion: agent.package?.version ?? null,
          attempt,
          phase: 'queued',
          end: null,
          reward: null,
          error: null,
          usage: noUsage,
          cost: noCost,
          startedAt: null,
          finishedAt: null,
          buildMs: null,
          agentMs: null,
          verifyMs: null,
          diff: null,
          tests: [],
          directory: join(run.directory, `${task.name}__${toFileName(label)}__${attempt}`),
          sessionId: null,
        });
      }
    }
  }
  return trials;
}

/** `20261121-142503-k3f9`: sorts by time, short enough to type. */
export function newRunId(now: number): string {
  const [date = '', time = ''] = new Date(now).toISOString().split('T');
  return `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${randomBytes(2).toString('hex')}`;
}

function labelOf({ id, model, label }: AgentChoice): string {
  return label ?? (model === null ? id : `${id}/${model}`);
}

function toFileName(label: string): string {
  return label.replaceAll(/[^A-Za-z0-9._-]+/g, '-');
}
