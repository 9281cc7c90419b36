import { describe, expect, it } from 'vitest';
import { toCtrf, toHarborJob, toHarborTrial } from '../../../server/bench/harbor.ts';
import { aRun, aTrial } from '../../fakes/scriptedRun.ts';
import { trials } from './judgedTrials.ts';

const run = aRun({ state: 'finished' });

describe('the files for Harbor', () => {
  it('tell a reward, or what went wrong', () => {
    const trial = { ...aTrial(), ...trials[0], startedAt: '2026-01-01T00:00:00.000Z', buildMs: 1000 };
    expect(toHarborTrial(trial)).toMatchObject({
      verifier_result: { rewards: { reward: 1 } },
      exception_info: null,
      environment_setup: { started_at: '2026-01-01T00:00:00.000Z', finished_at: '2026-01-01T00:00:01.000Z' },
      agent_execution: { started_at: '2026-01-01T00:00:01.000Z', finished_at: '2026-01-01T00:00:05.000Z' },
      verifier: null,
      agent_result: { n_input_tokens: 1000, n_output_tokens: 234 },
    });
    expect(toHarborTrial({ ...aTrial(), ...trials[3] })).toMatchObject({
      verifier_result: null,
      exception_info: { exception_type: 'docker.failed' },
    });
  });

  it('sum up a run by agent', () => {
    expect(toHarborJob(run, trials, 'now', trial => trial.id)).toMatchObject({
      n_total_trials: 4,
      stats: {
        evals: {
          codex__adhoc: { n_trials: 2, n_errors: 1, metrics: [{ mean: 1 }], reward_stats: { reward: { '1': ['1'] } } },
        },
      },
    });
  });

  it('tell no cost where a part of it has no price', () => {
    const cost = { amountUsd: 0.5, kind: 'unpriced' as const };
    expect(toHarborTrial(aTrial({ cost }))).toMatchObject({ agent_result: { cost_usd: null } });
    expect(toHarborJob({ ...run, cost }, [], 'now', trial => trial.id)).toMatchObject({ stats: { cost_usd: null } });
  });

  it('list tests in CTRF', () => {
    const outcomes = [{ id: 'a', status: 'failed', message: 'no', durationMs: 5 }] as const;
    expect(toCtrf(outcomes)).toMatchObject({
      results: {
        summary: { tests: 1, failed: 1 },
        tests: [{ name: 'a', status: 'failed', duration: 5, message: 'no' }],
      },
    });
  });
});
