import { runs, type TrialPhase, type TrialSummary } from '../../protocol/runs.ts';
import type { Usage } from '../../protocol/usage.ts';
import type { AgentEvent } from '../agents/agent.ts';
import type { EventBus } from '../base/bus.ts';
import { type Clock, toIso } from '../base/clock.ts';
import type { TreeDiff } from '../git/tree.ts';
import type { NewEvent, RunStore } from './runStore.ts';
import { type TrialObserver, type TrialOutcome, toTrialFields } from './trial.ts';

/** Longest text of one line of the journal, in characters. */
const maxText = 2000;
const usageEveryMs = 500;

interface RecordDeps {
  readonly store: RunStore;
  readonly bus: EventBus;
  readonly clock: Clock;
}

/** Keeps a trial's summary and journal in step with what happens, on disk first, then to whoever listens. */
export class TrialRecord implements TrialObserver {
  readonly #deps: RecordDeps;
  #summary: TrialSummary;
  #phaseStartedAt = 0;
  #usageToldAt = 0;

  constructor(summary: TrialSummary, deps: RecordDeps) {
    this.#summary = summary;
    this.#deps = deps;
  }

  get summary(): TrialSummary {
    return this.#summary;
  }

  onPhase(phase: TrialPhase): void {
    const now = this.#deps.clock.now();
    const startedAt = this.#summary.startedAt ?? toIso(now);
    this.#save({ ...this.#durations(now), phase, startedAt });
    this.#phaseStartedAt = now;
    this.#append({ kind: 'phase', phase, text: phaseTexts[phase] });
  }

  onAgentEvent(event: AgentEvent): void {
    this.#append({ kind: 'agent', text: `${event.kind}: ${event.text}`.slice(0, maxText) });
  }

  onUsage(usage: Usage): void {
    const now = this.#deps.clock.now();
    if (now - this.#usageToldAt < usageEveryMs) return;
    this.#usageToldAt = now;
    this.#save({ usage });
    this.#append({ kind: 'usage', text: 'Tokens so far.', usage });
  }

  onAgentDone(diff: TreeDiff, usage: Usage): void {
    this.#save({ diff: { ...diff.numbers }, usage });
    this.#append({ kind: 'usage', text: 'Tokens of the agent.', usage });
  }

  end(outcome: TrialOutcome): TrialSummary {
    const now = this.#deps.clock.now();
    const fields = toTrialFields(outcome);
    this.#save({ ...this.#durations(now), ...fields, phase: 'done', finishedAt: toIso(now) });
    const reward = fields.reward === null ? 'no verdict' : `reward ${fields.reward}`;
    this.#append({ kind: 'end', phase: 'done', text: fields.error?.message ?? `${fields.end}, ${reward}` });
    return this.#summary;
  }

  /** How long the phase lasted that ends now. */
  #durations(now: number): Partial<TrialSummary> {
    const lastedMs = now - this.#phaseStartedAt;
    switch (this.#summary.phase) {
      case 'building':
        return { buildMs: lastedMs };
      case 'agent':
        return { agentMs: lastedMs };
      case 'verifying':
        return { verifyMs: lastedMs };
      default:
        return {};
    }
  }

  #save(change: Partial<TrialSummary>): void {
    this.#summary = { ...this.#summary, ...change };
    this.#deps.store.saveTrial(this.#summary);
    this.#deps.bus.publish(runs, 'trialChanged', this.#summary);
  }

  #append(event: Pick<NewEvent, 'kind' | 'text'> & Partial<NewEvent>): void {
    const line = { trialId: this.#summary.id, phase: null, usage: null, ...event };
    this.#deps.bus.publish(runs, 'progress', this.#deps.store.append(this.#summary.runId, line));
  }
}

const phaseTexts: Readonly<Record<TrialPhase, string>> = {
  queued: 'Waiting.',
  building: 'Building the environment.',
  agent: 'The agent works.',
  verifying: 'The hidden tests run in a fresh sandbox.',
  done: 'Done.',
};
