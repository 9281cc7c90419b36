import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../protocol/runs.ts';
import { phaseTimes, RunModel } from '../../../webview/pages/run/runModel.ts';
import { aRun, aTrial, ScriptedRun } from '../../fakes/scriptedRun.ts';

const event = (seq: number): RunEvent => ({
  runId: 'run-1',
  seq,
  at: '2026-11-21T12:00:00.000Z',
  trialId: null,
  kind: 'log',
  phase: null,
  text: '',
  usage: null,
});

describe('RunModel', () => {
  it('notices a gap in the journal and takes no line twice', () => {
    const model = new RunModel();
    expect(model.append(event(1))).toBe(true);
    expect(model.append(event(3))).toBe(false);
    expect(model.append(event(2))).toBe(true);
    expect(model.append(event(2))).toBe(true);
    expect(model.journal.map(line => line.seq)).toEqual([1, 2]);
  });

  it('ends where the server ends when it only follows events', () => {
    const model = new RunModel();
    const script = new ScriptedRun(aRun(), {
      changed: run => {
        model.run = run;
      },
      trialChanged: trial => model.change(trial),
      progress: line => expect(model.append(line)).toBe(true),
    });
    model.load(script.run, script.trials);
    while (script.step());
    expect(model.run).toEqual(script.run);
    expect(model.trials).toEqual(script.trials);
    expect(model.usage()).toEqual(script.run.usage);
    expect(model.journal).toEqual(script.journal);
    expect(model.stateCounts()).toEqual([
      ['passed', 4],
      ['failed', 2],
    ]);
  });

  it('adds up what an agent cost, with what has no price beside it', () => {
    const model = new RunModel();
    model.load(aRun(), [
      aTrial({ id: '1', cost: { amountUsd: 0.5, kind: 'priced' } }),
      aTrial({ id: '2', cost: { amountUsd: null, kind: 'unpriced' } }),
    ]);
    expect(model.byAgent()[0]?.cost).toEqual({ amountUsd: 0.5, kind: 'unpriced' });
  });

  it('counts verdicts apart from what errored, and keeps that out of the mean', () => {
    const model = new RunModel();
    model.load(aRun(), [
      aTrial({ id: '1', phase: 'done', end: 'verified', reward: 1 }),
      aTrial({ id: '2', phase: 'done', end: 'errored', reward: null }),
    ]);
    expect(model.byAgent()[0]).toMatchObject({
      label: 'codex',
      verdicts: 1,
      errored: 1,
      total: 2,
      meanReward: 1,
      tokens: null,
    });
  });
});

describe('a trial that lacks a judge', () => {
  const error = { code: 'judge.missing' as const, message: 'No judge is set.', hint: null };
  const unjudged = aTrial({ id: '1', phase: 'done', end: 'errored', reward: null, error });
  const broken = aTrial({
    id: '2',
    phase: 'done',
    end: 'errored',
    reward: null,
    error: { ...error, code: 'internal' },
  });
  const regrade = { trialId: '1', at: '2026-11-21T12:00:00.000Z', before: null, tests: [], flips: [], error: null };

  it('is judged again and not run again', () => {
    const model = new RunModel();
    model.load(aRun(), [unjudged, broken]);
    expect([model.retriable, model.unjudged]).toEqual([[broken], [unjudged]]);
  });

  it('lacks nothing once it was judged', () => {
    const model = new RunModel();
    model.load(aRun(), [unjudged], [{ ...regrade, after: null, error }]);
    expect(model.unjudged).toEqual([unjudged]);
    model.load(aRun(), [unjudged], [{ ...regrade, after: 0.5 }]);
    expect(model.unjudged).toEqual([]);
  });
});

describe('phaseTimes', () => {
  const startedAt = '2026-11-21T12:00:00.000Z';
  const nowMs = Date.parse(startedAt) + 10_000;

  it('lets the running phase grow with the clock', () => {
    const trial = aTrial({ phase: 'agent', startedAt, buildMs: 2000 });
    expect(phaseTimes(trial, nowMs)).toEqual({ buildMs: 2000, agentMs: 8000, verifyMs: 0, totalMs: 10_000 });
  });

  it('stands still once the trial has ended', () => {
    const ended = { finishedAt: '2026-11-21T12:00:05.000Z', buildMs: 1000, agentMs: 3000, verifyMs: 900 };
    const trial = aTrial({ phase: 'done', end: 'verified', startedAt, ...ended });
    expect(phaseTimes(trial, nowMs)).toEqual({ buildMs: 1000, agentMs: 3000, verifyMs: 900, totalMs: 5000 });
  });

  it('is none of this run where the verdict is that of an earlier one', () => {
    expect(
      phaseTimes(aTrial({ phase: 'done', startedAt, finishedAt: startedAt, reusedFrom: 'run-0.1' }), nowMs),
    ).toBeNull();
  });

  it('is unknown before the trial starts', () => {
    expect(phaseTimes(aTrial(), nowMs)).toBeNull();
  });
});
