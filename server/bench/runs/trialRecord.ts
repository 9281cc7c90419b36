import { toReward } from '../../../protocol/figures.ts';
import type { IntegrityFlag } from '../../../protocol/integrity.ts';
import { runs, type TrialPhase, type TrialSummary } from '../../../protocol/runs.ts';
import { trialWord } from '../../../protocol/stateWords.ts';
import { noCost, noUsage, type Usage } from '../../../protocol/usage.ts';
import type { AgentEvent } from '../../agents/agent.ts';
import type { EventBus } from '../../base/bus.ts';
import { type Clock, toIso } from '../../base/clock.ts';
import type { TreeDiff } from '../../git/tree.ts';
import type { TrialObserver, TrialOutcome } from '../trials/trial.ts';
import type { AgentPlace, AgentWork, DoneStep, Try } from '../trials/tries.ts';
import type { NewEvent, RunStore } from './runStore.ts';
import { toTrialFields } from './trialFields.ts';

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
  #try: Try | null = null;
  #executor = '';
  #phaseStartedAt = 0;
  /** In earlier steps. */
  #spent = { agentMs: 0, verifyMs: 0 };
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

  /** Begins a try, or takes up the one of an earlier server. `executor`: id of the one whose sandboxes it uses. */
  begin(next: Try, executor: string): void {
    this.#executor = executor;
    this.#saveTry(next);
    const again = {
      tries: next.number,
      phase: 'queued',
      end: null,
      reward: null,
      error: null,
      finishedAt: null,
    } as const;
    this.#spent = {
      agentMs: next.steps.reduce((sum, step) => sum + step.agentMs, 0),
      verifyMs: next.steps.length === 0 ? 0 : (this.#summary.verifyMs ?? 0),
    };
    const anew = { usage: noUsage, cost: noCost, buildMs: null, agentMs: null, verifyMs: null, diff: null };
    this.#save({ ...again, ...(next.work === null && next.agentAt === null ? anew : {}), tests: [], score: undefined });
  }

  onPhase(phase: TrialPhase): void {
    const now = this.#deps.clock.now();
    const startedAt = this.#summary.startedAt ?? toIso(now);
    this.#save({ ...this.#durations(now), phase, startedAt });
    const agentAt = phase === 'agent' ? (this.#try?.agentAt ?? null) : null;
    this.#phaseStartedAt = agentAt === null ? now : Date.parse(agentAt);
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

  onPlace(place: Omit<AgentPlace, 'executor'>): void {
    this.#saveTry({ place: { ...place, executor: this.#executor } });
  }

  onAgentStarts(): void {
    this.#saveTry({ agentAt: toIso(this.#deps.clock.now()) });
  }

  onAgentStarted(): void {
    this.#saveTry({ agentStarted: true });
  }

  onAgentDone(diff: TreeDiff, work: AgentWork): void {
    const { usage } = work;
    this.#save({ diff: { ...diff.numbers }, usage });
    this.#saveTry({ work });
    this.#append({ kind: 'usage', text: 'Tokens of the agent.', usage });
  }

  onStep(done: readonly DoneStep[]): void {
    const now = this.#deps.clock.now();
    const steps = done.map(({ verdict }) => verdict);
    this.#save({ ...this.#durations(now), steps });
    this.#phaseStartedAt = now;
    this.#spent = { agentMs: this.#summary.agentMs ?? 0, verifyMs: this.#summary.verifyMs ?? 0 };
    this.#saveTry({ steps: [...done], work: null, place: null, agentAt: null, agentStarted: false });
    const { name = '', reward = null } = steps.at(-1) ?? {};
    this.#append({
      kind: 'log',
      text: `Step ${name}: ${reward === null ? 'no verdict' : `reward ${toReward(reward)}`}.`,
    });
  }

  /** A try came to nothing, and another one follows after a while. */
  failTry(outcome: TrialOutcome | { readonly kind: 'lost' }, pauseMs: number): void {
    const { end, error } = outcome.kind === 'lost' ? { end: outcome.kind, error: null } : toTrialFields(outcome);
    this.#saveTry({ end, error, endedAt: toIso(this.#deps.clock.now()) });
    this.#save({ phase: 'queued' });
    const why = error === null ? 'Its server ended.' : error.message;
    const when = pauseMs === 0 ? 'now' : `in ${Math.ceil(pauseMs / 1000)} s`;
    this.#append({ kind: 'log', text: `${why} The next try begins ${when}.` });
  }

  /** Takes the verdict of a finished trial that is the same in all that counts. */
  reuse(from: TrialSummary): TrialSummary {
    const { end, reward, tests, steps, score, usage, diff, sessionId, buildMs, agentMs, verifyMs, directory } = from;
    this.#save({
      ...{ end, reward, tests, steps, score, usage, diff, sessionId, directory, buildMs, agentMs, verifyMs },
      ...{ cost: from.cost, startedAt: from.startedAt, finishedAt: from.finishedAt },
      ...{ phase: 'done', reusedFrom: from.id, flags: from.flags },
    });
    this.#append({
      kind: 'end',
      phase: 'done',
      text: `${endWords(this.#summary)}. The verdict is that of ${from.id}.`,
    });
    return this.#summary;
  }

  end(outcome: TrialOutcome, flags: readonly IntegrityFlag[] = []): TrialSummary {
    const now = this.#deps.clock.now();
    const fields = toTrialFields(outcome);
    if (this.#try !== null) this.#saveTry({ end: fields.end, error: fields.error, endedAt: toIso(now) });
    const found = { flags: flags.length === 0 ? undefined : [...flags] };
    this.#save({ ...this.#durations(now), ...fields, ...found, phase: 'done', finishedAt: toIso(now) });
    this.#append({ kind: 'end', phase: 'done', text: endWords(this.#summary) });
    return this.#summary;
  }

  /** How long the phase lasted that ends now. */
  #durations(now: number): Partial<TrialSummary> {
    const lastedMs = now - this.#phaseStartedAt;
    switch (this.#summary.phase) {
      case 'building':
        return { buildMs: lastedMs };
      case 'agent':
        return { agentMs: this.#spent.agentMs + lastedMs };
      case 'verifying':
        return { verifyMs: this.#spent.verifyMs + lastedMs };
      default:
        return {};
    }
  }

  #save(change: Partial<TrialSummary>): void {
    this.#summary = { ...this.#summary, ...change };
    this.#deps.store.saveTrial(this.#summary);
    this.#deps.bus.publish(runs, 'trialChanged', this.#summary);
  }

  #saveTry(change: Partial<Try>): void {
    const value = { ...this.#try, ...change } as Try;
    this.#try = value;
    this.#deps.store.saveTry(value);
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

/** `Agent failed, reward 0.00`; of one without a verdict, why: `Errored: No Docker daemon.` */
function endWords(trial: TrialSummary): string {
  const word = trialWord(trial);
  if (trial.reward !== null) return `${word}, reward ${toReward(trial.reward)}`;
  return trial.error === null ? word : `${word}: ${trial.error.message}`;
}

const phaseTexts: Readonly<Record<TrialPhase, string>> = {
  queued: 'Waiting.',
  building: 'Building the environment.',
  agent: 'The agent works.',
  verifying: 'The work is judged.',
  done: 'Done.',
};
