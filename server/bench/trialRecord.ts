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
/** An agent may print without end: so many of its lines go into the journal at once, and so many per second later on. */
const agentBurst = 100;
const agentLinesPerSec = 10;
/** Lines of the agent are written together, this long after the first of them. */
const writeAfterMs = 100;
/** How often the journal tells how many lines it has left out. */
const leftOutEveryMs = 1000;

type Line = Pick<NewEvent, 'kind' | 'text'> & Partial<NewEvent>;

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
  #waiting: Line[] = [];
  #timer: NodeJS.Timeout | undefined;
  #allowance = agentBurst;
  #allowedAt = 0;
  #leftOut = 0;
  #leftOutToldAt = 0;

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
    const now = this.#deps.clock.now();
    const earned = ((now - this.#allowedAt) / 1000) * agentLinesPerSec;
    this.#allowance = Math.min(agentBurst, this.#allowance + earned);
    this.#allowedAt = now;
    if (this.#allowance < 1) {
      this.#leftOut++;
      return;
    }
    this.#allowance--;
    if (now - this.#leftOutToldAt >= leftOutEveryMs) this.#tellLeftOut(now);
    this.#waiting.push({ kind: 'agent', text: `${event.kind}: ${event.text.slice(0, maxText)}`.slice(0, maxText) });
    this.#timer ??= setTimeout(() => this.#writeWaiting(), writeAfterMs);
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

  /** Writes a line, after those that still wait. */
  #append(line: Line): void {
    this.#tellLeftOut(this.#deps.clock.now());
    this.#waiting.push(line);
    this.#write();
  }

  #tellLeftOut(now: number): void {
    if (this.#leftOut === 0) return;
    const text = `${this.#leftOut} more lines of the agent, which came too fast; see agent/stdout.jsonl of the trial.`;
    this.#waiting.push({ kind: 'log', text });
    this.#leftOut = 0;
    this.#leftOutToldAt = now;
  }

  /** A disk that fails is told to the next caller of a step, who can end the trial; a timer has nobody to tell. */
  #writeWaiting(): void {
    try {
      this.#write();
    } catch {
      this.#timer = undefined;
    }
  }

  #write(): void {
    const lines = this.#waiting.map(line => ({ trialId: this.#summary.id, phase: null, usage: null, ...line }));
    const written = this.#deps.store.append(this.#summary.runId, lines);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
    for (const line of written) this.#deps.bus.publish(runs, 'progress', line);
  }
}

const phaseTexts: Readonly<Record<TrialPhase, string>> = {
  queued: 'Waiting.',
  building: 'Building the environment.',
  agent: 'The agent works.',
  verifying: 'The hidden tests run in a fresh sandbox.',
  done: 'Done.',
};
